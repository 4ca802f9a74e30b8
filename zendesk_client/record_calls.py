"""Calls that read and write single records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zendesk_client.answers import Answer
from zendesk_client.bodies import PLAIN, WriteOptions, build_creation, build_update
from zendesk_client.calls import Calls, check_count, read_shown
from zendesk_client.finders import build_show_many
from zendesk_client.paging import iterate_records
from zendesk_client.record_types import TICKET, RecordType, get_record_type
from zendesk_client.records import Definitions, Record

MAX_IDEMPOTENCY_KEY_LENGTH = 255
SIDELOADS = {"user": "users", "group": "groups", "organization": "organizations"}
NAMED_BY = {plural: entity_type for entity_type, plural in SIDELOADS.items()}


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write answered: the record as it is now, and for tickets the audit with the resulting events.

    Compare ``record.values`` with what was sent (``values.is_applied``): Zendesk ignores some values without an error.
    ``idempotency_lookup``: ``hit`` when the answer repeats that of an earlier call with the same key, ``miss``, or "".
    """

    record: Record
    audit: Mapping[str, Any] | None = None
    idempotency_lookup: str = ""


class RecordCalls(Calls):
    """Show, find, update, create, tag."""

    def show(self, entity_type: str, record_id: str | int, *, fields: Definitions | None = None) -> Record:
        """Return one record. Raises RecordNotFound, also for what can be no id; look at ``is_gone`` too."""
        record_type = get_record_type(entity_type)
        answer = self._get(record_type.build_record_path(record_id))
        return read_shown(answer, record_type, answer.read_json().get(record_type.envelope), fields)

    def show_many(
        self, entity_type: str, record_ids: Sequence[str | int], *, fields: Definitions | None = None
    ) -> list[Record]:
        """Return the records found of up to 100 ids; those that do not exist are left out."""
        record_type = get_record_type(entity_type)
        ids = [record_type.check_id(record_id) for record_id in record_ids]
        check_count(ids)
        if not ids:
            return []
        path, params = build_show_many(record_type, ids)
        return self._list_once(record_type, path, params, fields)

    def show_many_named(
        self, entity_type: str, record_ids: Sequence[str | int], include: Iterable[str], *, fields: Definitions | None
    ) -> tuple[list[Record], dict[tuple[str, str], str]]:
        """The same, with the names of what they refer to: (type, id) -> name, in the same call.

        ``include``: which of ``SIDELOADS`` (https://developer.zendesk.com/documentation/ticketing/using-the-zendesk-api/
        side_loading/); custom objects have none.
        """
        record_type = get_record_type(entity_type)
        ids = [record_type.check_id(record_id) for record_id in record_ids]
        check_count(ids)
        if not ids:
            return [], {}
        path, params = build_show_many(record_type, ids)
        wanted = [SIDELOADS[name] for name in sorted(set(include))]
        answer = self._get(path, {**params, "include": ",".join(wanted)} if wanted else params)
        body = answer.read_json()
        listed = answer.check_shape(body.get(record_type.plural), list, record_type.plural)
        records = [read_shown(answer, record_type, each, fields) for each in listed if isinstance(each, dict)]
        return records, {key: name for plural in wanted for key, name in _list_names(body, plural)}

    def iterate_ticket_audits(self, ticket_id: str | int) -> Iterator[Mapping[str, Any]]:
        """Yield a ticket's audits as Zendesk has them, oldest first.

        ``metadata.custom`` holds what ``WriteOptions.metadata`` said. Use it to see whether a comment was posted.
        """
        yield from iterate_records(self._transport, f"{TICKET.build_record_path(ticket_id)}/audits", "audits")

    def update(
        self,
        entity_type: str,
        record_id: str | int,
        values: Mapping[str, Any],
        *,
        fields: Definitions | None = None,
        options: WriteOptions = PLAIN,
    ) -> WriteResult:
        """Write ``values`` (field key -> value) into one record; nothing else of it changes.

        Raises ValueError before any call for what must not be sent; RecordInvalid, ClosedTicket, UpdateConflict,
        RecordNotFound and the rest of the tree after it.
        """
        record_type = get_record_type(entity_type)
        body = build_update(record_type, values, fields, options)
        path = record_type.build_record_path(record_id)
        answer = self._transport.send(record_type.update_method, path, json_body={record_type.envelope: body})
        return _read_write(record_type, answer, fields)

    def create(
        self,
        entity_type: str,
        values: Mapping[str, Any],
        *,
        fields: Definitions | None = None,
        options: WriteOptions = PLAIN,
        extras: Mapping[str, Any] | None = None,
        idempotency_key: str = "",
    ) -> WriteResult:
        """Create a record, with ``extras`` besides its fields (``bodies.CREATION_EXTRAS``).

        ``idempotency_key`` (tickets only, ≤ 255 characters) makes a repetition within two hours answer as the first
        call did; the same key with other content raises IdempotencyMismatch.
        """
        record_type = get_record_type(entity_type)
        if idempotency_key and (record_type is not TICKET or len(idempotency_key) > MAX_IDEMPOTENCY_KEY_LENGTH):
            raise ValueError("only tickets take an idempotency key, of at most 255 characters")
        body = build_creation(record_type, values, fields, options, extras)
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        answer = self._transport.send("POST", record_type.path, json_body={record_type.envelope: body}, headers=headers)
        return _read_write(record_type, answer, fields)

    def upsert_object_record(
        self, entity_type: str, external_id: str, values: Mapping[str, Any], *, fields: Definitions | None = None
    ) -> WriteResult:
        """Create the record of a custom object that has this external id, or update the one that has it already."""
        record_type = get_record_type(entity_type)
        if not record_type.object_key or not external_id.strip():
            raise ValueError("only records of custom objects are written by their external id")
        body = build_creation(record_type, {**values, "external_id": external_id}, fields)
        answer = self._transport.send(
            "PATCH",
            record_type.path,
            params={"external_id": external_id},
            json_body={record_type.envelope: body},
        )
        return _read_write(record_type, answer, fields)

    def add_tags(self, entity_type: str, record_id: str | int, tags: Iterable[str]) -> tuple[str, ...]:
        """Add tags to a ticket, user or organization and return all it now has; none is ever removed."""
        record_type = get_record_type(entity_type)
        if record_type.object_key:
            raise ValueError("custom objects have no tags")
        path = f"{record_type.build_record_path(record_id)}/tags"
        answer = self._transport.send("PUT", path, json_body={"tags": list(tags)})
        return tuple(str(tag) for tag in answer.check_shape(answer.read_json().get("tags"), list, "tags"))


def _read_write(record_type: RecordType, answer: Answer, fields: Definitions | None) -> WriteResult:
    body = answer.read_json()
    audit = body.get("audit")
    return WriteResult(
        record=read_shown(answer, record_type, body.get(record_type.envelope), fields),
        audit=audit if isinstance(audit, dict) else None,
        idempotency_lookup=answer.headers.get("x-idempotency-lookup", ""),
    )


def _list_names(body: Mapping[str, Any], plural: str) -> Iterator[tuple[tuple[str, str], str]]:
    """The names of the records that came along under one key."""
    listed = body.get(plural)
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and each.get("id") and each.get("name"):
            yield (NAMED_BY[plural], str(each["id"])), str(each["name"])
