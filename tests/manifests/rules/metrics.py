"""What is asked of Prometheus: metrics that the code exports or a rule records, and alerts that say what to do."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rules.objects import Documents, Sentences, of, title

ROOT = Path(__file__).parents[3]
RUNBOOK = ROOT / "kustomize/components/monitoring/runbook.md"
MADE = re.compile(r"\b(Counter|Gauge|Histogram)\(\s*\"([a-z_]+)\"")
PROMETHEUS_ITSELF = {"up"}
LISTS = r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
STRING = re.compile(r"\"[^\"]*\"")
NOT_A_NAME = re.compile(rf"\{{[^}}]*\}}|\[[^]]*\]|{LISTS}|\b(and|or|unless|bool|offset)\b")
NAME = re.compile(rf"\"[^\"]*\"|\{{[^}}]*\}}|\[[^]]*\]|{LISTS}|\b(and|or|unless|bool|offset)\b")
NAME = re.compile(
    r"\"[^\"]*\"|\{[^}]*\}|\[[^]]*\]|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\b(and|or|unless|bool|offset)\b"
)
NAME = re.compile(r"(?<![\w:.])([a-zA-Z_:][\w:]*)(?!\s*\(|[\w:])")


@cache
def exported() -> frozenset[str]:
    """Every series of the services, a histogram's three included."""
    found = set()
    for file in [*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]:
        for kind, name in MADE.findall(file.read_text()):
            found |= {name + suffix for suffix in (("_bucket", "_sum", "_count") if kind == "Histogram" else ("",))}
    return frozenset(found)


def asked(expression: str) -> set[str]:
    """The series that a PromQL expression names: what is left without strings, labels, ranges and functions."""
    return set(NAME.findall(NOT_A_NAME.sub(" ", STRING.sub(" ", expression))))


def metrics_are_exported(documents: Documents) -> Sentences:
    """A series that nobody has raises no alert, and a metric that never comes keeps an autoscaler from scaling down."""
    recorded = {rule["record"] for _, rule in _rules(documents) if "record" in rule}
    known = exported() | recorded | PROMETHEUS_ITSELF
    questions = [*_questions(documents)]
    return [
        f"{who} asks for {name}, which nobody exports" for who, names in questions for name in sorted(names - known)
    ]


def _rules(documents: Documents) -> Iterator[tuple[str, dict]]:
    for one in of(documents, "PrometheusRule"):
        for group in one["spec"]["groups"]:
            yield from ((title(one), rule) for rule in group["rules"])


def _questions(documents: Documents) -> Iterator[tuple[str, set[str]]]:
    """(who asks, the series) of rules, triggers and autoscalers."""
    yield from ((who, asked(str(rule["expr"]))) for who, rule in _rules(documents))
    for one in of(documents, "ScaledObject"):
        queries = [trigger["metadata"].get("query", "") for trigger in one["spec"]["triggers"]]
        yield title(one), {name for query in queries for name in asked(query)}
    for one in of(documents, "HorizontalPodAutoscaler"):
        yield title(one), {metric["pods"]["metric"]["name"] for metric in one["spec"]["metrics"] if "pods" in metric}


def alerts_say_what_to_do(documents: Documents) -> Sentences:
    """A summary, and a paragraph of the runbook that is there."""
    headings = set(re.findall(r"(?m)^## (\S+)$", RUNBOOK.read_text()))
    alerts = [(rule["alert"], rule.get("annotations", {})) for _, rule in _rules(documents) if "alert" in rule]
    lost = [name for name, said in alerts if said.get("runbook_url", "").rpartition("#")[2] not in headings]
    silent = [name for name, said in alerts if not said.get("summary")]
    return [f"alert {name} leads to no paragraph of the runbook" for name in lost] + [
        f"alert {name} has no summary" for name in silent
    ]
