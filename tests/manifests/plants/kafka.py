"""Planted in topics and rights."""

from rules import topics

from plants import Plant, append, cut, gone, put

ORDERS = ("KafkaUser", "order-service")
EVERYTHING = {"resource": {"type": "topic", "name": "user-events", "patternType": "literal"}, "operations": ["Write"]}
PREFIX = {"resource": {"type": "topic", "name": "order-", "patternType": "prefix"}, "operations": ["Read"]}

PLANTS = (
    Plant(topics.topics_are_those_of_contracts, gone("KafkaTopic", "user-events")),
    Plant(topics.topics_are_those_of_contracts, put("KafkaTopic", "user-events", "spec.topicName", "user-event")),
    Plant(topics.topics_are_made_as_contracts_say, put("KafkaTopic", "order-events", "spec.partitions", 6)),
    Plant(
        topics.topics_are_made_as_contracts_say,
        put("KafkaTopic", "user-events", "spec.config.cleanup~policy", "delete"),
    ),
    Plant(topics.lite_makes_the_contracts_topics, gone("Job", "topics"), "local"),
    Plant(topics.everybody_has_a_user, put("KafkaUser", "auditor", "spec.authentication.type", "scram-sha-512")),
    Plant(topics.rights_suffice, cut(*ORDERS, "spec.authorization.acls.0")),
    Plant(topics.rights_do_not_exceed, append(*ORDERS, "spec.authorization.acls", EVERYTHING)),
    Plant(topics.rights_do_not_exceed, append(*ORDERS, "spec.authorization.acls", PREFIX)),
)
