"""A product in use: configurations in every state, mappings, and interactions that came out in different ways."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_integrations.models import Authentication, Configuration
from crm_integrations.services.configurations import create_draft
from crm_integrations.services.intake_keys import create_key, revoke_key
from crm_integrations.services.rights import recheck_rights
from dynamic_data.mappings import contents as shown
from dynamic_data.services import mappings as shown_mappings
from memorialization.mappings.drafts import EntityDraft, MappingDraft, RowDraft
from memorialization.models import Delivery, Interaction, MemorializationMapping, ReplayRun
from memorialization.selectors.ledger_filters import LedgerFilters
from memorialization.services.draining import drain_account
from memorialization.services.intake import accept_events
from memorialization.services.mappings import create_mapping, update_mapping
from memorialization.services.replay_choices import ReplayChoice
from memorialization.services.replay_runs import continue_replay_run, start_replay_run
from memorialization.services.replays import replay_delivery
from tests.browser.connected import connect
from tests.browser.demo_account import DemoAccount

NOTES = "Le client rappellera lundi matin; il attend le numéro de suivi du colis avant d'accepter l'offre. " * 12
LONG_NAME = "Service à la clientèle – Grands comptes, Québec et Provinces maritimes"


@dataclass(frozen=True)
class Populated:
    """What the pages show."""

    active: Configuration
    draft: Configuration
    connected_draft: Configuration
    stopped: Configuration
    key_id: int
    mapping: MemorializationMapping
    deliveries: dict[str, Delivery]  # by state
    runs: dict[str, ReplayRun]  # by what there is to see

    def interaction(self, state: str) -> Interaction:
        """The interaction behind a delivery of that state."""
        return self.deliveries[state].interaction


def populate(account: DemoAccount, user: Any) -> Populated:
    """Fill the product by its own services, against an account of the demo Zendesk."""
    now = datetime.now(UTC)
    active = connect(account, name=LONG_NAME, description="Voice and digital, both languages.")
    recheck_rights(authentication=active.authentication, actor=user, now=now)
    create_key(configuration=active, kind="bearer", label="Studio script, support", actor=user, now=now)
    key, _text = create_key(configuration=active, kind="signing", label="Old gateway", actor=user, now=now)
    revoke_key(key=key, actor=user, now=now)
    living = active.intake_keys.order_by("pk").first()
    mapping = make_mappings(active, account, user)
    choose_shown_fields(active, user)
    tell_interactions(active, account, now)
    connected_draft = create_draft(integration_type="zendesk", name="Ventes", description="", actor=user)
    Configuration.objects.filter(pk=connected_draft.pk).update(authentication=active.authentication)
    stopped = connect_stopped(account)
    found = {delivery.state: delivery for delivery in Delivery.objects.order_by("-pk")}
    draft = create_draft(integration_type="zendesk", name="Recouvrement", description="", actor=user)
    runs = start_runs(active, user, now)
    return Populated(active, draft, connected_draft, stopped, living.pk, mapping, found, runs)


def make_mappings(configuration: Configuration, account: DemoAccount, user: Any) -> MemorializationMapping:
    """One mapping with every kind of row and a second version, and one that is switched off."""
    keys = {
        found["title"]: f"custom_field_{found['id']}"
        for found in account.read("records/ticket_fields")["ticket_fields"]
    }
    ticket = EntityDraft(
        "ticket",
        (
            RowDraft("subject", "voice", "skillName"),
            RowDraft(keys["CXone contact ID"], "voice", "contactId"),
            RowDraft(keys["Disposition"], "voice", "dispositionName"),
            RowDraft(keys["Call notes"], "voice", "dispositionNotes"),
            RowDraft(keys["CXone agent"], "script_variable", "accounttier"),
            RowDraft(keys["Transcript"], "digital", "transcriptionText"),
        ),
    )
    person = EntityDraft(
        "user", (RowDraft("name", "digital", "customerName"), RowDraft("last_agent", "voice", "agentName"))
    )
    first = MappingDraft("Fin de l'interaction", "Appels et cas numériques", True, (ticket,))
    mapping = create_mapping(configuration=configuration, draft=first, actor=user)
    second = MappingDraft(first.name, first.description, True, (ticket, person))
    mapping = update_mapping(mapping=mapping, draft=second, base_version=1, actor=user)
    other = EntityDraft("organization", (RowDraft("last_contact", "voice", "endTime"),))
    create_mapping(configuration=configuration, draft=MappingDraft("Organisations", "", False, (other,)), actor=user)
    return mapping


def choose_shown_fields(configuration: Configuration, user: Any) -> None:
    """What agents see of two record types."""
    entities = (
        shown.EntityDraft("ticket", ("subject", "status", "priority", "requester_id", "created_at")),
        shown.EntityDraft("user", ("name", "email", "phone")),
    )
    draft = shown.MappingDraft("Carte des agents", "Ce que les agents voient", True, entities)
    shown_mappings.create_mapping(configuration=configuration, draft=draft, actor=user)


def tell_interactions(configuration: Configuration, account: DemoAccount, now: datetime) -> None:
    """Calls and a case that end as delivered, partial, failed, skipped and waiting."""
    customer, ticket = str(account.customer()["id"]), account.open_ticket()
    told = [
        make_call("415203958101", now, records=[("user", customer)]),
        make_call("415203958102", now, records=[("ticket", ticket)], dispositionName="Unheard of"),
        make_call("415203958103", now, records=[("ticket", "99999999")], dispositionName="Resolved"),
        make_call("415203958104", now, records=[]),
        make_call("415203958105", now, records=[("ticket", ticket)], acw=True),
    ]
    send(configuration, [payload for call in told for payload in call])
    account.change("faults", kind="status", status=503, method="PUT")
    send(configuration, make_call("415203958106", now, records=[("ticket", ticket)], dispositionName="Resolved"))
    done = Delivery.objects.filter(state=Delivery.State.PARTIAL).order_by("pk").first()
    assert done is not None, list(Delivery.objects.values("state", "reason", "fields"))
    replay_delivery(delivery=done, actor=None, now=now)


def start_runs(configuration: Configuration, user: Any, now: datetime) -> dict[str, ReplayRun]:
    """Replays of many deliveries: what they queued waits, or was left out, or nobody works on it yet."""
    choices = {
        "queued": LedgerFilters(configuration=configuration.pk, state="delivered", channel="voice"),
        "left_out": LedgerFilters(state="skipped", reason="no_record", since=now.date() - timedelta(days=7)),
        "unattended": LedgerFilters(configuration=configuration.pk, q="415203958"),
    }
    runs = {
        name: start_replay_run(choice=ReplayChoice(filters), key=uuid.uuid4(), actor=user, now=now)
        for name, filters in choices.items()
    }
    for name in ("queued", "left_out"):
        assert not continue_replay_run(run_id=runs[name].pk)
    return runs


def send(configuration: Configuration, payloads: list[dict[str, Any]]) -> None:
    """Take the events in and push what is due."""
    result = accept_events(configuration=configuration, payloads=payloads, received_at=datetime.now(UTC))
    assert len(result.accepted) == len(payloads), result
    drain_account(account_id=configuration.authentication.account_id)


def make_call(
    contact_id: str, now: datetime, *, records: list[tuple[str, str]], acw: bool = False, **fields: Any
) -> list[dict[str, Any]]:
    """The start and the end of a call; with `acw` its after-call work is still awaited."""
    own = {"channel": "voice", "contactId": contact_id}
    said = {"agentId": "39185896", "agentName": "Maxime Lavallée-Desrochers", "skillName": "FR_Soutien", **fields}
    return [
        own
        | {
            "eventId": f"{contact_id}-started",
            "type": "interaction.started",
            "occurredAt": (now - timedelta(minutes=9)).isoformat(),
            "records": [{"entityType": kind, "id": record} for kind, record in records],
        },
        own
        | {
            "eventId": f"{contact_id}-ended",
            "type": "interaction.ended",
            "occurredAt": (now - timedelta(minutes=2)).isoformat(),
            "endedBy": "contact",
            "acwConfigured": acw,
            "fields": said | {"dispositionNotes": NOTES, "startTime": (now - timedelta(minutes=9)).isoformat()},
            "scriptVariables": {"AccountTier": "VIP-7", "HandleTime": "412"},
        },
    ]


def connect_stopped(account: DemoAccount) -> Configuration:
    """A configuration whose system user is gone."""
    other = DemoAccount(account.url, f"{account.subdomain}-2")
    configuration = connect(other, name="Boutique", state=Configuration.State.SYSTEM_USER_REMOVED)
    Authentication.objects.filter(pk=configuration.authentication_id).update(
        state=Authentication.State.SYSTEM_USER_REMOVED,
        state_reason="users/me: suspended",
        access_token="",
        refresh_token="",
    )
    return configuration
