"""Kafka's jars: fetched once from Maven's repository by jgo, each checked against the SHA-256 list beside this file.

`python -m devstack.jars lock` resolves the dependency tree again and writes that list.
"""

import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import requests
from jgo.maven import MavenContext
from rich.progress import track

from devstack.errors import Unfetchable

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
LOCK = Path(__file__).with_name("jars.sha256")


class Jar(NamedTuple):
    """One file: its Maven coordinate `group:artifact:version` and SHA-256."""

    coordinate: str
    sha256: str

    @property
    def filename(self) -> str:
        """`artifact-version.jar`."""
        return "-".join(self.coordinate.split(":")[1:]) + ".jar"


def cache() -> Path:
    """Where downloads are kept: WAYBILL_CACHE, else `.cache` of the working directory."""
    return Path(os.environ.get("WAYBILL_CACHE", ".cache")).absolute()


def folder() -> Path:
    """Where the jars of this version lie."""
    return cache() / f"kafka-{KAFKA.rsplit(':', 1)[1]}"


def locked() -> list[Jar]:
    """The list as it lies in the repository."""
    return [Jar(*line.split()[::-1]) for line in LOCK.read_text().splitlines()]


def fetch(folder: Path) -> Path:
    """Make sure that `folder` holds every jar, unharmed; raises Unfetchable with one sentence."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in locked() if not _intact(folder / jar.filename, jar)]
    if missing:
        _download(missing, folder)
    return folder


def _intact(path: Path, jar: Jar) -> bool:
    """False when absent; raises when present and wrong, since somebody may have put it there on purpose."""
    if not path.exists():
        return False
    if _digest(path) != jar.sha256:
        raise Unfetchable(f"{path} is corrupt (its SHA-256 is not the locked one); delete it and run again")
    return True


def _download(missing: list[Jar], folder: Path) -> None:
    context = MavenContext(repo_cache=folder / "maven", timeout=60)
    try:
        with ThreadPoolExecutor(8) as pool:
            jobs = pool.map(lambda jar: _download_one(context, jar, folder), missing)
            for _ in track(jobs, description="Kafka's jars", total=len(missing), transient=True):
                pass
    except (requests.RequestException, OSError, RuntimeError) as error:
        raise Unfetchable(
            f"Kafka's jars cannot be downloaded ({type(error).__name__}); connect to the network and run again"
        ) from error
    shutil.rmtree(folder / "maven", ignore_errors=True)


def _download_one(context: MavenContext, jar: Jar, folder: Path) -> None:
    group, artifact, version = jar.coordinate.split(":")
    fetched = Path(context.project(group, artifact).at_version(version).artifact().resolve())
    if _digest(fetched) != jar.sha256:
        fetched.unlink()
        raise Unfetchable(f"the download of {jar.coordinate} is corrupt (its SHA-256 is not the locked one); run again")
    fetched.replace(folder / jar.filename)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _resolved(folder: Path) -> Iterator[Jar]:
    """Kafka with everything that it needs at run time."""
    context = MavenContext(repo_cache=folder, timeout=60)
    root = context.create_dependency(KAFKA)
    _, nodes = context.resolver.get_dependency_list([root])
    for dependency in [root, *(node.dep for node in nodes)]:
        if dependency.scope in ("compile", "runtime", None) and not dependency.optional:
            coordinate = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
            yield Jar(coordinate, _digest(Path(dependency.artifact.resolve())))


def lock() -> None:
    """Write the list anew."""
    scratch = cache() / "maven"
    jars = sorted(set(_resolved(scratch)))
    LOCK.write_text("".join(f"{jar.sha256}  {jar.coordinate}\n" for jar in jars))
    shutil.rmtree(scratch, ignore_errors=True)
    print(f"{LOCK.name}: {len(jars)} jars")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    if sys.argv[1:] != ["lock"]:
        sys.exit("usage: python -m devstack.jars lock")
    lock()
