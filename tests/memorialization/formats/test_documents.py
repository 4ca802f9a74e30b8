"""JSON documents out of files, whatever their arrangement."""

import io
import json

import pytest

from memorialization.formats import documents
from memorialization.formats.documents import read_documents

ROWS = [{"a": 1}, {"b": "x\ny, ]"}, {"c": [1, {"d": None}]}]


def values(text):
    return [document.value for document in read_documents(io.StringIO(text))]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "\ufeff  " + json.dumps(ROWS),
        "\n".join(json.dumps(row) for row in ROWS),
        "\n\n".join(json.dumps(row) for row in ROWS) + "\n",
        ",\n".join(json.dumps(row) for row in ROWS),
        "\n".join(json.dumps(row, indent=2) for row in ROWS),
        json.dumps({"completedContacts": ROWS, "totalRecords": 3}),
        json.dumps({"totalRecords": 3, "completedContacts": ROWS}, indent=2),
        json.dumps({"completedContacts": ROWS[:1]}) + "\n" + json.dumps({"completedContacts": ROWS[1:]}),
    ],
)
def test_every_arrangement_yields_the_same_rows(text, monkeypatch):
    assert values(text) == ROWS
    monkeypatch.setattr(documents, "CHUNK", 3)
    assert values(text) == ROWS


@pytest.mark.parametrize("text", ["", " \n", "[]", '{"completedContacts": []}'])
def test_an_empty_file_has_no_rows(text):
    assert values(text) == []


def test_a_bad_line_is_reported_with_its_number_and_the_rest_is_read():
    found = list(read_documents(io.StringIO('{"a": 1}\n{"b": \n\n{"c": 3}\n')))
    assert [(document.line, document.value, bool(document.problem)) for document in found] == [
        (1, {"a": 1}, False),
        (2, None, True),
        (4, {"c": 3}, False),
    ]


def test_a_first_line_that_is_bad_does_not_keep_back_the_others():
    found = list(read_documents(io.StringIO('oops\n{"a": 1}\n{"b": 2}\n')))
    assert [(document.line, document.value) for document in found] == [(1, None), (2, {"a": 1}), (3, {"b": 2})]


def test_elements_of_an_array_know_their_line():
    found = list(read_documents(io.StringIO('[\n {"a": 1},\n\n {"b":\n 2}]')))
    assert [(document.line, document.value) for document in found] == [(2, {"a": 1}), (4, {"b": 2})]


@pytest.mark.parametrize("text", ['[{"a": 1}, {"b": ]', '[{"a": 1}'])
def test_an_array_that_breaks_off_is_read_until_there_and_reported(text):
    good, bad = read_documents(io.StringIO(text))
    assert good.value == {"a": 1} and bad.problem
