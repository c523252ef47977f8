"""Kafka behind the Producer protocol: idempotent, acknowledged by all replicas, in order per partition."""

import asyncio
from collections.abc import Sequence
from ssl import SSLContext

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from contracts import Record
from messaging.broker import Stuck, Unsendable
from messaging.tls import client_options

STOP_SECONDS = 2.0
_LOG = structlog.get_logger("producer")


class KafkaProducer:
    """One aiokafka producer. After a failed batch it is dropped and replaced, never mended."""

    def __init__(self, bootstrap: str, client_id: str = "waybill", *, tls: SSLContext | None = None) -> None:
        # Without idempotence a failed batch lets the next one of its partition overtake it.
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            client_id=client_id,
            enable_idempotence=True,
            acks="all",
            linger_ms=1,
            request_timeout_ms=5_000,
            **client_options(tls),
        )

    async def start(self) -> None:
        """Connect, bounded."""
        async with asyncio.timeout(5):
            await self._producer.start()

    async def stop(self) -> None:
        """Stop, bounded, then abandon: with a broker that is away stop() waits for batches that never expire."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._producer.stop()
        except Exception as error:
            _LOG.warning("producer abandoned", error=f"{type(error).__name__}: {error}")

    async def send_batch(self, records: Sequence[Record], deadline: float) -> list[Exception | None]:
        """Buffer all, wait for all."""
        sent: list[asyncio.Future[object] | Exception] = []
        stuck = Stuck()
        try:
            async with asyncio.timeout(deadline):
                for record in records:
                    sent.append(stuck.before(record) or stuck.after(record, await self._send(record)))
                if waiting := [future for future in sent if isinstance(future, asyncio.Future)]:
                    await asyncio.wait(waiting)
        except TimeoutError:
            _LOG.warning("produce deadline passed", records=len(records), seconds=deadline)
        outcomes = [_outcome(one) for one in sent]
        return outcomes + [TimeoutError("not sent in time")] * (len(records) - len(outcomes))

    async def _send(self, record: Record) -> "asyncio.Future[object] | Exception":
        try:
            future: asyncio.Future[object] = await self._producer.send(
                record.topic, record.value, record.key, headers=list(record.headers)
            )
        except MessageSizeTooLargeError as error:
            return Unsendable(f"{len(record.value or b'')} bytes are more than the broker takes: {error}")
        except (TimeoutError, asyncio.CancelledError):
            raise
        except Exception as error:
            return error
        return future


def _outcome(sent: "asyncio.Future[object] | Exception") -> Exception | None:
    if isinstance(sent, Exception):
        return sent
    if not sent.done():
        return TimeoutError("no acknowledgement in time")
    if sent.cancelled():
        return TimeoutError("the producer was stopped")
    error = sent.exception()
    if isinstance(error, MessageSizeTooLargeError):
        return Unsendable(str(error))
    return error if error is None or isinstance(error, Exception) else RuntimeError(repr(error))
