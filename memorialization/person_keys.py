"""By what a person is looked for: a text that is an e-mail address or a phone number, and nothing else. Pure.

Readers of mail headers and of numbers in prose find the first one in whatever customers and agents write, and give up
on some of it; a text that mentions somebody must not be taken for theirs.
"""

import re

TEXT_LIMIT = 320  # characters; no address is longer, with a name before it seldom
NAMED_ADDRESS = re.compile(r"[^<>]*<([^<>]*)>")
ADDRESS = re.compile(r"[^\s@<>,;:()\"]+@[^\s@<>,;:()\"]+")
NUMBER = re.compile(
    r"(?:(?:tel|sips?):)?\s*([+＋(]*\d[\d\s().\-\u2010-\u2015/]*)"
    r"(?:[;,]?\s*(?:ext(?:ension)?|poste|x|#)[.:=\s]*\d{1,7})?(?:[@;]\S*)?",
    re.IGNORECASE,
)


def read_address(text: str) -> str:
    """The address in small letters, without a name before it; empty for what is none."""
    if len(text) > TEXT_LIMIT:
        return ""
    named = NAMED_ADDRESS.fullmatch(text.strip())
    address = (named[1] if named else text).strip().casefold().removeprefix("mailto:")
    return address if ADDRESS.fullmatch(address) else ""


def read_number(text: str) -> str:
    """The digits as they are written, without an extension; empty for what is no number."""
    found = NUMBER.fullmatch(text.strip()) if len(text) <= TEXT_LIMIT else None
    return found[1].strip() if found else ""
