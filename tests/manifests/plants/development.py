"""Planted in skaffold.yaml: each edits a copy of its configuration, in one profile."""

from collections.abc import Callable
from typing import Any, NamedTuple

import skaffold
from rules import development
from rules.development import Development

Edit = Callable[[dict[str, Any]], None]


class Plant(NamedTuple):
    """What is wrong, in which profile it shows, and whose work it is to notice."""

    rule: Callable[[Development], list[str]]
    edit: Edit
    profile: str = skaffold.DEFAULT


def put(path: str, value: Any) -> Edit:
    """Set a field; `profiles` are found by number too."""

    def edit(config: dict[str, Any]) -> None:
        *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
        holder: Any = config
        for step in steps:
            holder = holder[step]
        holder[last] = value

    return edit


ANOTHER = ["kustomize/overlays/staging", "kustomize/base"]
SUITE = {"image": "waybill-e2e", "docker": {"dockerfile": "tests/e2e/Dockerfile"}}
BUILDING = {"op": "replace", "path": "/build/artifacts", "value": [SUITE]}
ARTIFACT = "build.artifacts.0"
HOOK = "deploy.kubectl.hooks.before.0.host.command"
SECRETS = "KUBE_CONTEXT=$SKAFFOLD_KUBE_CONTEXT make secrts"
NOTHING = "echo $SKAFFOLD_KUBE_CONTEXT"
BLIND = "kubectl -n waybill delete job -l app.kubernetes.io/component=migrate"
PLANTS = (
    Plant(development.paths_exist, put(f"{ARTIFACT}.docker.dockerfile", "services/order-service/Dockerfile")),
    Plant(development.paths_exist, put("build.artifacts.3.context", "tests/e3e")),
    Plant(development.stages_exist, put(f"{ARTIFACT}.docker.target", "develop")),
    Plant(development.stages_exist, put("profiles.0.patches.0.value", "dev"), "local"),
    Plant(development.build_arguments_exist, put(f"{ARTIFACT}.docker.buildArgs.SERVISE", "order-service")),
    Plant(development.globs_match, put(f"{ARTIFACT}.sync.manual.1.src", "libs/contract/src/**/*.py")),
    Plant(development.copies_land_where_the_image_has_them, put(f"{ARTIFACT}.sync.manual.0.strip", "")),
    Plant(development.copies_land_where_the_image_has_them, put(f"{ARTIFACT}.sync.manual.1.dest", "/app/libs")),
    Plant(development.hooks_can_run, put(HOOK, ["sh", "-c", SECRETS])),
    Plant(development.hooks_can_run, put("deploy.kubectl.hooks.before.1.host.command", ["sh", "-c", BLIND])),
    Plant(development.jobs_are_deleted_first, put("deploy.kubectl.hooks.before.2.host.command", ["sh", "-c", NOTHING])),
    Plant(development.forwards_lead_to_a_service, put("portForward.0.port", 80)),
    Plant(development.verify_keeps_the_jobs_container, put("verify.0.container.name", "waybill-e2e")),
    Plant(
        development.a_profile_is_its_overlay,
        put("profiles.1.manifests.kustomize.paths", ANOTHER),
        "staging",
    ),
    Plant(development.what_runs_is_built, put("build.artifacts.3.image", "waybill-e3e")),
    Plant(development.what_runs_is_built, put("profiles.2.patches.0", BUILDING), "production"),
)
