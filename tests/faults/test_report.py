"""The table says what the results say, and what is wrong."""

from collections import Counter

import pytest

from tests.faults.checker import Verdict
from tests.faults.report import as_json, describe_machine, render_table
from tests.faults.run_result import Result

CLEAN = {
    "name": "storm",
    "words": "429 storm",
    "profile": "embedded",
    "seed": 3,
    "events": 100,
    "acknowledged": 100,
    "verdict": Verdict(),
    "first_s": 1.25,
    "done_s": None,
    "calls": 200,
    "limited": 3,
    "problems": (),
    "facts": ("seen",),
    "took_s": 9.0,
}


def render(**columns):
    import json

    return render_table([json.loads(as_json(Result(**(CLEAN | columns))))])


def test_a_clean_row_holds_and_shows_its_figures():
    table = render()
    assert "| storm: 429 storm | embedded | 3 | 100 | 0 | 0 | 0 | 0 | 0 | 1.2 s | – | 1.5% | holds |" in table
    assert "1 of 1 rows hold." in table and "seen" in table


@pytest.mark.parametrize("name", ["lost", "duplicated", "unexpected", "inverted", "dead"])
def test_any_number_that_is_not_zero_fails_the_row(name):
    table = render(verdict=Verdict(Counter({name: 2}), [f"{name}: an example"]))
    assert "**FAILS**" in table and "0 of 1 rows hold." in table and f"- {name}: an example" in table


def test_a_row_that_broke_its_own_rule_fails_with_its_words():
    table = render(problems=("the circuit is not open",), acknowledged=90)
    assert "**FAILS**" in table and "- the circuit is not open" in table and "90 of 100" in table


def test_the_machine_is_described():
    assert "cores" in describe_machine() and "Python" in describe_machine()
