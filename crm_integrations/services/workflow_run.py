"""Runs one workflow for a script: the CRM is asked, what came of it is kept for the contact, linked and shown.

An agent waits meanwhile, so the calls may use the head-room of people, and none begins after CALLS_BEGIN_WITHIN_S.
"""

import hashlib
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm_integrations.budgets.circuits import CircuitState
from crm_integrations.contact_links import RecordReference, contact_links
from crm_integrations.definitions import title_of_key
from crm_integrations.models import Authentication, Configuration
from crm_integrations.providers.base import CRMConnection
from crm_integrations.providers.errors import CRMError, CRMUnavailable
from crm_integrations.providers.registry import get_provider
from crm_integrations.services.circuits import give_probe_back, may_push
from crm_integrations.services.connections import open_connection
from crm_integrations.services.contact_records import keep_found_records
from crm_integrations.services.record_cards import RecordCard, build_cards
from crm_integrations.services.workflow_creation import create_for_script, occasion_key, read_request
from crm_integrations.services.workflow_searches import Found, search_email, search_phone, search_records
from crm_integrations.workflows.bodies import Circumstances, CustomSearch, EmailSearch, NewRecord, PhoneSearch, Workflow
from crm_integrations.workflows.parsing import Body

CALLS_BEGIN_WITHIN_S = 25.0  # a script waits for 90 s at most; the last call may take CALL_TIMEOUT_S more
ORIGIN = "workflow"


class NotActive(Exception):
    """Nobody may ask the CRM with this configuration until somebody brings its authentication back."""


@dataclass(frozen=True, slots=True)
class ScreenPop:
    """Whether the record was opened on the agent's screen, and why not."""

    is_shown: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WorkflowOutcome:
    """What the script is told."""

    records: list[RecordCard]
    related: list[RecordCard]
    pinned: list[RecordCard]
    is_created: bool
    is_complete: bool
    screen_pop: ScreenPop | None
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Run:
    """One run, and what came of it so far."""

    configuration: Configuration
    authentication: Authentication
    workflow: Workflow
    circumstances: Circumstances
    now: datetime
    found: Found = Found()
    is_created: bool = False
    pinned: tuple[RecordReference, ...] = ()
    screen_pop: ScreenPop | None = None
    notes: list[str] = field(default_factory=list)
    began_at: float = field(default_factory=time.monotonic)


def run_workflow(
    *, configuration: Configuration, workflow: Workflow, asked: Body, idempotency_key: str = "", now: datetime
) -> WorkflowOutcome:
    """Ask, keep, link, show. Raises NotActive, BodyRefused, or the port's errors; after any of them it can be repeated.

    Call it outside atomic().
    """
    run = _Run(configuration, _usable_authentication(configuration), workflow, asked.circumstances, now)
    if isinstance(asked, NewRecord):
        _create(run, asked, idempotency_key)
    else:
        _search(run, asked)
    return _tell(run)


def _usable_authentication(configuration: Configuration) -> Authentication:
    authentication = configuration.authentication
    if configuration.state != Configuration.State.ACTIVE or authentication is None or authentication.is_held:
        raise NotActive
    return authentication


@contextmanager
def _connect(run: _Run) -> Iterator[CRMConnection]:
    """A connection, unless the account's circuit is open: a thread that waits for a CRM that is away takes no events.

    When it is time for a probe, this is one. Raises CRMUnavailable.
    """
    account_id = run.authentication.account_id
    verdict = may_push(account_id=account_id, now=run.now)
    if verdict.state is CircuitState.OPEN:
        wait_s = (verdict.until - run.now).total_seconds() if verdict.until else 0.0
        message = _("The CRM cannot be reached just now.")
        raise CRMUnavailable(message, may_have_applied=False, retry_after_s=max(wait_s, 1.0))
    calls = 0
    try:
        with open_connection(authentication=run.authentication, lasts_s=CALLS_BEGIN_WITHIN_S) as connection:
            try:
                yield connection
            finally:
                calls = connection.gate.calls
    finally:
        if verdict.state is CircuitState.PROBE and not calls:
            give_probe_back(account_id=account_id, verdict=verdict, now=run.now)


def _search(run: _Run, asked: PhoneSearch | EmailSearch | CustomSearch) -> None:
    with _connect(run) as connection:
        run.found = _ask(run, asked, connection)
        _show(run, connection)
    run.notes += run.found.notes
    contact_id = run.circumstances.contact_id
    if contact_id:
        keep_found_records(
            configuration=run.configuration,
            contact_id=contact_id,
            workflow=run.workflow,
            records=[*run.found.records, *run.found.related],
            now=run.now,
        )
    if run.circumstances.is_pinned:
        _pin(run)


