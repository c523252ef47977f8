"""The operator's command line: list, show, replay, discard, and a sentence when it is refused."""

import pytest

from messaging import operator

GROUP = "order-service"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["list"], 0, "2 messages"),
        (["show", "1"], 0, '"error_text": "broken"'),
        (["replay", "1"], 0, "applied 2"),
        (["discard", "2"], 0, "discarded 2"),
        (["show", "99"], 2, "no message 99"),
        (["replay", "99"], 2, "no dead or parked message 99"),
    ],
)
async def test_the_command_line(store, subscription, park, keys, capsys, arguments, code, words):
    await park(keys(1)[0], 1, 2)
    assert await operator.main(arguments, GROUP, [subscription], store.transactions) == code
    said = capsys.readouterr()
    assert words in said.out + said.err
