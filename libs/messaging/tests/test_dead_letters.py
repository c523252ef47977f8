"""Dead letters: the record as it was with its reasons, and the reasons alone where both do not fit."""

from uuid import UUID

import pytest

from contracts import Record
from messaging import dead_letters
from messaging.parking import Kept

GROUP = "order-service"
REASON = "the reason \x00"


def kept(value, key=b"k"):
    record = Record("inventory-events", key, value, (("n", b"\xff"),))
    return Kept(record, 3, 14, UUID(int=1), "Undecodable", REASON, 1)


async def test_a_letter_is_the_record_with_its_reasons(broker):
    await dead_letters.publish(broker.producer, GROUP, kept(b"bytes"))
    (letter,) = broker.records(f"{GROUP}.dead-letters")
    headers = dict(letter.headers)
    assert (letter.key, letter.value, headers["n"]) == (b"k", b"bytes", b"\xff")
    assert headers["dead_letter_offset"] == b"14"
    assert headers["dead_letter_error_text"] == b"the reason \\x00"


async def test_a_record_that_no_longer_fits_leaves_its_reasons(broker):
    await dead_letters.publish(broker.producer, GROUP, kept(b"x" * 2_000_000, b"k" * 5000))
    (letter,) = broker.records(f"{GROUP}.dead-letters")
    assert letter.value is None
    assert len(letter.key) == dead_letters.KEY_BYTES
    assert dict(letter.headers)["dead_letter_error_class"] == b"Undecodable"
    assert b"has it whole" in dict(letter.headers)["dead_letter_omitted"]


async def test_a_letter_without_acknowledgement_is_transient_trouble(broker):
    broker.away = True
    with pytest.raises(ConnectionError):
        await dead_letters.publish(broker.producer, GROUP, kept(b"x"))
