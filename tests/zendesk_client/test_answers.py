"""The JSON of answers (zendesk_client.answers)."""

import pytest

from zendesk_client import InvalidAnswer
from zendesk_client.answers import Answer


def read(body):
    return Answer(status=200, headers={}, body=body, is_write=False).read_json()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"ticket": {"id": 35, "subject": "Caf\xc3\xa9"}}', {"ticket": {"id": 35, "subject": "Café"}}),
        (b'{"id": 123456789012345678901234567890}', {"id": 123456789012345678901234567890}),
        (b'{"subject": "\\ud83d"}', {"subject": "\ud83d"}),  # half a character, as a text cut short ends
        (b'{"subject": "\xed\xa0\xbd"}', {"subject": "\ud83d"}),  # the same, not escaped
        (b'\xef\xbb\xbf{"id": 35}', {"id": 35}),  # after a mark that some proxies put in front
    ],
)
def test_an_object_is_read_whatever_its_text(body, value):
    assert read(body) == value


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"id": 35', b'{"id": "\xff"}', b"[" * 100_000])
def test_anything_else_is_no_answer(body):
    with pytest.raises(InvalidAnswer):
        read(body)
