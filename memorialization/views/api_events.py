"""`POST /api/v1/configurations/<id>/events`: takes one event or an array, commits, then answers (interfaces §4)."""

from typing import Any

from django.http import JsonResponse
from django.utils.translation import gettext as _

from crm_integrations.api.problems import ApiProblem
from crm_integrations.api.requests import ApiCall, api_view
from memorialization.services.intake import IntakeResult, RejectedEvent, accept_events

EVENTS_LIMIT = 500  # events of one array, interfaces §4


@api_view("POST")
def receive_events(call: ApiCall) -> JsonResponse:
    """202 when anything was accepted or known already; 422 when nothing was."""
    payloads = _read_payloads(call.json())
    result = accept_events(configuration=call.configuration, payloads=payloads, received_at=call.now)
    return answer_intake(result)


def answer_intake(result: IntakeResult) -> JsonResponse:
    """What became of the events. Raises ApiProblem when none of them was accepted or known."""
    body: dict[str, Any] = {
        "accepted": list(result.accepted),
        "duplicates": list(result.duplicates),
        "rejected": [_rejected_as_json(rejected) for rejected in result.rejected],
    }
    if result.ignored:
        body["ignored"] = [{"eventId": event_id, "keys": list(keys)} for event_id, keys in result.ignored.items()]
    if not result.accepted and not result.duplicates:
        errors = [{"index": entry["index"], **error} for entry in body["rejected"] for error in entry["errors"]]
        raise ApiProblem(422, _("No event was accepted; nothing was stored."), errors=errors, **body)
    return JsonResponse(body, status=202)


def _read_payloads(body: Any) -> list[Any]:
    payloads = body if isinstance(body, list) else [body]
    if not payloads:
        raise ApiProblem(422, _("The array is empty; send at least one event."))
    if len(payloads) > EVENTS_LIMIT:
        message = _("The array has more than %(limit)s events; nothing was stored. Send fewer at a time.")
        raise ApiProblem(413, message % {"limit": EVENTS_LIMIT})
    return payloads


def _rejected_as_json(rejected: RejectedEvent) -> dict[str, Any]:
    errors = [{"field": error.field, "message": error.message} for error in rejected.errors]
    return {"index": rejected.index, "eventId": rejected.event_id, "errors": errors}
