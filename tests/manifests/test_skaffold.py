"""skaffold.yaml: each profile keeps every rule, and each rule notices what is planted for it."""

import subprocess
import sys
from copy import deepcopy

import pytest
import skaffold
import yaml
from plants import changed, said
from plants.development import PLANTS
from rendering import OVERLAYS
from rules import containers, references
from rules.development import RULES, Development
from rules.schemas import core_kinds_have_known_fields

CONFIG = skaffold.load()
PROFILES = skaffold.profiles(CONFIG)
NAMES = {one.folder: one.name for one in OVERLAYS}


@pytest.fixture
def case(root, renderings):
    """Makes the case of a profile of a configuration."""

    def made(config, name):
        found = skaffold.effective(config, name)
        names = [NAMES.get(folder, folder.removeprefix("deploy/")) for folder in skaffold.folders(found)]
        documents = [one for known in names if known in renderings for one in renderings.alone(known)]
        return Development(name, found, documents, root)

    return made


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_keeps_the_rules(case, name):
    subject = case(CONFIG, name)
    assert [sentence for rule in RULES for sentence in rule(subject)] == []


def test_there_is_a_profile_for_each_overlay(root):
    overlays = {file.parent.name for file in root.glob("kustomize/overlays/*/kustomization.yaml")}
    assert set(PROFILES) == overlays


def test_every_rule_has_a_plant():
    assert {plant.rule for plant in PLANTS} == set(RULES)


@pytest.mark.parametrize("plant", [pytest.param(p, id=f"{n}-{p.rule.__name__}") for n, p in enumerate(PLANTS)])
def test_a_planted_defect_is_noticed_by_its_rule_alone(case, plant):
    config = deepcopy(CONFIG)
    plant.edit(config)
    before, after = (said(case(one, plant.profile), RULES) for one in (CONFIG, config))
    assert changed(before, after) == {plant.rule.__name__}


def test_a_dry_run_says_what_would_be_done(root):
    command = [sys.executable, root / "tests/manifests/skaffold.py", "staging"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "build registry.example.com/waybill/order-service from services/Dockerfile target runtime" in shown
    assert "apply kustomize/overlays/staging" in shown


def test_a_dry_run_of_a_profile_that_is_not_there_is_refused(root):
    command = [sys.executable, root / "tests/manifests/skaffold.py", "stagign"]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "stagign is no profile" in refused.stderr


def test_the_suites_job_may_run_where_the_services_run(root, renderings):
    job = yaml.safe_load((root / "tests/e2e/job.yaml").read_text())
    rules = (
        core_kinds_have_known_fields,
        *containers.OF_A_JOB,
        references.named_secrets_exist,
        references.keys_of_secrets_exist,
    )
    assert [sentence for rule in rules for sentence in rule([job])] == []
    assert references.priorities_exist([job, *renderings.alone("configs/lite")]) == []
