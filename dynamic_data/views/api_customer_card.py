"""The customer card for scripts, and signed addresses of its page for an agent's desktop (interfaces §4)."""

from typing import Any

from django.http import JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm_integrations.api.card_records import card_as_json
from crm_integrations.api.problems import ApiProblem
from crm_integrations.api.requests import ApiCall, api_view
from crm_integrations.contact_links import RecordReference
from crm_integrations.models import Configuration
from crm_integrations.providers.errors import CRMError
from crm_integrations.services.catalogue import read_entity_types
from crm_integrations.services.known_definitions import known_entity_types
from dynamic_data.forms.card_requests import RequestReader, RequestRefused
from dynamic_data.services.card_addresses import CardAddress, full_address
from dynamic_data.services.customer_card import (
    CardReader,
    CardRefused,
    CustomerCard,
    build_contact_card,
    build_record_card,
    refuse_unready,
)

NOT_STORED = {"Cache-Control": "no-store"}  # customers' data, and addresses that open them


@api_view("GET")
def show_card(call: ApiCall) -> JsonResponse:
    """The records of a contact (`contactId`), or one record (`entityType`, `id`)."""
    reader = RequestReader(call.request.GET.dict())
    contact_id = reader.read_id("contactId")
    names_record = "entityType" in call.request.GET or "id" in call.request.GET
    if contact_id and names_record:
        reader.refuse("contactId", _("Send either contactId, or entityType and id."))
    elif not contact_id and not names_record and not reader.errors:
        reader.refuse("contactId", _("Send contactId, or entityType and id."))
    record = reader.read_record() if names_record else None
    looks = CardReader(get_language() or "en", reader.read_time_zone(call.configuration.time_zone))
    _finish(reader)
    try:
        card = (
            _build_record_card(call, record, looks)
            if record
            else build_contact_card(configuration=call.configuration, contact_id=contact_id, reader=looks)
        )
    except CardRefused as refused:
        raise ApiProblem(409, refused.reason) from refused
    return JsonResponse(_card_as_json(card), headers=NOT_STORED)


@api_view("POST")
def make_address(call: ApiCall) -> JsonResponse:
    """An address of the card's page, for an iframe in the agent's desktop."""
    body = call.json()
    if not isinstance(body, dict):
        raise ApiProblem(422, _("Send an object with contactId."))
    reader = RequestReader(body)
    contact_id, agent_id = reader.read_id("contactId"), reader.read_id("agentId")
    if not contact_id and not reader.errors:
        reader.refuse("contactId", _("This is missing."))
    language = reader.read_language(get_language() or "en")
    time_zone = reader.read_time_zone(call.configuration.time_zone)
    _finish(reader)
    try:
        refuse_unready(call.configuration)
    except CardRefused as refused:
        raise ApiProblem(409, refused.reason) from refused
    now = call.now.replace(microsecond=0)
    address = CardAddress(call.configuration.pk, call.key_id, contact_id, agent_id, language, time_zone, now, now)
    return JsonResponse({"url": full_address(address), "expiresAt": address.ends_at.isoformat()}, headers=NOT_STORED)


def _finish(reader: RequestReader) -> None:
    try:
        reader.finish()
    except RequestRefused as refused:
        raise ApiProblem(422, _("The request cannot be understood; see errors."), errors=refused.errors) from refused


def _build_record_card(call: ApiCall, record: RecordReference, looks: CardReader) -> CustomerCard:
    if not _has_entity_type(call.configuration, record.entity_type):
        message = _("The CRM account has no such entity type.")
        raise ApiProblem(422, message, errors=[{"field": "entityType", "message": message}])
    card = build_record_card(configuration=call.configuration, reference=record, reader=looks)
    if card.current[0].is_gone:
        raise ApiProblem(404, _("The CRM has no such record."))
    return card


def _has_entity_type(configuration: Configuration, entity_type: str) -> bool:
    """As the account was last read; what is not known there is asked for, unless the CRM cannot answer."""
    authentication = configuration.authentication
    if authentication is None or entity_type in known_entity_types(account_id=authentication.account_id):
        return True
    try:
        return entity_type in {found.key for found in read_entity_types(authentication=authentication)}
    except CRMError:
        return True


def _card_as_json(card: CustomerCard) -> dict[str, Any]:
    return {
        "current": [card_as_json(record) for record in card.current],
        "related": [card_as_json(record) for record in card.related],
    }
