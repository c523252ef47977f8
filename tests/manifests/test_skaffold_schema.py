"""skaffold.yaml against skaffold's own schema, which SKAFFOLD_SCHEMA names; collected only where that is set."""

import json
import os
from pathlib import Path

import jsonschema
import skaffold


def faults(config):
    schema = json.loads(Path(os.environ["SKAFFOLD_SCHEMA"]).read_text())
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(config)]


def test_the_file_is_what_skaffold_reads():
    assert faults(skaffold.load()) == []


def test_a_misspelt_field_is_noticed():
    config = skaffold.load()
    config["build"]["artifacts"][0]["sinc"] = config["build"]["artifacts"][0].pop("sync")
    assert faults(config) != []
