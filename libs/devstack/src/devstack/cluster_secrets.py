"""The Secrets of a cluster for trying things out: made once, in the cluster, by `make secrets`; nothing touches a disk.

Elsewhere the component `external-secrets` brings the same names and keys from a vault.
"""

import json
import sys
from collections.abc import Mapping

from devstack import credentials
from devstack.errors import StageError
from devstack.kubectl import NAMESPACE, Kubectl
from devstack.layout import DATABASES


def wanted() -> dict[str, dict[str, str]]:
    """Secret -> key -> a fresh value."""
    databases = {f"{s}-db": {"username": name, "password": credentials.password()} for s, name in DATABASES.items()}
    name, pem = credentials.signing_key()
    return {
        **databases,
        "user-service-signing-keys": {name: pem.decode()},
        "user-service-admin": {"password": credentials.password()},
    }


def make(kubectl: Kubectl) -> list[str]:
    """Create the namespace and what is missing in it; returns the names of what was created."""
    if not kubectl.exists("namespace", NAMESPACE):
        kubectl.run("create", "namespace", NAMESPACE)
    missing = {name: values for name, values in wanted().items() if not kubectl.exists("secret", name)}
    for name, values in missing.items():
        kubectl.run("create", "-f", "-", given=_manifest(name, values))
    return list(missing)


def _manifest(name: str, values: Mapping[str, str]) -> str:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}
    return json.dumps(body)


def main() -> int:
    """Say what was made; 2 and one sentence when it cannot be."""
    try:
        made = make(Kubectl.chosen())
    except StageError as error:
        print(f"secrets: {error}", file=sys.stderr)
        return 2
    print(f"made {', '.join(made)}" if made else "all Secrets are there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
