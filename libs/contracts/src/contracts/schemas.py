"""Documents made of the contracts: one JSON Schema per event type and one AsyncAPI 3.0 document for all topics."""

import json
from typing import Any

from contracts.events import EVENTS, Event
from contracts.topics import (
    INVENTORY_EVENTS,
    ORDER_EVENTS,
    PRODUCT_EVENTS,
    SUBSCRIPTIONS,
    TOPICS,
    USER_EVENTS,
    Topic,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SENDERS: dict[str, tuple[Topic, ...]] = {
    "order-service": (ORDER_EVENTS,),
    "inventory-service": (INVENTORY_EVENTS, PRODUCT_EVENTS),
    "user-service": (USER_EVENTS,),
}
HEADERS: dict[str, str] = {
    "ce_specversion": "always 1.0",
    "ce_id": "UUIDv7 of the event; a second delivery has the same",
    "ce_type": "the message's name",
    "ce_source": "the service that sends it, with a leading slash",
    "ce_subject": "the aggregate's id, which is the record's key",
    "ce_time": "RFC 3339",
    "ce_aggregateversion": "counts the events of (source, subject) from 1",
    "ce_correlationid": "shared by everything that follows from one request",
    "ce_causationid": "id of the event that made this one happen",
    "content-type": "application/json",
    "traceparent": "W3C Trace Context",
}
OPTIONAL = {"ce_causationid", "traceparent"}


def schema_of(event: type[Event]) -> dict[str, Any]:
    """JSON Schema of an event's value, as a consumer sees it."""
    return {"$schema": DIALECT, "$id": f"{event.type}.schema.json", **event.model_json_schema()}


def asyncapi() -> dict[str, Any]:
    """Channels are topics, operations say which service sends and receives there."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Waybill's events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka's binary content mode; at-least-once, in order per key.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {
            **{f"{service} sends {t.name}": _operation("send", t) for service, own in SENDERS.items() for t in own},
            **{
                f"{group} receives {t.name}": _operation("receive", t)
                for group, read in SUBSCRIPTIONS.items()
                for t in read
            },
        },
        "components": {"messages": {name: _message(event) for name, event in EVENTS.items()}},
    }


def files() -> dict[str, str]:
    """File name -> text; the same contracts always give the same text."""
    schemas = {f"{name}.schema.json": _text(schema_of(event)) for name, event in EVENTS.items()}
    return {"asyncapi.json": _text(asyncapi()), **schemas}


def _channel(topic: Topic) -> dict[str, Any]:
    names = [event.type for event in topic.types]
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"partitions": topic.partitions, "bindingVersion": "0.5.0"}},
    }


def _operation(action: str, topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    messages = [{"$ref": f"{channel}/messages/{event.type}"} for event in topic.types]
    return {"action": action, "channel": {"$ref": channel}, "messages": messages}


def _message(event: type[Event]) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": text} for name, text in HEADERS.items()}
    required = [name for name in HEADERS if name not in OPTIONAL]
    return {
        "name": event.type,
        "summary": (event.__doc__ or "").strip(),
        "contentType": "application/json",
        "headers": {"type": "object", "properties": properties, "required": required},
        "payload": {"$ref": f"{event.type}.schema.json"},
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
