"""Kafka's objects against contracts: the topics as they are there, and each user's rights, least and complete."""

from contracts import GROUPS, SUBSCRIPTIONS, TOPICS, Topic, dead_letters
from contracts.schemas import SENDERS
from rules.objects import SERVICES, Document, Documents, Sentences, containers, of, title

Rights = set[tuple[str, str, str]]
"""(kind of resource, its name, operation)."""


def every_topic() -> dict[str, Topic]:
    """The contracts' topics and each group's dead letters, by name."""
    return {topic.name: topic for topic in [*TOPICS, *(dead_letters(group) for group in GROUPS)]}


def topic_name(document: Document) -> str:
    """Of a KafkaTopic, as the broker knows it."""
    return document["spec"].get("topicName", document["metadata"]["name"])


def topics_are_those_of_contracts(documents: Documents) -> Sentences:
    """All of them or, where Kafka's objects are not part of a rendering, none."""
    found = [topic_name(one) for one in of(documents, "KafkaTopic")]
    if not found and not of(documents, "KafkaUser"):
        return []
    wrong = [f"no KafkaTopic makes {name}" for name in sorted(set(every_topic()) - set(found))]
    return wrong + [f"KafkaTopic {name} is not in contracts" for name in sorted(set(found) - set(every_topic()))]


def topics_are_made_as_contracts_say(documents: Documents) -> Sentences:
    """Partitions and settings; replicas are the broker's default, so that one file fits every cluster."""
    wrong = []
    for one in of(documents, "KafkaTopic"):
        if (topic := every_topic().get(topic_name(one))) is None:
            continue
        spec = one["spec"]
        settings = {key: str(value) for key, value in spec.get("config", {}).items()}
        if (spec.get("partitions"), settings) != (topic.partitions, dict(topic.config)):
            wrong.append(
                f"{title(one)} has {spec.get('partitions')} partitions and {settings}, contracts say otherwise"
            )
        if "replicas" in spec:
            wrong.append(f"{title(one)} states replicas, which are the broker's default")
    return wrong


def rights(user: str) -> Rights:
    """What a user's code does: read what it subscribes to and commit, write what it sends and its dead letters."""
    reads, groups = SUBSCRIPTIONS.get(user, ()), {user} & set(GROUPS)
    if user == "auditor":
        reads, groups = TOPICS, set()
    writes = [topic.name for topic in SENDERS.get(user, ())] + [dead_letters(group).name for group in groups]
    granted = {("topic", topic.name, "Read") for topic in reads} | {("topic", name, "Write") for name in writes}
    granted |= {("group", group, "Read") for group in groups}
    return granted | (_lag() if user == "keda" else _standing() if user == "auditor" else set())


def _lag() -> Rights:
    """KEDA compares where a topic ends with where its group stands."""
    return _standing() | {("topic", topic.name, "Describe") for read in SUBSCRIPTIONS.values() for topic in read}


def _standing() -> Rights:
    return {("group", group, "Describe") for group in GROUPS}


def granted(user: Document) -> Rights:
    """What a KafkaUser may do; a pattern is not a name."""
    found = user["spec"].get("authorization", {}).get("acls", ())
    return {
        (one["resource"]["type"], _pattern(one["resource"]), operation)
        for one in found
        for operation in one.get("operations", ["All"])
    }


def _pattern(resource: Document) -> str:
    return resource.get("name", "*") + ("*" if resource.get("patternType", "literal") != "literal" else "")


def rights_suffice(documents: Documents) -> Sentences:
    """A right that is missing stops a worker with the first record."""
    return [
        f"{title(one)} may not {operation} {kind} {name}"
        for one in of(documents, "KafkaUser")
        for kind, name, operation in sorted(rights(one["metadata"]["name"]) - granted(one))
    ]


def rights_do_not_exceed(documents: Documents) -> Sentences:
    """Describe comes with Read and Write anyway, so that stating it is no excess."""
    wrong = []
    for one in of(documents, "KafkaUser"):
        wanted = rights(one["metadata"]["name"])
        implied = {(kind, name, "Describe") for kind, name, _ in wanted}
        excess = sorted(granted(one) - wanted - implied)
        wrong += [f"{title(one)} may {operation} {kind} {name} for nothing" for kind, name, operation in excess]
    return wrong


def everybody_has_a_user(documents: Documents) -> Sentences:
    """Where topics are Strimzi's, so are the users: one per service, auditor and KEDA, by certificate."""
    if not of(documents, "KafkaTopic"):
        return []
    users = {one["metadata"]["name"]: one for one in of(documents, "KafkaUser")}
    missing = sorted({*SERVICES, "auditor", "keda"} - set(users))
    plain = [title(one) for one in users.values() if one["spec"].get("authentication", {}).get("type") != "tls"]
    return [f"no KafkaUser {name}" for name in missing] + [
        f"{who} does not authenticate by certificate" for who in plain
    ]


def lite_makes_the_contracts_topics(documents: Documents) -> Sentences:
    """A plain broker gets its topics from a Job that runs devstack's own list, which a test holds to contracts."""
    if not any(one["metadata"]["name"] == "kafka" for one in of(documents, "Deployment")):
        return []
    commands = [tuple(box.get("command", ())) for one in of(documents, "Job") for box in containers(one)]
    makes = any(command[:3] == ("python", "-m", "devstack.topics") for command in commands)
    return [] if makes else ["Kafka is a plain Deployment and no Job runs devstack.topics"]
