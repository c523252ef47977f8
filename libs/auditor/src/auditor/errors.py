"""What keeps the auditor from judging at all; `__main__` prints it and exits with 2, since no promise was broken."""


class BadInput(Exception):
    """A file, a database or the broker is not as the auditor needs it; the text is one sentence."""
