"""skaffold.yaml: every path, image, argument, stage, hook, port and glob that it names is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import skaffold
import yaml

from rules import dockerfiles
from rules.objects import NAMESPACE, SERVICES, Document, Sentences, containers, matches, of, template, title, workloads

SUITE = "waybill-e2e"
OURS = {*SERVICES, SUITE}
SELECTOR = re.compile(r"delete job -l (\S+)=(\S+)")


class Development(NamedTuple):
    """One profile: its configuration and what it renders, in a repository."""

    profile: str
    config: dict[str, Any]
    documents: list[Document]
    root: Path


def _built(case: Development) -> list[tuple[dict[str, Any], dockerfiles.Dockerfile]]:
    """Every artifact whose Dockerfile is there, and that."""
    found = [(one, case.root / one["docker"]["dockerfile"]) for one in skaffold.artifacts(case.config)]
    return [(one, dockerfiles.read(file)) for one, file in found if file.is_file()]


def paths_exist(case: Development) -> Sentences:
    """Dockerfiles, contexts, kustomizations and manifests."""
    places = [one["docker"]["dockerfile"] for one in skaffold.artifacts(case.config)]
    places += [one.get("context", ".") for one in skaffold.artifacts(case.config)]
    places += [f"{folder}/kustomization.yaml" for folder in skaffold.folders(case.config)]
    places += [manifest for _, manifest in _verified(case)]
    return [f"{case.profile}: {place} is not there" for place in places if not (case.root / place).exists()]


def _verified(case: Development) -> Iterator[tuple[dict[str, Any], str]]:
    """(container, manifest's path) of every verify test."""
    for one in case.config.get("verify", ()):
        yield one["container"], one["executionMode"]["kubernetesCluster"]["jobManifestPath"]


def what_runs_is_built(case: Development) -> Sentences:
    """Production takes what its digests name and builds nothing; everywhere else ours is built under its full name."""
    built = {one["image"] for one in skaffold.artifacts(case.config)}
    if case.profile == "production":
        return [f"production builds {image}" for image in sorted(built)]
    run = {re.split("[:@]", box["image"])[0] for one in workloads(case.documents) for box in containers(one)}
    run = {image for image in run if image.rsplit("/")[-1] in OURS} | {box["image"] for box, _ in _verified(case)}
    missing = [f"{case.profile}: {image} runs and nothing builds it" for image in sorted(run - built)]
    return missing + [f"{case.profile}: {image} is built and never run" for image in sorted(built - run)]


def stages_exist(case: Development) -> Sentences:
    """And only the profiles of a laptop build the stage that reloads."""
    wrong = []
    for one, dockerfile in _built(case):
        target = one["docker"].get("target")
        if target is not None and target not in dockerfile.stages:
            wrong.append(f"{case.profile}: {one['image']} is built to {target}, which is no stage")
        if "target" in one["docker"] and (target == "dev") is not (case.profile == skaffold.DEFAULT):
            wrong.append(f"{case.profile}: {one['image']} is built to {target}")
    return wrong


def build_arguments_exist(case: Development) -> Sentences:
    """Those that are given are asked for, and SERVICE is a service."""
    wrong = []
    for one, dockerfile in _built(case):
        given = one["docker"].get("buildArgs", {})
        unasked = sorted(set(given) - set(dockerfile.arguments))
        wrong += [f"{case.profile}: {one['image']} gives {name} for nothing" for name in unasked]
        if "SERVICE" in dockerfile.arguments and given.get("SERVICE") != one["image"].rsplit("/")[-1]:
            wrong.append(f"{case.profile}: {one['image']} is built of {given.get('SERVICE')}")
    return wrong


def globs_match(case: Development) -> Sentences:
    """A glob without files copies nothing, and each edit builds anew."""
    wrong = []
    for one in skaffold.artifacts(case.config):
        hit = [rule for rule, _, _ in skaffold.copied(one, case.root)]
        idle = [rule["src"] for rule in one.get("sync", {}).get("manual", ()) if rule not in hit]
        wrong += [f"{case.profile}: {one['image']}: {glob} matches no file" for glob in idle]
    return wrong


def copies_land_where_the_image_has_them(case: Development) -> Sentences:
    """Beside it, the process would go on with the old file."""
    wrong = set()
    for one, dockerfile in _built(case):
        for rule, file, place in skaffold.copied(one, case.root):
            if place not in dockerfiles.placed(dockerfile, file, one["docker"].get("buildArgs", {})):
                wrong.add(f"{case.profile}: {one['image']}: {rule['src']} lands in {rule['dest']}, beside the image's")
    return sorted(wrong)


def hooks_can_run(case: Development) -> Sentences:
    """`make TARGET` needs the target, and kubectl the context that skaffold deploys to."""
    targets = set(re.findall(r"(?m)^([a-z0-9-]+):", (case.root / "Makefile").read_text()))
    wrong = []
    for line in skaffold.hooks(case.config):
        wanted = set(re.findall(r"\bmake (\S+)", line))
        wrong += [f"{case.profile}: make {name} is no target" for name in sorted(wanted - targets)]
        if "$SKAFFOLD_KUBE_CONTEXT" not in line:
            wrong.append(f"{case.profile}: {line} works on whatever context is current")
    return wrong


def jobs_are_deleted_first(case: Development) -> Sentences:
    """Their templates cannot be changed, and skaffold labels each run's anew."""
    marks = [found for line in skaffold.hooks(case.config) for found in SELECTOR.findall(line)]
    selectors = [{"matchLabels": {key: value}} for key, value in marks]
    return [
        f"{case.profile}: {title(one)} is not deleted before it is applied"
        for one in of(case.documents, "Job")
        if not any(matches(selector, one["metadata"].get("labels", {})) for selector in selectors)
    ]


def forwards_lead_to_a_service(case: Development) -> Sentences:
    """By name and port."""
    services = of(case.documents, "Service")
    ports = {(one["metadata"]["name"], port["port"]) for one in services for port in one["spec"]["ports"]}
    return [
        f"{case.profile}: there is no Service {one['resourceName']}:{one['port']} to forward to"
        for one in case.config.get("portForward", ())
        if (one["resourceName"], one["port"]) not in ports or one["namespace"] != NAMESPACE
    ]


def verify_keeps_the_jobs_container(case: Development) -> Sentences:
    """skaffold keeps the manifest's container of the same name, and the namespace that it states or the context's."""
    wrong = []
    for container, path in _verified(case):
        if not (case.root / path).is_file():
            continue
        job = yaml.safe_load((case.root / path).read_text())
        if container["name"] not in [one["name"] for one in template(job)["spec"]["containers"]]:
            wrong.append(f"{case.profile}: {path} has no container {container['name']}, so its mounts would be lost")
        if job["metadata"].get("namespace") != NAMESPACE:
            wrong.append(f"{case.profile}: {path} states no namespace, so it runs in the context's")
    return wrong


def a_profile_is_its_overlay(case: Development) -> Sentences:
    """Profile staging applies overlay staging, last."""
    last = skaffold.folders(case.config)[-1]
    return [] if last == f"kustomize/overlays/{case.profile}" else [f"{case.profile}: it applies {last} last"]


RULES = (
    a_profile_is_its_overlay,
    build_arguments_exist,
    copies_land_where_the_image_has_them,
    forwards_lead_to_a_service,
    globs_match,
    hooks_can_run,
    jobs_are_deleted_first,
    paths_exist,
    stages_exist,
    verify_keeps_the_jobs_container,
    what_runs_is_built,
)
