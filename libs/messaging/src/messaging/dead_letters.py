"""The dead-letter topic: a record that cannot be executed, as it was, with headers that say whence it came and why."""

from datetime import UTC, datetime

from contracts import Record, dead_letters
from messaging.broker import Producer
from messaging.parking import Kept

SEND_SECONDS = 5.0


def letter(group: str, kept: Kept) -> Record:
    """The record for `<group>.dead-letters`."""
    now = datetime.now(UTC).isoformat()
    reasons = {
        "dead_letter_topic": kept.record.topic,
        "dead_letter_partition": str(kept.partition),
        "dead_letter_offset": str(kept.offset),
        "dead_letter_error_class": kept.error_class,
        "dead_letter_error_text": kept.error_text[:1000],
        "dead_letter_tries": str(kept.tries),
        "dead_letter_first_at": now,
        "dead_letter_last_at": now,
    }
    headers = (*kept.record.headers, *((name, value.encode()) for name, value in reasons.items()))
    return Record(dead_letters(group).name, kept.record.key, kept.record.value, headers)


async def publish(producer: Producer, group: str, kept: Kept) -> None:
    """Send and wait for the acknowledgement; raises ConnectionError, since a broker that is away is transient."""
    (outcome,) = await producer.send_batch([letter(group, kept)], SEND_SECONDS)
    if outcome is not None:
        raise ConnectionError(f"the dead-letter topic did not acknowledge: {outcome!r}")
