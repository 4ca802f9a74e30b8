"""What is logged of an error that nobody expected."""

import json

from memorialization.unexpected_errors import describe_error


def test_an_error_is_described_by_its_kind_and_place_and_not_by_its_words():
    try:
        raise ValueError("Alex Caller")
    except ValueError as error:
        words = describe_error(error)
    assert words.startswith("ValueError at test_unexpected_errors.py:")
    assert "by" not in words and "Alex" not in words


def test_an_error_of_a_library_is_described_by_our_line_that_led_there_too():
    try:
        json.loads("{Alex Caller}")
    except ValueError as error:
        words = describe_error(error)
    assert words.startswith("JSONDecodeError at decoder.py:")
    assert ", by test_unexpected_errors.py:" in words and "Alex" not in words
