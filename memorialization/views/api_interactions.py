"""The API on one contact: what became of its segments, and which records belong to them (interfaces §4)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from crm_integrations.api.problems import ApiProblem
from crm_integrations.api.requests import ApiCall, api_view
from crm_integrations.models import Configuration
from memorialization.events.schema import SEGMENT_ID_LIMIT
from memorialization.events.values import ValueRefused, is_blank, read_id
from memorialization.models import Delivery, Interaction
from memorialization.reasons import explain_reason
from memorialization.rules import RULES
from memorialization.services.event_folding import fold_contact_events
from memorialization.services.linking import change_link
from memorialization.views.api_events import answer_intake


@api_view("GET")
def show_interaction(call: ApiCall, contact_id: str) -> JsonResponse:
    """The segments of a contact, oldest first, with their deliveries."""
    segments = _find_segments(call, contact_id)
    is_held = _is_held(call.configuration)
    body = {
        "contactId": contact_id,
        "segments": [_segment_as_json(segment, is_held=is_held) for segment in segments],
    }
    return JsonResponse(body)


@api_view("POST")
def link_record(call: ApiCall, contact_id: str) -> HttpResponse:
    """Link a record to a segment, by default the latest."""
    body = call.json()
    if not isinstance(body, dict):
        raise ApiProblem(422, _("Send an object with entityType and id."))
    record = {"entityType": body.get("entityType"), "id": body.get("id")}
    segment = _find_segment(call, contact_id, body.get("segmentId"))
    return answer_intake(change_link(interaction=segment, record=record, is_linked=True, now=call.now))


@api_view("DELETE")
def unlink_record(call: ApiCall, contact_id: str, entity_type: str, record_id: str) -> HttpResponse:
    """Unlink a record from a segment, by default the latest (`?segmentId=` names another)."""
    segment = _find_segment(call, contact_id, call.request.GET.get("segmentId"))
    record = {"entityType": entity_type, "id": record_id}
    return answer_intake(change_link(interaction=segment, record=record, is_linked=False, now=call.now))


def _find_segments(call: ApiCall, contact_id: str) -> list[Interaction]:
    """The contact's segments as all its acknowledged events leave them."""
    if "\0" in contact_id:  # PostgreSQL refuses the character
        raise _unknown_contact()
    fold_contact_events(configuration=call.configuration, contact_id=contact_id, now=call.now)
    segments = list(
        Interaction.objects.filter(contact__configuration=call.configuration, contact__contact_id=contact_id)
        .select_related("configuration", "contact")
        .prefetch_related("deliveries")
    )
    if not segments:
        raise _unknown_contact()
    return sorted(segments, key=lambda segment: (segment.started_at or segment.created_at, segment.pk))


def _unknown_contact() -> ApiProblem:
    return ApiProblem(404, _("This configuration has no interaction with this Contact ID."))


def _find_segment(call: ApiCall, contact_id: str, segment_id: object) -> Interaction:
    segments, wanted = _find_segments(call, contact_id), _read_segment_id(segment_id)
    if not wanted:
        return segments[-1]
    found = [segment for segment in segments if segment.segment_id == wanted]
    if not found:
        raise ApiProblem(404, _("This contact has no such segment."))
    return found[-1]


def _read_segment_id(value: object) -> str:
    try:
        return "" if is_blank(value) else read_id(value, limit=SEGMENT_ID_LIMIT)
    except ValueRefused as refusal:
        message = str(refusal)
        raise ApiProblem(422, message, errors=[{"field": "segmentId", "message": message}]) from refusal


def _is_held(configuration: Configuration) -> bool:
    """Whether what waits is held: nobody may write with the configuration until somebody brings it back."""
    authentication = configuration.authentication
    return configuration.state != Configuration.State.ACTIVE or authentication is None or authentication.is_held


def _segment_as_json(segment: Interaction, *, is_held: bool) -> dict[str, Any]:
    deliveries = sorted(segment.deliveries.all(), key=lambda delivery: delivery.pk)
    return {
        "segmentId": segment.segment_id,
        "channel": segment.channel,
        "agentId": segment.agent_id,
        "state": segment.state,
        "verdict": {"rule": segment.verdict_rule, "text": str(RULES.get(segment.verdict_rule, ""))},
        "matching": _matching_as_json(segment, is_held=is_held),
        "deliveries": [_delivery_as_json(delivery, is_held=is_held) for delivery in deliveries],
    }


def _matching_as_json(segment: Interaction, *, is_held: bool) -> dict[str, str] | None:
    """What the pages say of records that are still looked for; None when there are none such."""
    if segment.match_due_at is None:
        return None
    return {
        "state": "held" if is_held else "waiting",
        "text": _("Records are being looked for"),
        "reason": explain_reason(segment.match_reason).what if segment.match_reason else "",
    }


def _delivery_as_json(delivery: Delivery, *, is_held: bool) -> dict[str, Any]:
    is_waiting = delivery.state == Delivery.State.WAITING
    return {
        "id": delivery.pk,
        "state": "held" if is_waiting and is_held else delivery.state,
        "entityType": delivery.entity_type,
        "recordId": delivery.record_id,
        "revision": delivery.revision,
        "reason": explain_reason(delivery.reason, delivery.reason_params).what if delivery.reason else "",
        "fields": [_field_as_json(entry) for entry in delivery.fields],
    }


def _field_as_json(entry: Mapping[str, Any]) -> dict[str, Any]:
    reason = entry.get("reason")
    return {
        "crmField": entry["crm_field"],
        "source": entry["source"],
        "value": entry.get("value"),
        "sent": entry.get("sent"),
        "result": entry.get("result"),
        "reason": explain_reason(reason, entry.get("params")).what if reason else "",
    }
