"""Every promised combination renders, and every rule holds in it.

One test per combination and scope: what is broken is said in sentences, each behind the name of its rule.
"""

import pytest
from rendering import BASE, OVERLAYS, added, configs
from rules import ANYWHERE, COMPLETE, NOT_DEV, OPERATED, OVERLAY, PRODUCTION, WHOLE
from rules.network import peers
from rules.schemas import core_kinds_have_known_fields, is_built_in
from rules.topics import every_topic

from devstack import topics

APPLIED = [*OVERLAYS, *added()]
EVERYTHING = [BASE, *APPLIED, *configs()]
BEHIND_OPERATORS = [one for one in OVERLAYS if one.name in ("staging", "production")]
RELEASED = [one for one in OVERLAYS if one.name == "production"]
FIT_TO_RUN = [one for one in APPLIED if "dev" not in one.name.split("+")]


def each(combinations):
    return pytest.mark.parametrize("name", [one.name for one in combinations])


def hold(rules, documents):
    broken = [f"{rule.__name__}: {sentence}" for rule in rules for sentence in rule(documents)]
    assert not broken, "\n" + "\n".join(broken)


@each(EVERYTHING)
def test_it_renders_and_is_not_empty(renderings, name):
    assert renderings.alone(name)


@each(EVERYTHING)
def test_core_kinds_have_known_fields_in_three_minors(renderings, name):
    hold([core_kinds_have_known_fields], renderings.alone(name))


def test_the_base_applies_to_a_cluster_without_any_crd(renderings):
    assert [one["kind"] for one in renderings.alone("base") if not is_built_in(one)] == []


@each(EVERYTHING)
def test_it_is_sound(renderings, name):
    hold(ANYWHERE, renderings.alone(name))


@each([*APPLIED, *configs()])
def test_its_containers_are_complete(renderings, name):
    hold(COMPLETE, renderings.alone(name))


@each(APPLIED)
def test_it_brings_what_it_needs(renderings, name):
    hold(OVERLAY, renderings.alone(name))


@each(APPLIED)
def test_it_fits_what_stands_beside_it(renderings, name):
    hold(WHOLE, renderings.whole(name))


@each(FIT_TO_RUN)
def test_it_writes_nothing_into_its_images(renderings, name):
    hold(NOT_DEV, renderings.alone(name))


@each(BEHIND_OPERATORS)
def test_somebody_makes_every_secret(renderings, name):
    hold(OPERATED, renderings.whole(name))


@each(RELEASED)
def test_it_is_fit_for_production(renderings, name):
    hold(PRODUCTION, renderings.whole(name))


def test_every_peer_of_a_policy_is_somebody_somewhere(renderings):
    wholes = [peers(renderings.whole(one.name)) for one in APPLIED]
    known = {peer for whole in wholes for peer, meant in whole.items() if meant}
    assert {peer for whole in wholes for peer in whole} - known == set()


def test_a_plain_broker_gets_the_topics_of_contracts():
    assert {topic.name: topic for topic in topics.every_topic()} == every_topic()
