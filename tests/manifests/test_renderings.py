"""Every promised combination renders, and every rule holds in it."""

import pytest
from rendering import BASE, OVERLAYS, added, configs
from rules import ANYWHERE, COMPLETE, NOT_DEV, PRODUCTION, WHOLE
from rules.schemas import core_kinds_have_known_fields, is_built_in

APPLIED = [*OVERLAYS, *added()]
EVERYTHING = [BASE, *APPLIED, *configs()]


def named(one) -> str:
    return getattr(one, "name", None) or one.__name__


def cases(combinations, rules):
    return [pytest.param(one.name, rule, id=f"{one.name}-{rule.__name__}") for one in combinations for rule in rules]


@pytest.mark.parametrize("name", [one.name for one in EVERYTHING])
def test_it_renders_and_is_not_empty(renderings, name):
    assert renderings.alone(name)


@pytest.mark.parametrize("name", [one.name for one in EVERYTHING])
def test_core_kinds_have_known_fields_in_three_minors(renderings, name):
    assert core_kinds_have_known_fields(renderings.alone(name)) == []


def test_the_base_applies_to_a_cluster_without_any_crd(renderings):
    assert [one["kind"] for one in renderings.alone("base") if not is_built_in(one)] == []


@pytest.mark.parametrize(("name", "rule"), cases(EVERYTHING, ANYWHERE))
def test_anywhere(renderings, name, rule):
    assert rule(renderings.alone(name)) == []


@pytest.mark.parametrize(("name", "rule"), cases([*APPLIED, *configs()], COMPLETE))
def test_complete(renderings, name, rule):
    assert rule(renderings.alone(name)) == []


@pytest.mark.parametrize(("name", "rule"), cases(APPLIED, WHOLE))
def test_whole(renderings, name, rule):
    assert rule(renderings.whole(name)) == []


@pytest.mark.parametrize(("name", "rule"), cases([one for one in APPLIED if "dev" not in one.name.split("+")], NOT_DEV))
def test_anywhere_but_on_a_laptop(renderings, name, rule):
    assert rule(renderings.alone(name)) == []


@pytest.mark.parametrize(("name", "rule"), cases([one for one in OVERLAYS if one.name == "production"], PRODUCTION))
def test_production(renderings, name, rule):
    assert rule(renderings.whole(name)) == []
