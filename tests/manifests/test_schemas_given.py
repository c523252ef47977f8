"""Without the schemas a run says what it leaves out, and in CI it does not pass for a whole one."""

from schemas_given import missing, refused, said

ALL = {"CRD_DIR": "crds", "SKAFFOLD_SCHEMA": "schema.json"}


def test_with_everything_given_nothing_is_said():
    assert (missing(ALL), said(ALL), refused(ALL | {"CI": "true"})) == ({}, None, None)


def test_what_is_left_out_is_said_in_one_sentence():
    assert said({"SKAFFOLD_SCHEMA": "schema.json"}) == (
        "CRD_DIR not set: test_custom_kinds.py not collected, what they judge is unchecked."
    )


def test_a_laptop_may_leave_it_out_and_ci_may_not():
    assert refused({}) is None
    assert refused({"CI": "true"}) == "CI is set and CRD_DIR and SKAFFOLD_SCHEMA not: set them too"
