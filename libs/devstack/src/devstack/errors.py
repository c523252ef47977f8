"""What can go wrong on a user's machine, each as one sentence that says what to do. Translated once, in __main__.

StageError
├── Occupied       a port or the system itself is taken
├── Unfetchable    a first-time download failed or is corrupt
└── NotReady       a part did not come up in time
"""


class StageError(Exception):
    """Base; its text is the sentence that the user reads."""


class Occupied(StageError):
    """Somebody else holds what we need."""


class Unfetchable(StageError):
    """A part cannot be had or is not what it should be."""


class NotReady(StageError):
    """A part was started and did not answer in time."""
