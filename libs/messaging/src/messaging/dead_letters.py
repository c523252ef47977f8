"""The dead-letter topic: a record that cannot be executed, as it was, with headers that say whence it came and why."""

from collections.abc import Callable
from datetime import UTC, datetime

from contracts import Headers, Record, dead_letters
from messaging.broker import Producer, Unsendable
from messaging.parking import Kept, printable

SEND_SECONDS = 5.0
KEY_BYTES = 1000
OMITTED = ("dead_letter_omitted", b"too large with its reasons; the table dead_letters has it whole")


async def publish(make: Callable[[], Producer], group: str, kept: Kept) -> None:
    """Send and wait for the acknowledgement; raises ConnectionError, since a broker that is away is transient."""
    outcome = await _send(make, letter(group, kept))
    if isinstance(outcome, Unsendable):
        outcome = await _send(make, stub(group, kept))
    if outcome is not None:
        raise ConnectionError(f"the dead-letter topic did not acknowledge: {outcome!r}") from outcome


def letter(group: str, kept: Kept) -> Record:
    """The record for `<group>.dead-letters`."""
    record = kept.record
    return Record(dead_letters(group).name, record.key, record.value, (*record.headers, *_reasons(kept)))


def stub(group: str, kept: Kept) -> Record:
    """The reasons alone: a record as large as the broker takes no longer fits once they are added."""
    return Record(dead_letters(group).name, kept.record.key[:KEY_BYTES], None, (*_reasons(kept), OMITTED))


def _reasons(kept: Kept) -> Headers:
    now = datetime.now(UTC).isoformat()
    reasons = {
        "dead_letter_topic": kept.record.topic,
        "dead_letter_partition": str(kept.partition),
        "dead_letter_offset": str(kept.offset),
        "dead_letter_error_class": kept.error_class,
        "dead_letter_error_text": printable(kept.error_text)[:1000],
        "dead_letter_tries": str(kept.tries),
        "dead_letter_first_at": now,
        "dead_letter_last_at": now,
    }
    return tuple((name, value.encode()) for name, value in reasons.items())


async def _send(make: Callable[[], Producer], record: Record) -> Exception | None:
    """One record by a producer of its own; the client's errors while connecting are outcomes like any other."""
    producer = make()
    try:
        await producer.start()
        (outcome,) = await producer.send_batch([record], SEND_SECONDS)
    except Exception as error:
        return error
    finally:
        await producer.stop()
    return outcome
