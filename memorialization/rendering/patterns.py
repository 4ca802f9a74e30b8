"""Whether a text matches a CRM field's pattern, told only where that cannot take long and the dialects agree. Pure.

The CRM checks the pattern anyway. So a pattern that could run away on a crafted text, or that our dialect does not
know, is not judged here: the answer is None, and the value is sent.
"""

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

TEXT_LIMIT = 255  # characters; longer texts are not judged
PATTERN_LIMIT = 500
WAYS_LIMIT = 100_000  # ways to match from one place of a text of TEXT_LIMIT characters
REPEATS = {ops.MAX_REPEAT, ops.MIN_REPEAT}
UNSAFE = {
    ops.GROUPREF, ops.GROUPREF_EXISTS, ops.ASSERT, ops.ASSERT_NOT, ops.ATOMIC_GROUP, ops.POSSESSIVE_REPEAT
}  # fmt: skip
RUBY_END = re.compile(r"(?<!\\)((?:\\\\)*)\\z")


def matches_pattern(pattern: str, text: str) -> bool | None:
    """Whether the pattern is found in the text; None when that is not judged here."""
    if not pattern or len(text) > TEXT_LIMIT or not text.isascii():
        return None
    compiled = _compile_safely(pattern)
    return None if compiled is None else compiled.search(text) is not None


@lru_cache(maxsize=256)
def _compile_safely(pattern: str) -> re.Pattern[str] | None:
    if len(pattern) > PATTERN_LIMIT:
        return None
    translated = RUBY_END.sub(r"\1\\Z", pattern)
    try:
        ways = math.prod(_count_ways(parser.parse(translated), is_repeated=False))
        return re.compile(translated) if ways <= WAYS_LIMIT else None
    except (re.error, RecursionError, OverflowError):
        return None


def _count_ways(nodes: Any, *, is_repeated: bool) -> Iterator[float]:
    """How many ways each part of a pattern has to match; a choice inside a repeat has no bound."""
    for operation, argument in nodes:
        if operation in UNSAFE:
            yield math.inf
        elif operation in REPEATS:
            least, most, inner = argument
            room = min(int(most), TEXT_LIMIT) - min(int(least), TEXT_LIMIT)
            yield math.inf if is_repeated and room else room + 1
            yield from _count_ways(inner, is_repeated=is_repeated or int(most) > 1)
        elif operation is ops.BRANCH:
            yield math.inf if is_repeated else len(argument[1])
            for branch in argument[1]:
                yield from _count_ways(branch, is_repeated=is_repeated)
        elif operation is ops.SUBPATTERN:
            yield from _count_ways(argument[-1], is_repeated=is_repeated)
