"""Published events stay what they were: golden examples still decode, and a breaking change turns this red."""

import copy
import json
from pathlib import Path

import pytest

from contracts import EVENTS, OrderPlaced, Record, decode, encode, topic_of
from contracts.__main__ import main
from contracts.compatibility import breaking_changes
from contracts.schemas import schema_of

HERE = Path(__file__).parent
PLACED = "order.placed.v1"


def golden(name):
    return json.loads((HERE / "golden" / f"{name}.json").read_text())


def published(name):
    return json.loads((HERE / "published" / f"{name}.schema.json").read_text())


def test_every_event_has_an_example_and_a_published_schema():
    assert {file.stem for file in (HERE / "golden").glob("*.json")} == set(EVENTS)
    assert {file.name.removesuffix(".schema.json") for file in (HERE / "published").glob("*.json")} == set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_the_golden_example_decodes_to_the_same_values(name):
    example = golden(name)
    headers = tuple((header, value.encode()) for header, value in example["headers"].items())
    key, value = example["headers"]["ce_subject"].encode(), json.dumps(example["value"]).encode()
    envelope = decode(Record(topic_of(EVENTS[name]).name, key, value, headers))
    assert envelope.type == name
    assert envelope.event.model_dump(mode="json", exclude_unset=True) == example["value"]
    again = encode(envelope)
    assert (again.key, again.headers) == (key, headers)


@pytest.mark.parametrize("name", EVENTS)
def test_todays_shape_serves_those_who_read_the_published_one(name):
    assert breaking_changes(published(name), schema_of(EVENTS[name])) == []


def changed(change):
    schema = copy.deepcopy(schema_of(EVENTS[PLACED]))
    change(schema)
    return breaking_changes(published(PLACED), schema)


def test_a_removed_field_is_named():
    assert changed(lambda s: s["properties"].pop("currency")) == ["value.currency is gone"]


def test_a_renamed_field_is_named():
    faults = changed(lambda s: s["properties"].update(sum_minor=s["properties"].pop("total_minor")))
    assert faults == ["value.total_minor is gone"]


def test_a_retyped_field_is_named_however_deep():
    item = changed(lambda s: s["$defs"]["OrderItem"]["properties"]["quantity"].update(type="string"))
    assert item == ["value.items[].quantity: type was 'integer' and is 'string'"]


def test_a_newly_required_field_is_named():
    def require(schema):
        schema["properties"]["note"] = {"type": "string"}
        schema["required"].append("note")

    assert changed(require) == ["value.note is required now"]


def test_a_field_that_loses_its_default_is_named():
    rejected = "order.rejected.v1"
    schema = copy.deepcopy(schema_of(EVENTS[rejected]))
    schema["required"].append("shortages")
    assert breaking_changes(published(rejected), schema) == ["value.shortages is required now"]


@pytest.mark.parametrize(("field", "bound"), [("items", {"maxItems": 5}), ("total_minor", {"minimum": 1})])
def test_a_bound_that_moves_is_named(field, bound):
    (fault,) = changed(lambda s: s["properties"][field].update(bound))
    assert f"value.{field}: {next(iter(bound))} was" in fault


def test_a_changed_set_of_values_is_named():
    cancelled = "order.cancelled.v1"
    schema = copy.deepcopy(schema_of(EVENTS[cancelled]))
    schema["properties"]["reason"]["enum"].append("fraud")
    assert "allowed values" in breaking_changes(published(cancelled), schema)[0]


def test_an_optional_field_may_be_added():
    class Gifted(OrderPlaced):
        """An order with a card."""

        card: str | None = None

    class Demanding(OrderPlaced):
        """An order that must have a card."""

        card: str

    assert breaking_changes(published(PLACED), schema_of(Gifted)) == []
    assert breaking_changes(published(PLACED), schema_of(Demanding)) == ["value.card is required now"]


def test_the_documents_are_fresh(capsys):
    folder = HERE.parents[1] / "docs" / "events"
    assert main([str(folder), "--check"]) == 0, capsys.readouterr().err


def test_a_stale_document_is_named(tmp_path, capsys):
    main([str(tmp_path)])
    (tmp_path / "asyncapi.json").write_text("{}")
    (tmp_path / "order.eaten.v1.schema.json").write_text("{}")
    assert main([str(tmp_path), "--check"]) == 1
    assert "stale: asyncapi.json, order.eaten.v1.schema.json" in capsys.readouterr().err


def test_the_asyncapi_document_points_at_what_exists():
    document = json.loads((HERE.parents[1] / "docs" / "events" / "asyncapi.json").read_text())
    for channel in document["channels"].values():
        for name in channel["messages"]:
            payload = document["components"]["messages"][name]["payload"]["$ref"]
            assert (HERE.parents[1] / "docs" / "events" / payload).exists()
