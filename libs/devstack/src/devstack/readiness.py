"""Whether a process says on its probes' port that it is ready: asked by the supervisor and by every stage."""

from urllib.request import urlopen


def is_ready(probes: str) -> bool:
    """`probes` is the base URL; a process that does not answer is not ready."""
    try:
        with urlopen(f"{probes}/readyz", timeout=1) as answer:  # noqa: S310 (our own loopback URL)
            return bool(answer.status == 200)
    except OSError:
        return False
