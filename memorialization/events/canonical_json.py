"""One text for one JSON value, so that a repeated event can be told from another one under the same id.

Key order, white space and the spelling of numbers do not count; everything else does.
"""

import hashlib
import json
from typing import Any

# Values come from JSON, so nothing in them holds itself.
_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def canonical_text(value: Any) -> str:
    """The value as JSON with sorted keys and no white space."""
    return _encode(value)


def hash_payload(value: Any) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hash_text(canonical_text(value))


def hash_text(text: str) -> str:
    """The same for whoever has the canonical text already."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
