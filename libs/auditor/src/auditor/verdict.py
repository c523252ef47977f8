"""What a judge says: the terms that it judges by, a finding per promise, and the verdict that a person reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

TERMINAL_SECONDS = 105.0
"""Deadline 30 s + catch-up 60 s + 15 s."""

KINDS = ("dead", "parked", "outbox")
"""Dead letters, parked keys of consumers, parked aggregates of outboxes."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """How much may have been set aside: a total, or a count for each kind (a kind that is not named: none)."""

    total: int | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Expectation":
        """Read `3` or `dead=1,parked=2,outbox=1`; raises ValueError with a sentence."""
        if text.isdecimal():
            return cls(total=int(text))
        kinds: dict[str, int] = {}
        for part in text.split(","):
            kind, _, count = part.strip().partition("=")
            if kind not in KINDS or not count.isdecimal() or kind in kinds:
                raise ValueError(f"{text!r} is neither a number nor a list like dead=1,parked=2,outbox=1")
            kinds[kind] = int(count)
        return cls(kinds=kinds)

    def allows(self, counts: Mapping[str, int]) -> bool:
        """Whether exactly as much was set aside as was said; less means that the fault did not happen."""
        if self.total is not None:
            return sum(counts.values()) == self.total
        return all(counts[kind] == self.kinds.get(kind, 0) for kind in counts)

    def __str__(self) -> str:
        if self.total is not None:
            return str(self.total)
        return ", ".join(f"{kind}={count}" for kind, count in self.kinds.items()) or "none"


@dataclass(frozen=True, slots=True)
class Terms:
    """What may differ between runs: seconds from creation to a terminal status, and what may be set aside."""

    within: float = TERMINAL_SECONDS
    expect: Expectation = field(default_factory=Expectation)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule looked at, in words with numbers, and what it found wrong, a sentence each."""

    examined: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise with its finding."""

    promise: str
    claim: str
    examined: str
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True when nothing was found against it."""
        return not self.faults
