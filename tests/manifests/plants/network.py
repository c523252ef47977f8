"""Planted in network policies, and in what the processes are told to reach."""

from rules import article, connections, network

from plants import Plant, append, cut, put

TO_ALL = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}

PLANTS = (
    Plant(
        article.paths_lead_to_their_service,
        put("Ingress", "waybill", "spec.rules.0.http.paths.0.path", "/order"),
        "ingress",
    ),
    Plant(article.paths_lead_to_their_service, put("Gateway", "waybill", "spec.listeners.1.hostname", "a.example")),
    Plant(connections.nothing_else_is_reachable, append("NetworkPolicy", "dns", "spec.egress", TO_ALL)),
    Plant(connections.nothing_else_is_reachable, append("NetworkPolicy", "dns", "spec.egress", {})),
    Plant(connections.nothing_else_is_reachable, put("NetworkPolicy", "orders-database", "spec.ingress", [{}])),
    Plant(
        connections.nothing_else_is_reachable,
        cut("NetworkPolicy", "worker-to-kafka", "spec.podSelector.matchLabels.app~kubernetes~io/component"),
        "local",
    ),
    Plant(connections.told_hosts_exist, put("ConfigMap", "order-service", "data.USERS_URL", "http://users-service")),
    Plant(connections.told_hosts_exist, put("ConfigMap", "order-service", "data.USERS_URL", "http://user-service:81")),
    Plant(
        connections.what_is_needed_is_reachable,
        put("NetworkPolicy", "order-service-database", "spec.egress.0.ports.0.port", 5433),
    ),
    Plant(
        connections.what_is_needed_is_reachable,
        put("NetworkPolicy", "worker-to-kafka", "spec.egress.0.ports.0.port", 9092),
    ),
    Plant(network.named_ports_are_somebodys, put("NetworkPolicy", "jaeger", "spec.ingress.1.ports.0.port", "gui")),
    Plant(
        network.peers_are_somebody,
        put(
            "NetworkPolicy",
            "jaeger",
            "spec.ingress.0.from.0.podSelector.matchLabels.app~kubernetes~io/name",
            "colector",
        ),
    ),
    Plant(
        network.policies_take_a_pod,
        put("NetworkPolicy", "collector-to-jaeger", "spec.podSelector.matchLabels.app~kubernetes~io/name", "colector"),
    ),
)
