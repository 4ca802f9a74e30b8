"""The create workflows: a record as the script describes it, made once however often the script repeats its call."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.models import Configuration, RecordCreation
from crm_integrations.problems import Problem
from crm_integrations.providers.base import CreationRefused, CreationRequest, CRMConnection, CRMProvider
from crm_integrations.providers.errors import RecordClosed, RecordGone, ValueRefused
from crm_integrations.services.record_creation import Creation, contact_key, create_once
from crm_integrations.workflows.bodies import NewRecord, Workflow
from crm_integrations.workflows.body_reading import BodyRefused

KEY_LIMIT = 200  # characters of an Idempotency-Key
SAME_BODY_FOR = timedelta(minutes=10)  # how long a body without contact and key is taken for a repetition


def read_request(*, workflow: Workflow, provider: CRMProvider, asked: NewRecord) -> CreationRequest:
    """What is to be created. Raises BodyRefused with every field that is wrong, before any call."""
    own = {Workflow.CREATE_TICKET: provider.case_type, Workflow.CREATE_USER: provider.person_type}.get(workflow)
    if own and asked.entity_type not in ("", own):
        message = _("This workflow creates records of the type %(type)s only.") % {"type": own}
        raise BodyRefused([Problem(("table",), message)])
    try:
        return provider.read_creation(own or asked.entity_type, asked.data, is_standard_only=own is not None)
    except CreationRefused as refusal:
        problems = [Problem(("data", *filter(None, path.split("."))), sentence) for path, sentence in refusal.errors]
        raise BodyRefused(problems) from refusal


def occasion_key(*, idempotency_key: str, contact_id: str, request: CreationRequest) -> str:
    """By what repetitions are known: the script's own key, else its contact, else the body itself."""
    if idempotency_key:
        return f"key:{idempotency_key}"
    return contact_key(contact_id) if contact_id else f"body:{_hash_of(request)}"


def create_for_script(
    *,
    connection: CRMConnection,
    configuration: Configuration,
    request: CreationRequest,
    key: str,
    contact_id: str,
    now: datetime,
) -> Creation:
    """The record, made now or before. Raises BodyRefused when the CRM refuses it, else what create_once raises."""
    if key.startswith("body:"):
        _forget_earlier_body(configuration, request.entity_type, key, now)
    try:
        return create_once(
            connection=connection, configuration=configuration, request=request, key=key, contact_id=contact_id
        )
    except (ValueRefused, RecordClosed) as error:
        raise BodyRefused(_refused_values(error)) from error
    except RecordGone as error:
        raise BodyRefused([Problem(("table",), _no_such_type(error))]) from error


def _forget_earlier_body(configuration: Configuration, entity_type: str, key: str, now: datetime) -> None:
    """A body that comes again after ten minutes is meant again. One statement, so that two scripts forget it once."""
    rows = RecordCreation.objects.filter(configuration=configuration, entity_type=entity_type, key=key)
    rows.exclude(state=RecordCreation.State.STARTED).filter(finished_at__lt=now - SAME_BODY_FOR).delete()


def _refused_values(error: ValueRefused | RecordClosed) -> list[Problem]:
    fields: Mapping[str, str] = getattr(error, "fields", {})
    if not fields:
        return [Problem(("data",), _("The CRM refuses the record: %(words)s") % {"words": error.message})]
    return [Problem(("data", field), words) for field, words in fields.items()]


def _no_such_type(error: RecordGone) -> str:
    return _("The CRM knows no such record type, or not what the record goes on from: %(words)s") % {
        "words": error.message
    }


def _hash_of(request: CreationRequest) -> str:
    described: list[Any] = [dict(request.values), dict(request.details)]
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()
