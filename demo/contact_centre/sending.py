"""One call to the product: signed or with its key, sent once, and the answer judged.

Nothing here repeats a call; `Outbox` does, with the same body and ids, so that a repetition has no second effect.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from demo.contact_centre.targets import Target

SIGNING_PREFIX = "whsec_"
TIMEOUT_S = (3.05, 15)
TEXT_LIMIT = 300  # characters kept of an answer's words
RETRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
RETRY_AFTER_LIMIT_S = 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` 0: nothing. `is_final`: there is no use in sending the same again."""

    status: int
    is_final: bool
    retry_after_s: float = 0.0
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_taken(self) -> bool:
        """Whether the product has it."""
        return 200 <= self.status < 300

    def as_json(self) -> dict[str, Any]:
        """For the log."""
        return {"status": self.status, **self.said}


def new_session() -> requests.Session:
    """A connection that takes nothing from the surroundings: a .netrc would replace our key, a proxy would see it."""
    session = requests.Session()
    session.trust_env = False
    return session


def post(session: requests.Session, *, target: Target, path: str, body: Any, message_id: str, now: datetime) -> Answer:
    """Send a body once; every way of failing is an answer."""
    data = json.dumps(body, ensure_ascii=False).encode()
    try:
        headers = {"Content-Type": "application/json", **authorize(target.intake_key, message_id, data, now)}
        response = session.post(
            target.address_of(path), data=data, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
        )
        return judge(response.status_code, response.headers, response.content, now)
    except (requests.RequestException, ValueError) as error:
        return Answer(0, is_final=False, said={"problem": f"no answer ({type(error).__name__})"})


def authorize(intake_key: str, message_id: str, data: bytes, now: datetime) -> dict[str, str]:
    """A bearer key travels with the call; a signing secret signs it, as Standard Webhooks says."""
    if not intake_key.startswith(SIGNING_PREFIX):
        return {"Authorization": f"Bearer {intake_key}"}
    timestamp = str(int(now.timestamp()))
    try:
        secret = base64.b64decode(intake_key.removeprefix(SIGNING_PREFIX), validate=True)
    except binascii.Error:
        secret = b""  # signs wrongly, and the product will say so
    digest = hmac.new(secret, f"{message_id}.{timestamp}.".encode() + data, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def judge(status: int, headers: Mapping[str, str], content: bytes, now: datetime) -> Answer:
    """What an answer means: taken, refused for good, or to be repeated later."""
    said = read_answer(content)
    if status in RETRY_LATER or status >= 500:
        return Answer(status, is_final=False, retry_after_s=read_retry_after(headers, now), said=said)
    return Answer(status, is_final=True, said=said)


def read_answer(content: bytes) -> dict[str, Any]:
    """The parts of an answer that people want to see."""
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    said = {key: body[key] for key in ("accepted", "duplicates", "rejected") if isinstance(body.get(key), list)}
    if isinstance(body.get("records"), list):  # of a workflow
        said |= {"found": len(body["records"]), "created": body.get("created") is True}
    if isinstance(body.get("url"), str):  # of a customer card
        said["url"] = body["url"]
    words = body.get("detail") or body.get("title")
    return said | ({"problem": str(words)[:TEXT_LIMIT]} if words else {})


def read_retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """How long to wait at least, in seconds; both forms of the header (RFC 9110, section 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), RETRY_AFTER_LIMIT_S))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), RETRY_AFTER_LIMIT_S)