def _ask(run: _Run, asked: PhoneSearch | EmailSearch | CustomSearch, connection: CRMConnection) -> Found:
    if isinstance(asked, PhoneSearch):
        return search_phone(connection=connection, configuration=run.configuration, asked=asked)
    if isinstance(asked, EmailSearch):
        return search_email(connection=connection, asked=asked)
    provider = get_provider(run.configuration.integration_type)
    return search_records(connection=connection, provider=provider, asked=asked)


def _create(run: _Run, asked: NewRecord, idempotency_key: str) -> None:
    provider = get_provider(run.configuration.integration_type)
    request = read_request(workflow=run.workflow, provider=provider, asked=asked)
    contact_id = run.circumstances.contact_id
    key = occasion_key(idempotency_key=idempotency_key, contact_id=contact_id, request=request)
    with _connect(run) as connection:
        creation = create_for_script(
            connection=connection,
            configuration=run.configuration,
            request=request,
            key=key,
            contact_id=contact_id,
            now=run.now,
        )
        run.found, run.is_created = Found((creation.record,)), creation.is_new
        _show(run, connection)
    if contact_id and run.circumstances.is_pinned is not False:
        _pin(run)


def _pin(run: _Run) -> None:
    """Link the record to the contact, once in each of its segments; of several matches nobody knows which is meant."""
    records, contact_id = run.found.records, run.circumstances.contact_id
    if not contact_id:
        run.notes.append(_("Nothing was linked, since the body names no contactId."))
    elif len(records) > 1:
        run.notes.append(_("Several records were found, so none was linked."))
    elif records:
        try:
            contact_links().link(
                configuration=run.configuration,
                contact_id=contact_id,
                record=records[0],
                origin=ORIGIN,
                now=run.now,
                event_id=_link_id(contact_id, records[0]),
            )
        except ValueError as refusal:
            run.notes.append(_("The record was not linked: %(reason)s") % {"reason": refusal})
        else:
            run.pinned = records


def _link_id(contact_id: str, record: RecordReference) -> str:
    named = "\n".join((contact_id, record.entity_type, record.record_id))
    return f"workflow-link-{hashlib.sha256(named.encode()).hexdigest()[:40]}"


def _show(run: _Run, connection: CRMConnection) -> None:
    """Open the record on the agent's screen, if that was asked for; whatever hinders it is told and nothing more."""
    if run.circumstances.pops_screen:
        run.screen_pop = _pop(run.circumstances.agent, run.found.records, connection)


def _pop(agent: str, records: Sequence[RecordReference], connection: CRMConnection) -> ScreenPop:
    if not agent:
        return ScreenPop(False, _("The body names no agent: send agent or crmuserid."))
    if len(records) != 1:
        return ScreenPop(False, _("Several records were found.") if records else _("No record was found."))
    try:
        is_shown = connection.show_to_agent(agent, records[0].entity_type, records[0].record_id)
    except CRMError as error:
        return ScreenPop(False, _("The CRM did not open it: %(words)s") % {"words": error.message})
    return ScreenPop(is_shown, "" if is_shown else _("The CRM cannot open this record on the agent’s screen."))


def _tell(run: _Run) -> WorkflowOutcome:
    """What came of it, with the cards of all records."""
    linked = _linked_records(run)
    cards = {
        record: replace(card, is_linked=record in linked)
        for record, card in _cards(run, [*run.found.records, *run.found.related]).items()
    }
    if any(card.is_gone for card in cards.values()):
        run.notes.append(_("A record was deleted in the CRM since it was created or found."))
    return WorkflowOutcome(
        records=[cards[each] for each in run.found.records],
        related=[cards[each] for each in run.found.related],
        pinned=[cards[each] for each in run.pinned],
        is_created=run.is_created,
        is_complete=run.found.is_complete,
        screen_pop=run.screen_pop,
        notes=tuple(run.notes),
    )


def _linked_records(run: _Run) -> Collection[RecordReference]:
    contact_id = run.circumstances.contact_id
    if not contact_id:
        return ()
    return contact_links().read_contact(configuration=run.configuration, contact_id=contact_id, now=run.now).linked


def _cards(run: _Run, records: Sequence[RecordReference]) -> dict[RecordReference, RecordCard]:
    """The cards, read from the CRM by as few calls as they take; when the time is over, without their fields."""
    if time.monotonic() - run.began_at > CALLS_BEGIN_WITHIN_S:
        run.notes.append(_("The CRM took too long to answer, so the records’ fields were not read."))
        return {record: _plain_card(run, record) for record in records}
    language, time_zone = get_language() or "en", run.configuration.time_zone
    return {
        card.reference: card for card in build_cards(run.configuration, records, language=language, time_zone=time_zone)
    }


def _plain_card(run: _Run, record: RecordReference) -> RecordCard:
    provider, address = get_provider(run.configuration.integration_type), run.authentication.account.address
    url = provider.record_url(address, run.configuration.external_domain, record.entity_type, record.record_id)
    title = f"{title_of_key(record.entity_type)} {record.record_id}"
    return RecordCard(record.entity_type, record.record_id, title, url)
