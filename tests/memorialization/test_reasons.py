"""Every reason that can be stored has words."""

import re
from pathlib import Path

import pytest

import memorialization
from memorialization.deliveries.outcome_reasons import DeliveryReason, FieldReason
from memorialization.reasons import FLAGS, REASONS, explain_reason

SOURCES = Path(memorialization.__file__).parent


@pytest.mark.parametrize("reason", [*FieldReason, *DeliveryReason])
def test_every_reason_of_a_push_has_words(reason):
    assert str(reason) in REASONS


def test_every_reason_for_leaving_out_has_words():
    found = set()
    for path in (SOURCES / "rendering").glob("*.py"):
        found |= set(re.findall(r'(?:leave_out\(|reason=)"(\w+)"', path.read_text()))
    assert len(found) > 10 and found <= set(REASONS)


def test_every_flag_of_the_rules_has_words():
    found = set(re.findall(r'"(\w+_(?:reached|reported))"', (SOURCES / "rules.py").read_text()))
    assert len(found) == 3 and found <= set(FLAGS)


def test_parameters_are_filled_in_and_missing_ones_show_as_dots():
    text = explain_reason("shortened_to_limit", {"length": 300, "limit": 255})
    assert text.what == "The text has 300 characters and the CRM field takes 255; it was shortened." and text.do
    assert "…" in explain_reason("refused_by_crm").what


def test_an_unknown_reason_explains_itself():
    assert explain_reason("from_the_future").what == "from_the_future"


def test_every_reason_can_be_explained_without_parameters():
    assert all(explain_reason(key).what for key in REASONS)
