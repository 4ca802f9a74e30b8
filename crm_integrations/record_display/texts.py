"""Long texts, short enough for a card."""

LONGEST = 280  # characters; about five lines of a card
ELLIPSIS = "…"


def shorten(text: str, limit: int = LONGEST) -> str:
    """The text without white space at its ends and blank lines, cut at a word's end where one is near."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    tidy = "\n".join(line for line in lines if line)
    if len(tidy) <= limit:
        return tidy
    cut = tidy[: limit - len(ELLIPSIS)]
    at_word = cut.rsplit(maxsplit=1)[0]
    return (at_word if len(at_word) > limit * 3 // 4 else cut).rstrip() + ELLIPSIS
