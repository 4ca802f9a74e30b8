"""Takes secrets out of texts that others wrote, before they reach an exception.

Zendesk's error texts, and the HTML pages of proxies before it, sometimes echo headers or form values.
"""

import re

MAX_TEXT_LENGTH = 500  # characters; enough for any sentence of Zendesk's, short enough for a list of attempts
REMOVED = "[removed]"

_KEYWORDS = r"access_token|refresh_token|client_secret|code_verifier|authorization|password|api_token|token"
_PATTERNS = (
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {REMOVED}"),
    (re.compile(rf"\b({_KEYWORDS})([\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}}]+", re.IGNORECASE), rf"\1\2{REMOVED}"),
    (re.compile(r"\b[0-9a-f]{40,}\b|\b[\w-]{60,}\b", re.IGNORECASE), REMOVED),  # Zendesk's tokens: 64 hex characters
)
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]{0,500}>", re.IGNORECASE | re.DOTALL)


def redact_text(text: str) -> str:
    """Return ``text`` on one line, without markup, control characters and secrets, at most 500 characters long."""
    text = _MARKUP.sub(" ", text[: MAX_TEXT_LENGTH * 20])
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= MAX_TEXT_LENGTH else text[: MAX_TEXT_LENGTH - 1] + "…"
