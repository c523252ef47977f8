"""Auditor: the separate judge of every promise, a stranger to the services that it judges.

`collect` reads databases, topics and a client log into `Facts`; `judge` is pure and says which promise was broken.
"""

from auditor.collect import collect
from auditor.errors import BadInput
from auditor.facts import Facts
from auditor.judge import judge
from auditor.verdict import Expectation, Terms, Verdict

__all__ = ["BadInput", "Expectation", "Facts", "Terms", "Verdict", "collect", "judge"]
