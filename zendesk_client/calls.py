"""What the groups of calls of the client share: one transport, and lists that fit one page."""

from collections.abc import Mapping, Sequence
from typing import Any

from zendesk_client.answers import Answer
from zendesk_client.record_types import RecordType
from zendesk_client.records import Definitions, Record, read_record
from zendesk_client.transport import Transport

MAX_RECORDS = 100  # records Zendesk takes, and shows, in one call


class Calls:
    """Base of the groups of calls."""

    _transport: Transport

    def _get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        return self._transport.send("GET", path, params=params)

    def _list_once(
        self, record_type: RecordType, path: str, params: Mapping[str, str], fields: Definitions | None
    ) -> list[Record]:
        answer = self._get(path, params)
        listed = answer.check_shape(answer.read_json().get(record_type.plural), list, record_type.plural)
        return [read_shown(answer, record_type, body, fields) for body in listed if isinstance(body, dict)]


def read_shown(answer: Answer, record_type: RecordType, body: Any, fields: Definitions | None) -> Record:
    """The record in ``body``. One without an id is none: what it does not show would count as empty."""
    record = read_record(record_type, answer.check_shape(body, dict, record_type.envelope), fields)
    answer.check_shape(record.id or None, str, "id")
    return record


def check_count(records: Sequence[Any] | Mapping[str, Any]) -> None:
    """Raise ValueError for more than 100 records."""
    if len(records) > MAX_RECORDS:
        raise ValueError("Zendesk takes at most 100 records a call")
