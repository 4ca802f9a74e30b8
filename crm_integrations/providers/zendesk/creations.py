"""How records are created in Zendesk once however often it is asked for, and shown to agents.

Tickets: the key is also the `Idempotency-Key`, by which Zendesk answers a repetition within two hours as it did the
first time. Users, organizations and records of custom objects: an external id belongs to one record, so a repetition is
refused; the record that carries the key – or the script's own external id and all that was asked for – is then the
answer.
"""

from collections.abc import Mapping
from typing import Any

from crm_integrations.providers.base import CreationRequest, CRMConnection, CRMValue, FieldType, WriteAnswer
from crm_integrations.providers.errors import ValueRefused
from crm_integrations.providers.zendesk.errors import translated_errors
from crm_integrations.providers.zendesk.fields import build_definitions
from crm_integrations.providers.zendesk.write_answers import build_answer
from zendesk_client import (
    FieldDefinition,
    Forbidden,
    IdempotencyMismatch,
    NotFound,
    Record,
    RecordInvalid,
    WriteOptions,
    WriteResult,
    ZendeskClient,
    is_applied,
)

AGENT_ROLES = frozenset({"agent", "admin"})
SHOWN_TYPES = frozenset({"ticket", "user"})
CREATED, FOUND = 201, 200


class ZendeskCreations(CRMConnection):
    """New records, and agents' screens."""

    _client: ZendeskClient
    _agents: dict[str, str]  # e-mail → id, "" for nobody

    def create_record(
        self, request: CreationRequest, *, key: str, types: Mapping[str, FieldType] | None = None
    ) -> WriteAnswer:
        """See the port. An external id of the script's own is stored in place of the key."""
        external_id = str(request.values.get("external_id") or key)
        values = {**request.values, "external_id": external_id}
        fields = build_definitions(types)
        with translated_errors():
            try:
                status, written = self._create(request, values, key, fields)
            except IdempotencyMismatch as error:
                raise ValueRefused(error.message or str(error), status=error.status) from error
            except RecordInvalid as refusal:
                earlier = self._find_earlier(request, values, key, fields)
                if earlier is None:
                    raise refusal
                status, written = FOUND, earlier
        return build_answer(written, f"{request.entity_type} (new)", values, status=status)

    def show_to_agent(self, agent: str, entity_type: str, record_id: str) -> bool:
        """See the port. Accounts without Talk Partner Edition, and agents nobody knows, have no such screen."""
        if entity_type not in SHOWN_TYPES or not agent.strip():
            return False
        with translated_errors():
            try:
                agent_id = agent if agent.isdecimal() else self._find_agent(agent)
                if not agent_id:
                    return False
                self._client.display(agent_id, entity_type, record_id)
            except (Forbidden, NotFound):
                return False
        return True

    def _create(
        self,
        request: CreationRequest,
        values: Mapping[str, CRMValue],
        key: str,
        fields: Mapping[str, FieldDefinition],
    ) -> tuple[int, WriteResult]:
        entity_type = request.entity_type
        if entity_type.startswith("custom_object:") and not request.values.get("external_id"):
            return CREATED, self._client.upsert_object_record(entity_type, key, values, fields=fields)
        is_ticket = entity_type == "ticket"
        written = self._client.create(
            entity_type,
            values,
            fields=fields,
            options=_build_options(request.details),
            extras=request.details.get("extras"),
            idempotency_key=key if is_ticket else "",
        )
        return (FOUND if written.idempotency_lookup == "hit" else CREATED), written

    def _find_earlier(
        self,
        request: CreationRequest,
        values: Mapping[str, CRMValue],
        key: str,
        fields: Mapping[str, FieldDefinition],
    ) -> WriteResult | None:
        """The record that an earlier call with the same key and request made, when only its answer was lost."""
        if request.entity_type == "ticket":
            return None
        external_id = str(values["external_id"])
        found = self._client.find_by_external_id(request.entity_type, external_id, fields=fields)
        carriers = [
            record
            for record in found
            if not record.is_gone and str(record.values.get("external_id")).casefold() == external_id.casefold()
        ]
        if len(carriers) != 1 or not (external_id == key or _is_as_asked(carriers[0], values, fields)):
            return None
        return WriteResult(carriers[0])

    def _find_agent(self, email: str) -> str:
        """The id of the agent with this address; asked for once."""
        if email not in self._agents:
            found = self._client.find_users_by_email(email)
            ids = [
                record.id
                for record in found
                if not record.is_gone
                and record.body.get("role") in AGENT_ROLES
                and str(record.values.get("email") or "").casefold() == email.strip().casefold()
            ]
            self._agents[email] = ids[0] if ids else ""
        return self._agents[email]


def _build_options(details: Mapping[str, Any]) -> WriteOptions:
    return WriteOptions(
        comment_is_public=details.get("comment_is_public") is True,
        comment_is_html=details.get("comment_is_html") is True,
    )


def _is_as_asked(record: Record, values: Mapping[str, CRMValue], fields: Mapping[str, FieldDefinition]) -> bool:
    """Whether a record shows all that was asked for."""
    return all(
        is_applied(fields.get(key) or FieldDefinition(key, "tags" if key == "tags" else "text", ""), value, shown)
        for key, value in values.items()
        if key != "external_id"
        for shown in [record.values.get(key)]
    )
