"""The court as a whole: a healthy run holds, and a large one is judged in seconds."""

import time

from auditor import judge


def test_every_promise_of_a_healthy_run_holds(healthy):
    verdicts = judge(healthy)
    assert [verdict.promise for verdict in verdicts] == [*(f"I{n}" for n in range(1, 10)), "horizon"]
    assert [fault for verdict in verdicts for fault in verdict.faults] == []


def test_every_verdict_says_what_was_examined(healthy):
    assert all(any(sign.isdigit() for sign in verdict.examined) for verdict in judge(healthy))


def test_two_thousand_orders_of_25_lines_are_judged_in_seconds(new_run, broken):
    run = new_run()
    for number in range(1000):
        run.list_product(f"sku-{number}", 10_000)
    user = run.register()
    for number in range(2000):
        run.buy(user, f"key-{number}", {f"sku-{(number * 7 + line) % 1000}": 2 for line in range(25)})
    facts = run.facts()
    assert len(facts.order_lines) == 50_000
    began = time.perf_counter()
    assert broken(facts) == []
    assert time.perf_counter() - began < 8
