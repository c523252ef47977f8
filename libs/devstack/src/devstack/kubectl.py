"""kubectl, bound to one context and the namespace `waybill`; the binary is the locked wheel's.

KUBECONFIG says where contexts are, KUBE_CONTEXT which one is meant (default: the current one). Only contexts are taken
whose names say that they are for trying things out; KUBE_CONTEXT_ALLOWED names one more.
"""

import json
import os
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Self

from devstack.errors import StageError

NAMESPACE = "waybill"
ALLOWED = ("kind-*", "k3d-*", "minikube", "waybill-*")
BINARY = Path(sys.executable).with_name("kubectl")


class Refused(StageError):
    """kubectl did not do what it was asked; the text is what it said."""


class Kubectl:
    """Runs kubectl in `context`, and in `namespace` unless the arguments say otherwise."""

    def __init__(self, context: str, namespace: str = NAMESPACE) -> None:
        self._context = context
        self._prefix = [str(BINARY), "--context", context, "--namespace", namespace]

    @classmethod
    def chosen(cls) -> Self:
        """For the context that the environment chooses; raises StageError when it must not be used."""
        context = os.environ.get("KUBE_CONTEXT") or _current_context()
        if not any(fnmatch(context, pattern) for pattern in (*ALLOWED, os.environ.get("KUBE_CONTEXT_ALLOWED", ""))):
            raise StageError(
                f"the context {context!r} is none of {', '.join(ALLOWED)}; if it may be used for tests, "
                f"say KUBE_CONTEXT_ALLOWED={context}"
            )
        return cls(context)

    def within(self, namespace: str) -> Self:
        """The same context, another namespace."""
        return type(self)(self._context, namespace)

    def command(self, *arguments: str) -> list[str]:
        """The command line, for whoever runs it in the background."""
        return [*self._prefix, *arguments]

    def run(self, *arguments: str, given: str | None = None) -> str:
        """Standard output; raises Refused."""
        done = self.tried(*arguments, given=given)
        if done.returncode:
            raise Refused(f"kubectl {' '.join(arguments[:3])}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def tried(self, *arguments: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Whatever became of it."""
        return subprocess.run(self.command(*arguments), input=given, capture_output=True, text=True, check=False)

    def get(self, *arguments: str) -> Any:
        """`kubectl get .. -o json`."""
        return json.loads(self.run("get", *arguments, "-o", "json"))

    def exists(self, *arguments: str) -> bool:
        """Whether `kubectl get ..` finds it."""
        return bool(self.run("get", *arguments, "--ignore-not-found", "-o", "name").strip())


def _current_context() -> str:
    done = subprocess.run([str(BINARY), "config", "current-context"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StageError("there is no Kubernetes context; set KUBECONFIG, and KUBE_CONTEXT to choose one of several")
    return done.stdout.strip()
