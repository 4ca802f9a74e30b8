"""What goes in and out of an endpoint, and Zendesk's error bodies in their four envelopes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from demo.zendesk.state import Account, Record

MISSING = "RecordNotFound"


@dataclass
class Call:
    """One authenticated API request on its way through the demo."""

    account: Account
    method: str
    path: str
    params: dict[str, str]
    args: "MultiDict[str, str]"
    body: Record
    raw: bytes
    headers: dict[str, str]
    base_url: str
    now: datetime
    user: Record | None = None
    token: Record | None = None
    applied: bool = False
    records: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)

    @property
    def actor(self) -> Record:
        """The user behind the token."""
        if self.user is None:
            raise ApiError(401, {"error": "Couldn't authenticate you"})
        return self.user

    @property
    def record_id(self) -> int:
        """The numeric id in the path."""
        return int(self.params["id"])

    def note_write(self, kind: str, key: Any, fields: list[str], values: Record, comment: Record | None = None) -> None:
        """Tell the call log what was written, and the log of writes also with which values."""
        self.applied = True
        self.records.append(f"{kind}/{key}")
        self.fields.extend(name for name in fields if name not in self.fields)
        self.account.writes.append(
            at=self.now,
            method=self.method,
            path=self.path,
            kind=kind,
            key=key,
            user_id=self.actor["id"],
            values=values,
            comment=comment,
        )


@dataclass(frozen=True)
class Encoded:
    """A part of a body that is JSON text already."""

    text: str


@dataclass
class Reply:
    """An answer: `body` is JSON unless it is a string (plain text) or None (empty)."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """An endpoint's refusal."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.reply = Reply(body, status, headers or {})


class ValueRefused(Exception):
    """A value that Zendesk rejects, with its sentence."""


def record_missing() -> ApiError:
    """The record is not there."""
    return ApiError(404, {"error": MISSING, "description": "Not found"})


def endpoint_missing() -> ApiError:
    """The path does not exist."""
    return ApiError(404, {"error": "InvalidEndpoint", "description": "Not found"})


def token_refused() -> ApiError:
    """The bearer token is expired, revoked or unknown: Zendesk does not say which."""
    words = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    return ApiError(401, {"error": "invalid_token", "error_description": words}, {"WWW-Authenticate": "Bearer"})


def not_authenticated() -> ApiError:
    """No credentials, or credentials that are no longer accepted."""
    return ApiError(401, {"error": "Couldn't authenticate you"})


def scope_missing(scopes: str) -> ApiError:
    """The token's scopes do not cover the call."""
    words = f"You are missing the following required scopes: {scopes}"
    return ApiError(403, {"error": "Forbidden", "description": words})


def not_allowed() -> ApiError:
    """The acting user's role or plan does not allow the call (object envelope)."""
    words = "You do not have access to this page. Please contact the account owner of this help desk for further help."
    return ApiError(403, {"error": {"title": "Forbidden", "message": words}})


def objects_not_allowed() -> ApiError:
    """The same for custom objects, which speak the newer envelope."""
    return listed(403, "Forbidden", "Insufficient permissions to access custom objects")


def listed(status: int, code: str, title: str) -> ApiError:
    """An error in the `errors` array envelope."""
    return ApiError(status, {"errors": [{"code": code, "status": str(status), "title": title}]})


def bad_paging(title: str, code: str = "InvalidPaginationParameter") -> ApiError:
    """Wrong paging parameters."""
    return ApiError(400, {"errors": [{"code": code, "title": title}]})


def record_invalid(details: dict[str, list[Record]]) -> ApiError:
    """Values that were refused, by field; the record stays as it was."""
    body = {"error": "RecordInvalid", "description": "Record validation errors", "details": details}
    return ApiError(422, body)


def value_invalid(name: str, description: str, error: str | None = "InvalidValue") -> ApiError:
    """One refused value."""
    return record_invalid({name: [{"description": description, "error": error}]})


def parameter_missing(name: str) -> ApiError:
    """The body lacks what the endpoint is about."""
    return ApiError(400, {"error": "ParameterMissing", "description": f"Parameter {name} is required"})


def too_many_values() -> ApiError:
    """More than 100 ids at once."""
    words = "Parameter  cannot specify more than 100 values"
    return ApiError(400, {"error": "TooManyValues", "description": words, "max_count": 100})


def update_conflict() -> ApiError:
    """The safe update saw a newer record."""
    words = (
        "Safe Update prevented the update due to outdated ticket data. "
        "Please fetch the latest ticket data and try again."
    )
    return ApiError(409, {"error": "UpdateConflict", "description": words})


def required_body(call: Call, name: str) -> Record:
    """The object under `name` in the request's body."""
    value = call.body.get(name)
    if not isinstance(value, dict):
        raise parameter_missing(name)
    return value


def ids_of(text: str) -> list[int]:
    """Comma separated ids, at most 100."""
    ids = [int(part) for part in text.split(",") if part.strip().isdigit()]
    if len(ids) > 100:
        raise too_many_values()
    return ids
