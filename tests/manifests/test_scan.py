"""What the scan objects to: a failure that no line allows, a line that nothing needs, a line without a reason."""

import subprocess
import sys

import yaml
from scan import ALLOWED, Failure, objections

FOUND = Failure("CKV_K8S_43", "Deployment.waybill.collector", "Image should use digest")
LINE = {"check": "CKV_K8S_43", "resource": "Deployment.waybill.*", "reason": "somebody else's image"}


def test_a_failure_with_a_reason_is_allowed():
    assert objections([FOUND], [LINE]) == []


def test_a_failure_without_a_line_is_objected_to():
    assert objections([FOUND], []) == ["Deployment.waybill.collector fails CKV_K8S_43: Image should use digest"]


def test_a_failure_elsewhere_is_objected_to():
    other = FOUND._replace(resource="DaemonSet.logging.fluent-bit")
    assert objections([FOUND, other], [LINE]) == [
        "DaemonSet.logging.fluent-bit fails CKV_K8S_43: Image should use digest"
    ]


def test_a_line_that_nothing_needs_is_objected_to():
    assert "any more" in objections([], [LINE])[0]


def test_a_line_without_a_reason_is_objected_to():
    assert "no reason" in objections([FOUND], [LINE | {"reason": " "}])[0]


def test_the_list_says_which_check_of_what_and_why():
    for line in yaml.safe_load(ALLOWED.read_text()):
        assert set(line) == {"check", "resource", "reason"}


def test_a_scanner_that_is_not_there_is_said_in_one_sentence(root):
    command = [sys.executable, root / "tests/manifests/scan.py", root / "no-checkov"]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr.startswith("scan: ")
    assert refused.stderr.count("\n") == 1
