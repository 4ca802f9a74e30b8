"""Standard Webhooks signatures: HMAC-SHA256 over `id.timestamp.body`, in base64, possibly several in one header.

The rules are those of https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins, not a secret
VERSION = "v1"
TOLERANCE_S = 300  # how far the sender's clock may be from ours, either way
MAX_SIGNATURES = 20  # more than any rotation needs; the header is the sender's text


def sign_body(*, secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature header's value for one message."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(b64decode(secret.removeprefix(SECRET_PREFIX)), content, hashlib.sha256).digest()
    return f"{VERSION},{b64encode(digest).decode()}"


def is_signature_valid(*, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether `secret` made one of the header's signatures, not long ago."""
    message_id = headers.get("webhook-id", "")
    timestamp = _read_timestamp(headers.get("webhook-timestamp", ""))
    if not message_id or timestamp is None or abs(now.timestamp() - timestamp) > TOLERANCE_S:
        return False
    expected = sign_body(secret=secret, message_id=message_id, timestamp=timestamp, body=body).encode()
    offered = headers.get("webhook-signature", "").split()[:MAX_SIGNATURES]
    return any([hmac.compare_digest(expected, signature.encode()) for signature in offered])  # noqa: C419 - all of them


def _read_timestamp(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
