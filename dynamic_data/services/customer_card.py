"""The customer card: the records that belong to an interaction, and those that a search found for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crm_integrations.contact_links import RecordReference, contact_links
from crm_integrations.database_clock import Clock, read_database_clock, read_steady_clock
from crm_integrations.models import Configuration
from crm_integrations.selectors.configurations import effective_state
from crm_integrations.services.audit import record_audit
from crm_integrations.services.card_accounts import CardAccount, read_card_account
from crm_integrations.services.record_cards import RecordCard, build_cards
from crm_integrations.services.record_readings import FRESH_S

LINKED_LIMIT = 50  # records of one contact that the card shows
RELATED_LIMIT = 25
ORIGIN = "customer_card"  # of links that agents change here
REFUSING_STATES = frozenset({"draft", "inactive", "system_user_removed", "deleted"})  # product page §3


class CardRefused(Exception):
    """The configuration shows nothing to agents in its present state; `reason` says why, in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RecordNotOffered(LookupError):
    """The record is neither linked to the contact nor was it found for it."""


@dataclass(frozen=True, slots=True)
class CardReader:
    """Who looks at a card: in which language and time zone, and how old values may be for them."""

    language: str
    time_zone: str
    max_age_s: float = FRESH_S


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """What the agent sees. `is_live`: an interaction of the contact is going on, so that the card may still change."""

    current: tuple[RecordCard, ...]
    related: tuple[RecordCard, ...] = ()
    is_live: bool = False


def build_contact_card(
    *, configuration: Configuration, contact_id: str, reader: CardReader, clock: Clock = read_steady_clock
) -> CustomerCard:
    """The card of a contact; one that nobody heard of has none yet. Raises CardRefused."""
    refuse_unready(configuration)
    contact = contact_links().read_contact(configuration=configuration, contact_id=contact_id, now=clock())
    account = read_card_account(configuration, contact_id=contact_id)
    linked = contact.linked[:LINKED_LIMIT]
    found = [record for record in account.found if record not in linked][:RELATED_LIMIT]
    cards = _build(configuration, [*linked, *found], reader, clock, account)
    return CustomerCard(
        current=tuple(replace(card, is_linked=True) for card in cards[: len(linked)]),
        related=tuple(card for card in cards[len(linked) :] if not card.is_gone),
        is_live=contact.is_live,
    )


def build_record_card(
    *,
    configuration: Configuration,
    reference: RecordReference,
    reader: CardReader,
    clock: Clock = read_steady_clock,
) -> CustomerCard:
    """The card of one record, whoever it belongs to. Raises CardRefused."""
    refuse_unready(configuration)
    return CustomerCard(current=tuple(_build(configuration, [reference], reader, clock)))


def change_link(
    *,
    configuration: Configuration,
    contact_id: str,
    record: RecordReference,
    is_linked: bool,
    agent_id: str = "",
    clock: Clock = read_database_clock,
) -> None:
    """Link or unlink a record that the contact's card shows; a repetition changes nothing.

    Raises RecordNotOffered, CardRefused, or a ValueError of the keeper with a sentence for people.
    """
    refuse_unready(configuration)
    now, keeper = clock(), contact_links()
    linked = keeper.read_contact(configuration=configuration, contact_id=contact_id, now=now).linked
    offered = {*linked, *read_card_account(configuration, contact_id=contact_id).found}
    if record not in offered:
        raise RecordNotOffered
    if is_linked == (record in linked):
        return
    act = keeper.link if is_linked else keeper.unlink
    act(configuration=configuration, contact_id=contact_id, record=record, origin=ORIGIN, now=now)
    record_audit(
        actor=None,
        action="card_record_linked" if is_linked else "card_record_unlinked",
        subject=f"{record.entity_type} {record.record_id}",
        configuration=configuration,
        details={"contactId": contact_id, "agentId": agent_id},
    )


def refuse_unready(configuration: Configuration) -> None:
    """Raise CardRefused for a configuration that an administrator or the CRM has stopped."""
    state = effective_state(configuration)
    if state.key in REFUSING_STATES:
        raise CardRefused(str(state.reason))


def _build(
    configuration: Configuration,
    references: Sequence[RecordReference],
    reader: CardReader,
    clock: Clock,
    account: CardAccount | None = None,
) -> list[RecordCard]:
    return build_cards(
        configuration,
        references,
        language=reader.language,
        time_zone=reader.time_zone,
        clock=clock,
        max_age_s=reader.max_age_s,
        account=account,
    )
