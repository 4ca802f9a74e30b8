"""Configuration files as text (crm_integrations.file_reading)."""

import pytest

from crm_integrations.file_reading import NotAFile, parse_file


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"name": "a\\u0000b"}', "The file has a NUL character (\\u0000), which cannot be stored."),
        ('{"list": [{"a\\u0000": 1}]}', "The file has a NUL character (\\u0000), which cannot be stored."),
        ('{"\\ud800": 1}', "The file has half of a surrogate pair (\\ud800 to \\udfff) in a text."),
        ('{"name": ["\\udfff"]}', "The file has half of a surrogate pair (\\ud800 to \\udfff) in a text."),
        ('{"version": ' + "1" * 5000 + "}", "The file has a number that is too long."),
    ],
)
def test_what_no_database_or_page_can_take_is_refused_before_anything_is_asked(text, sentence):
    with pytest.raises(NotAFile) as refused:
        parse_file(text)
    assert str(refused.value) == sentence


def test_text_that_only_looks_like_an_escape_is_taken_and_so_is_every_character():
    assert parse_file('{"a": "\\\\u0000", "b": "\\ud83d\\ude00 é"}') == {"a": "\\u0000", "b": "😀 é"}
