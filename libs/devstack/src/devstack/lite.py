"""The gateway of `deploy/configs/lite` and `compose.yaml`: devstack's rules, for services that are found by name.

`python -m devstack.lite FILE` writes its configuration, with `--check` it only says whether the file is fresh.
"""

import json
import sys
from pathlib import Path

from devstack.envoy import Edge, Place, configuration
from devstack.layout import SERVICES

ISSUER = "https://api.yourdomain.com"
"""TOKEN_ISSUER of `kustomize/base`."""
PORT = 8080


def edge() -> Edge:
    """Every name is the Service's, or the container's on its network."""
    services = {service: [Place(service, 80)] for service in SERVICES}
    return Edge(Place("0.0.0.0", PORT), ISSUER, services, Place("collector", 4318), 1.0)  # noqa: S104 (in a pod)


def main() -> int:
    """Write or check; 1 when the file is not what it would be."""
    file, text = Path(sys.argv[1]), json.dumps(configuration(edge()), indent=1) + "\n"
    if "--check" not in sys.argv:
        file.write_text(text, encoding="utf-8")
    elif not file.exists() or file.read_text(encoding="utf-8") != text:
        print(f"{file} is not what devstack.envoy makes; run make fmt", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
