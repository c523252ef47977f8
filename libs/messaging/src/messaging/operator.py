"""The operator's door to dead letters and parked keys: `messages list|show|replay|discard`."""

import argparse
import json
import sys
from collections.abc import Sequence

import asyncpg

from messaging.outbox import Transactions
from messaging.parking import record_of, text_key
from messaging.replay import FIND, Refused, Replay
from messaging.subscription import Subscription

LIST = """
SELECT id, state, topic, key, event_id, error_class, error_text, tries, first_at FROM dead_letters
WHERE consumer_group = $1 AND ($2 OR state IN ('parked', 'dead')) ORDER BY id
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog="messages", description="Dead letters and parked keys of this service.")
    verbs = root.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="what is set aside, oldest first")
    listing.add_argument("--all", action="store_true", help="replayed and discarded ones too")
    for verb, text in (
        ("show", "one message, whole"),
        ("replay", "apply it here; a parked key is drained in order"),
        ("discard", "give up on it"),
    ):
        verbs.add_parser(verb, help=text).add_argument("id", type=int)
    return root


async def main(
    arguments: Sequence[str], group: str, subscriptions: Sequence[Subscription], transactions: Transactions
) -> int:
    """Carry out one command; returns the exit code, 2 when it is refused."""
    asked = parser().parse_args(arguments)
    replay = Replay(group, {s.topic.name: s for s in subscriptions}, transactions)
    try:
        match asked.verb:
            case "list":
                await _list(group, asked.all, transactions)
            case "show":
                await _show(asked.id, group, transactions)
            case "replay":
                print(f"applied {await replay.replay(asked.id)}")
            case "discard":
                await replay.discard(asked.id)
                print(f"discarded {asked.id}")
    except Refused as refusal:
        print(f"messages: {refusal}", file=sys.stderr)
        return 2
    return 0


async def _list(group: str, everything: bool, transactions: Transactions) -> None:
    async with transactions() as tx:
        rows = await tx.raw.fetch(LIST, group, everything)
    for row in rows:
        why = f"{row['error_class']}: {row['error_text']}"
        print(f"{row['id']:>6} {row['state']:<9} {row['topic']} {text_key(row['key'])} {why}")
    print(f"{len(rows)} message{'' if len(rows) == 1 else 's'}")


async def _show(message: int, group: str, transactions: Transactions) -> None:
    async with transactions() as tx:
        row = await tx.raw.fetchrow(FIND, message, group)
    if row is None:
        raise Refused(f"there is no message {message} in {group}")
    print(json.dumps(_described(row), indent=2, default=str))


def _described(row: asyncpg.Record) -> dict[str, object]:
    """Everything about a message, its bytes as far as they are text."""
    record = record_of(row)
    headers = {name: value.decode(errors="backslashreplace") for name, value in record.headers}
    value = None if record.value is None else record.value.decode(errors="backslashreplace")
    return {**dict(row), "key": text_key(record.key), "headers": headers, "value": value}
