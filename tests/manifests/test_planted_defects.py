"""Each rule notices what is planted for it, no other rule does, and no rule is without a plant."""

import shutil
from copy import deepcopy

import pytest
from plants import changed, kafka, network, references, said, scaling, sources, workloads
from rules import ANYWHERE, COMPLETE, NOT_DEV, OPERATED, OVERLAY, PRODUCTION, SOURCES, WHOLE
from rules.dockerfiles import FILES, copied
from rules.schemas import core_kinds_have_known_fields

EVERYWHERE = (core_kinds_have_known_fields, *ANYWHERE, *COMPLETE, *OVERLAY, *WHOLE, *NOT_DEV)
IN_PRODUCTION = (*OPERATED, *PRODUCTION)
JUDGED = ("kustomize", "deploy", ".dockerignore", *FILES)
PLANTS = [plant for nouns in (kafka, network, references, scaling, workloads) for plant in nouns.PLANTS]


def named(plants):
    return [pytest.param(plant, id=f"{number}-{plant.rule.__name__}") for number, plant in enumerate(plants)]


@pytest.fixture(scope="module")
def sound(renderings):
    """Combination -> what each rule says before anything is planted."""
    return {
        name: said(renderings.whole(name), rules_of(name)) for name in sorted({plant.combination for plant in PLANTS})
    }


def rules_of(combination):
    return EVERYWHERE + (IN_PRODUCTION if combination == "production" else ())


def test_every_rule_has_a_plant():
    assert {plant.rule for plant in PLANTS} == {*EVERYWHERE, *IN_PRODUCTION}
    assert {plant.rule for plant in sources.PLANTS} == set(SOURCES)


@pytest.mark.parametrize("plant", named(PLANTS))
def test_a_planted_defect_is_noticed_by_its_rule_alone(renderings, sound, plant):
    documents = deepcopy(renderings.whole(plant.combination))
    plant.edit(documents)
    assert changed(sound[plant.combination], said(documents, rules_of(plant.combination))) == {plant.rule.__name__}


@pytest.fixture
def copy(root, tmp_path):
    for name in JUDGED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (root / name).is_dir() else shutil.copy)(root / name, tmp_path / name)
    for path in {path for file in FILES for path in copied(root / file)}:
        (tmp_path / path).mkdir(parents=True, exist_ok=True)
    return tmp_path


@pytest.mark.parametrize("plant", named(sources.PLANTS))
def test_a_defect_planted_in_a_file_is_noticed_by_its_rule_alone(copy, plant):
    before = said(copy, SOURCES)
    plant.edit(copy)
    assert changed(before, said(copy, SOURCES)) == {plant.rule.__name__}
