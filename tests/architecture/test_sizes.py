"""The house stays readable: small functions, files that fit a screen or two, modules that say where they stand."""

import ast
import statistics
from pathlib import Path

FILE_LIMIT = 250
FUNCTION_LIMIT = 50
FUNCTION_MEDIAN = 8
FUNCTION_P90 = 25
FORBIDDEN_NAMES = {"utils", "helpers", "misc", "base", "common"}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def functions(sources):
    """(length, where) of every function outside tests."""
    for source in sources:
        if "tests" in source.path.parts or source.path.name == "conftest.py":
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield body_lines(node), f"{source.path}:{node.lineno} {node.name}"


def test_no_file_is_longer_than_two_screens(sources):
    long = {str(s.path): n for s in sources if (n := s.text.count("\n")) > FILE_LIMIT}
    assert not long, f"split these files by noun (limit {FILE_LIMIT} lines): {long}"


def test_functions_are_small(sources):
    measured = sorted(functions(sources))
    lengths = [length for length, _ in measured]
    assert statistics.median(lengths) <= FUNCTION_MEDIAN
    assert lengths[int(len(lengths) * 0.9)] <= FUNCTION_P90
    assert lengths[-1] <= FUNCTION_LIMIT, f"split {measured[-1][1]}"


def test_every_module_says_where_it_stands(sources):
    silent = [str(s.path) for s in sources if s.text.strip() and not ast.get_docstring(s.tree)]
    assert not silent, f"open these modules with 1-5 lines on their place in the flow: {silent}"


def test_no_module_is_a_drawer_for_everything(sources):
    drawers = [str(s.path) for s in sources if FORBIDDEN_NAMES & {Path(part).stem for part in s.path.parts}]
    assert not drawers, f"name these by the noun they hold: {drawers}"


def test_nothing_is_left_open_or_skipped(sources):
    words = ("TO" + "DO", "FIX" + "ME", "pytest." + "skip", "mark." + "skip", "x" + "fail")
    found = [f"{s.path}: {word}" for s in sources for word in words if word in s.text]
    assert not found
