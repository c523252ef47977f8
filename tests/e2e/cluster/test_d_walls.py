"""The network's walls: who has no label reaches nothing, and each service reaches its own database only."""

import pytest

TARGETS = ("orders-db:5432", "users-db:5432", "inventory-db:5432", "kafka:9092", "order-service:80", "user-service:80")
KNOCK = (
    "import socket, sys\n"
    "for place in sys.argv[1:]:\n"
    "    host, port = place.split(':')\n"
    "    try:\n"
    "        socket.create_connection((host, int(port)), timeout=3).close()\n"
    "    except OSError:\n"
    "        continue\n"
    "    print(place)"
)


@pytest.fixture
def reached(kubectl, pod):
    """Of these places, those that accept a connection from inside a pod."""

    def knock(name, *places):
        return set(kubectl.run("exec", name, "--", "python", "-c", KNOCK, *places).split())

    return knock


def sleeping(kubectl, pod, name, labels):
    pod(name, ["sleep", "300"], labels)
    kubectl.run("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")
    return name


def test_a_stranger_reaches_no_database_no_broker_and_no_service(kubectl, pod, reached):
    assert reached(sleeping(kubectl, pod, "stranger", {"app": "stranger"}), *TARGETS) == set()


def test_who_carries_the_suites_label_reaches_databases_and_broker_only(kubectl, pod, reached):
    suite = sleeping(kubectl, pod, "suite", {"app.kubernetes.io/name": "waybill-e2e"})
    assert reached(suite, *TARGETS) == {"orders-db:5432", "users-db:5432", "inventory-db:5432", "kafka:9092"}


@pytest.mark.parametrize(
    ("deployment", "allowed"),
    [
        ("user-service-api", {"users-db:5432"}),
        ("user-service-worker", {"users-db:5432", "kafka:9092"}),
        ("inventory-service-api", {"inventory-db:5432", "user-service:80"}),
        ("inventory-service-worker", {"inventory-db:5432", "kafka:9092"}),
        ("order-service-api", {"orders-db:5432", "user-service:80"}),
        ("order-service-worker", {"orders-db:5432", "kafka:9092"}),
    ],
)
def test_a_process_reaches_what_it_needs_and_nothing_else(reached, deployment, allowed):
    assert reached(f"deployment/{deployment}", *TARGETS) == allowed
