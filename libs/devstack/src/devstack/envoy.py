"""The gateway: Envoy in front of the services. Routes, checks tokens, strips identity headers, starts each trace.

Where no cluster's DNS is, each service has a second, internal listener, through which the others look things up. Field
names: Envoy API v3, as the binary of the locked wheel checks them at start.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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


class Place(NamedTuple):
    """Where something listens; `probes` is the port that says whether it drains."""

    host: str
    port: int
    probes: int | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """What the gateway needs to know: where it listens, whose tokens it believes, where services and collector are.

    `internal` holds, per service, the listener through which the others reach it; empty where names are resolved.
    `trace_ratio` is the share of requests that start a trace.
    """

    listens: Place
    issuer: str
    services: Mapping[str, Sequence[Place]]
    collector: Place
    trace_ratio: float
    internal: Mapping[str, Place] = field(default_factory=dict)


def configuration(edge: Edge) -> dict[str, Any]:
    """The whole bootstrap configuration."""
    public = _listener(edge.listens, _public_routes(), "gateway", _token_check(edge.issuer), _tracing(edge))
    internal = [_listener(place, _internal_routes(s), f"internal-{s}") for s, place in edge.internal.items()]
    clusters = [_service(name, places) for name, places in edge.services.items()]
    return {
        "static_resources": {
            "listeners": [public, *internal],
            "clusters": [*clusters, _cluster("otlp", [edge.collector])],
        },
        "layered_runtime": {"layers": [{"name": "traces", "static_layer": FLUSH}]},
    }


def _listener(
    place: Place,
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
    return {"name": name, "address": _address(place.host, place.port), "filter_chains": [chain]}


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


def _token_check(issuer: str) -> dict[str, Any]:
    """Bad tokens end here; which routes need one is the services' business, except for orders, which all do."""
    jwks = {
        "http_uri": {"uri": "http://users/.well-known/jwks.json", "cluster": "user-service", "timeout": "2s"},
        "cache_duration": "300s",
    }
    provider = {"issuer": issuer, "audiences": ["waybill"], "forward": True, "remote_jwks": jwks}
    either = {"requires_any": {"requirements": [{"provider_name": "users"}, {"allow_missing": {}}]}}
    rules = [
        {"match": {"path_separated_prefix": "/orders"}, "requires": {"provider_name": "users"}},
        {"match": {"path_separated_prefix": "/users"}, "requires": either},
        {"match": {"path_separated_prefix": "/products"}, "requires": either},
    ]
    kind = f"{TYPE}.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
    return _filter("envoy.filters.http.jwt_authn", kind, providers={"users": provider}, rules=rules)


def _tracing(edge: Edge) -> dict[str, Any]:
    endpoint = f"http://{edge.collector.host}:{edge.collector.port}/v1/traces"
    exporter = {"http_uri": {"uri": endpoint, "cluster": "otlp", "timeout": "2s"}}
    kind = f"{TYPE}.config.trace.v3.OpenTelemetryConfig"
    provider = {"@type": kind, "service_name": "gateway", "http_service": exporter}
    return {
        "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": provider},
        "random_sampling": {"value": 100 * edge.trace_ratio},
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


def _service(name: str, places: Sequence[Place]) -> dict[str, Any]:
    """Its HTTP processes; of several, one that drains says so on its probes' port."""
    cluster = _cluster(name, places)
    if len(places) > 1:
        check = {"path": "/readyz"}
        timing = {"timeout": "1s", "interval": "0.5s", "no_traffic_interval": "0.5s"}
        cluster["health_checks"] = [
            {**timing, "unhealthy_threshold": 1, "healthy_threshold": 1, "http_health_check": check}
        ]
    return cluster


def _cluster(name: str, places: Sequence[Place]) -> dict[str, Any]:
    return {
        "name": name,
        "type": "STATIC" if places[0].host[0].isdigit() else "STRICT_DNS",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [{"max_retries": MAX_RETRIES}]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [_endpoint(place) for place in places]}],
        },
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


def _endpoint(place: Place) -> dict[str, Any]:
    checked = {"health_check_config": {"port_value": place.probes}} if place.probes else {}
    return {"endpoint": {"address": _address(place.host, place.port), **checked}}


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
