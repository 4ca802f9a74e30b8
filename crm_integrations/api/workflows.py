"""`POST /api/v1/configurations/<id>/workflows/<name>`: searches and new records for scripts (interfaces §4)."""

import json
import math
from typing import Any

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_integrations.api.card_records import card_as_json
from crm_integrations.api.problems import ApiProblem
from crm_integrations.api.requests import ApiCall, api_view
from crm_integrations.error_explanations import explain_crm_error
from crm_integrations.providers.errors import (
    AccessDenied,
    Conflict,
    CRMError,
    CRMUnavailable,
    GrantEnded,
    Reauthenticate,
    RetryLater,
)
from crm_integrations.services.workflow_creation import KEY_LIMIT
from crm_integrations.services.workflow_run import NotActive, WorkflowOutcome, run_workflow
from crm_integrations.workflows.bodies import Workflow
from crm_integrations.workflows.body_reading import BodyRefused, is_storable
from crm_integrations.workflows.parsing import parse_body

RETRY_AFTER_S = 5  # when the CRM does not say
ANSWER_LIMIT = 30_000  # bytes; the contact centre's REST action takes 32 KB and fails on more
INACTIVE = gettext_lazy("The CRM account must be re-authenticated before workflows can run; nothing was done.")


@api_view("POST")
def run(call: ApiCall, workflow: str) -> JsonResponse:
    """200 with the records that were found or created; nothing was created whenever a problem is answered."""
    if workflow not in list(Workflow):
        raise ApiProblem(404, _("There is no such workflow; see /api/v1/openapi.json."))
    body, key = call.json(), _read_key(call)
    try:
        asked = parse_body(Workflow(workflow), body)
        outcome = run_workflow(
            configuration=call.configuration,
            workflow=Workflow(workflow),
            asked=asked,
            idempotency_key=key,
            now=call.now,
        )
    except BodyRefused as refusal:
        errors = [{"field": problem.json_path, "message": problem.message} for problem in refusal.problems]
        raise ApiProblem(422, _("The workflow cannot run with this body."), errors=errors) from refusal
    except NotActive as error:
        raise ApiProblem(409, str(INACTIVE)) from error
    except CRMError as error:
        raise problem_of(error) from error
    return JsonResponse(_bounded(_as_json(outcome) | {"ignored": list(asked.circumstances.ignored)}))


def problem_of(error: CRMError) -> ApiProblem:
    """What a script is told of an error of the CRM: what passes is worth another try, and says when."""
    if isinstance(error, (GrantEnded, Reauthenticate)):
        return ApiProblem(409, str(INACTIVE))
    if isinstance(error, (RetryLater, CRMUnavailable, Conflict)):
        wait_s = getattr(error, "retry_after_s", None) or RETRY_AFTER_S
        return ApiProblem(503, explain_crm_error(error), headers={"Retry-After": str(math.ceil(wait_s))})
    if isinstance(error, AccessDenied):
        return ApiProblem(403, _("The system user may not do this in the CRM: %(words)s") % {"words": error.message})
    return ApiProblem(502, _("The CRM refused the call: %(words)s") % {"words": error.message})


def _read_key(call: ApiCall) -> str:
    key = call.request.headers.get("Idempotency-Key", "").strip()
    if len(key) > KEY_LIMIT or not is_storable(key):
        message = _("Use at most %(limit)s characters.") % {"limit": KEY_LIMIT}
        raise ApiProblem(422, message, errors=[{"field": "Idempotency-Key", "message": message}])
    return key


def _as_json(outcome: WorkflowOutcome) -> dict[str, Any]:
    body: dict[str, Any] = {
        "records": [card_as_json(card) for card in outcome.records],
        "related": [card_as_json(card) for card in outcome.related],
        "pinned": [card_as_json(card) for card in outcome.pinned],
        "created": outcome.is_created,
        "isComplete": outcome.is_complete,
        "notes": list(outcome.notes),
    }
    if outcome.screen_pop is not None:
        body["screenPop"] = {"shown": outcome.screen_pop.is_shown, "reason": outcome.screen_pop.reason}
    return body


def _bounded(body: dict[str, Any]) -> dict[str, Any]:
    """The answer as far as a script can take it: the last records go first, of cases before those of people."""
    size = len(json.dumps(body))
    for records in (body["related"], body["records"]):
        while size > ANSWER_LIMIT and records:
            size -= len(json.dumps(records.pop())) + 2
            body["isComplete"] = False
    return body
