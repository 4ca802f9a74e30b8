"""The checker finds each kind of violation in forged histories, and none in a clean one."""

import pytest

from tests.faults.checker import Claim, Evidence, Kind, Promises, Write, check

SUBJECT, NOTES, TAGS = ("acme", "7", "subject"), ("acme", "7", "comment"), ("acme", "7", "tags")


def claim(value, *, moment=1, place=SUBJECT, kind=Kind.VALUE):
    return Claim(f"event of {value}", *place, kind, value, (moment,))


def write(number, value, *, place=SUBJECT, kind=Kind.VALUE, **facts):
    return Write(number, *place, kind, value, **facts)


def note(value):
    return claim(value, place=NOTES, kind=Kind.NOTE)


def posted(number, value, **facts):
    return write(number, value, place=NOTES, kind=Kind.NOTE, **facts)


def tag(value):
    return claim(value, place=TAGS, kind=Kind.TAG)


def tagged(number, value, **facts):
    return write(number, value, place=TAGS, kind=Kind.TAG, **facts)


def judge(claims, writes, *, stands=None, lists=None, **more):
    values = {} if stands is None else {SUBJECT: stands}
    promises = Promises(tuple(claims), tuple(more.pop("unanswered", ())), tuple(more.pop("poison", ())))
    evidence = Evidence(tuple(writes), values, lists or {}, **more)
    return dict(check(promises, evidence).counts)


def test_a_clean_history_has_no_violation():
    claims = [claim("old", moment=1), claim("new", moment=2), note("a note"), tag("vip")]
    writes = [write(1, "old"), posted(2, "a note"), tagged(3, "vip"), write(4, "new")]
    lists = {NOTES: ("before", "a note"), TAGS: ("kept", "vip")}
    before = {NOTES: ("before",), TAGS: ("kept",)}
    assert judge(claims, writes, stands="new", lists=lists, lists_before=before) == {}


def test_an_older_value_that_was_never_written_is_superseded_and_not_lost():
    assert judge([claim("old", moment=1), claim("new", moment=2)], [write(1, "new")], stands="new") == {}


def test_a_value_that_never_came_is_lost():
    assert judge([claim("old", moment=1), claim("new", moment=2)], [write(1, "old")], stands="old") == {"lost": 1}


def test_everything_is_lost_when_nothing_was_written():
    claims = [claim("old", moment=1), claim("new", moment=2), note("a note"), tag("vip")]
    assert judge(claims, [], stands="seeded", values_before={SUBJECT: "seeded"}) == {"lost": 4}


@pytest.mark.parametrize("is_repaired", [False, True])
def test_an_older_value_over_a_newer_one_is_inverted_even_when_the_newer_one_comes_again(is_repaired):
    claims = [claim("old", moment=1), claim("new", moment=2)]
    writes = [write(1, "new"), write(2, "old")] + ([write(3, "new")] if is_repaired else [])
    assert judge(claims, writes, stands="new" if is_repaired else "old") == {"inverted": 1}


def test_order_is_by_precedence_and_not_by_the_order_of_the_claims():
    claims = [claim("new", moment=2), claim("old", moment=1)]
    assert judge(claims, [write(2, "new"), write(1, "old")], stands="new") == {}


def test_a_note_posted_twice_is_duplicated():
    lists = {NOTES: ("a note", "a note")}
    assert judge([note("a note")], [posted(1, "a note"), posted(2, "a note")], lists=lists) == {"duplicated": 1}


def test_a_tag_that_was_added_again_is_duplicated_although_it_stands_once():
    writes = [tagged(1, "vip"), tagged(2, "vip")]
    assert judge([tag("vip")], writes, lists={TAGS: ("vip",)}) == {"duplicated": 1}


def test_a_tag_that_stands_twice_is_duplicated():
    assert judge([tag("vip")], [tagged(1, "vip")], lists={TAGS: ("vip", "vip")}) == {"duplicated": 1}


def test_a_tag_that_was_taken_away_is_unexpected_and_lost():
    writes = [tagged(1, "vip"), tagged(2, "vip", is_removal=True)]
    assert judge([tag("vip")], writes, lists={TAGS: ()}) == {"unexpected": 1, "lost": 1}


@pytest.mark.parametrize(
    ("claims", "writes", "stands", "lists"),
    [
        ([claim("mine")], [write(1, "mine"), write(2, "somebody's")], "somebody's", {}),
        ([], [write(1, "on a record of nobody")], "on a record of nobody", {}),
        ([claim("mine")], [write(1, "mine")], "changed by magic", {}),
        ([], [posted(1, "a note of nobody")], None, {NOTES: ("a note of nobody",)}),
        ([note("mine")], [posted(1, "mine", is_public=True)], None, {NOTES: ("mine",)}),
        ([note("mine")], [posted(1, "mine")], None, {NOTES: ("mine", "by magic")}),
    ],
)
def test_what_nobody_asked_for_is_unexpected(claims, writes, stands, lists):
    assert judge(claims, writes, stands=stands, lists=lists) == {"unexpected": 1}


def test_what_was_never_answered_may_stand_or_not():
    written = judge([claim("old", moment=1)], [write(1, "new")], stands="new", unanswered=[claim("new", moment=2)])
    absent = judge([claim("old", moment=1)], [write(1, "old")], stands="old", unanswered=[claim("new", moment=2)])
    assert (written, absent) == ({}, {})


def test_poison_that_stands_is_unexpected_and_is_not_missed():
    poison = [claim("poison", moment=3)]
    assert judge([claim("good")], [write(1, "good")], stands="good", poison=poison) == {}
    assert judge([claim("good")], [write(1, "good"), write(2, "poison")], stands="poison", poison=poison) == {
        "unexpected": 1
    }


def test_the_same_words_on_another_record_or_account_do_not_count():
    elsewhere = Write(1, "acme", "8", "subject", Kind.VALUE, "mine")
    other_account = Write(2, "other", "7", "subject", Kind.VALUE, "mine")
    evidence = Evidence((elsewhere, other_account), {elsewhere.place: "mine", other_account.place: "mine"}, {})
    assert check(Promises((claim("mine"),)), evidence).counts == {"lost": 1, "unexpected": 2}
