"""Deliveries whose record turned out to be closed or gone: what may be done about it, once (product §6).

A push only marks such a delivery; the calls are made here, in the account's turn. A closed case goes on in a follow-up
where the configuration says so; for a record that a search or an earlier write had named, the person is looked for once
more. Each mark stays until what follows from it is stored, so a crash anywhere repeats it.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from crm_integrations.database_clock import Clock
from crm_integrations.providers.base import CreationRefused, CRMConnection
from crm_integrations.providers.errors import AccessDenied, Misconfigured, RecordClosed, RecordGone, ValueRefused
from crm_integrations.providers.registry import get_provider
from crm_integrations.services.record_creation import create_once
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Contact, Delivery, Interaction
from memorialization.services.contact_folding import fold_contacts
from memorialization.services.linking import report_link
from memorialization.services.record_matching import RecordMatcher
from memorialization.services.rework_marks import DUE
from memorialization.targeting import Target

GONE = (DeliveryReason.LOOK_AGAIN_DUE, DeliveryReason.FOUND_AGAIN, DeliveryReason.RECORD_GONE)
REFUSALS = (ValueRefused, RecordGone, RecordClosed, AccessDenied, Misconfigured, CreationRefused, NotImplementedError)
KEY_LIMIT = 260  # characters of an occasion
ORIGIN = "rule"


def rework_deliveries(*, matcher: RecordMatcher, connection: CRMConnection, clock: Clock) -> None:
    """Do what is marked of one interaction. Raises CRMError for what may go better later."""
    marked = Delivery.objects.filter(interaction=matcher.interaction, reason__in=DUE).order_by("pk")
    for delivery in marked:
        _Rework(matcher, connection, delivery, clock()).run()


def give_up_reworks(*, interaction_id: int, now: datetime) -> None:
    """End the marks of an interaction for which nothing could be done in all that time."""
    marked = Delivery.objects.filter(interaction=interaction_id)
    marked.filter(reason=DeliveryReason.FOLLOW_UP_DUE).update(
        state=Delivery.State.SKIPPED, reason=DeliveryReason.RECORD_CLOSED, finished_at=now
    )
    marked.filter(reason=DeliveryReason.LOOK_AGAIN_DUE).update(
        state=Delivery.State.FAILED, reason=DeliveryReason.RECORD_GONE, finished_at=now
    )


class _Rework:
    """One delivery's record, replaced or given up."""

    def __init__(self, matcher: RecordMatcher, connection: CRMConnection, delivery: Delivery, now: datetime) -> None:
        self.matcher, self.connection, self.delivery, self.now = matcher, connection, delivery, now

    def run(self) -> None:
        """By its mark."""
        steps: Mapping[str, Callable[[], None]] = {
            DeliveryReason.FOLLOW_UP_DUE: self._follow_up,
            DeliveryReason.LOOK_AGAIN_DUE: self._look_again,
        }
        steps[self.delivery.reason]()

    def _follow_up(self) -> None:
        """Make the follow-up case of this record and contact, once, and go on there."""
        try:
            record_id = self._create_follow_up()
        except REFUSALS as error:
            self.matcher.access.accept(error, self.delivery.entity_type)
            words = str(getattr(error, "message", "") or error)
            self._end(Delivery.State.SKIPPED, DeliveryReason.RECORD_CLOSED, {"words": words})
            return
        self._go_on_with(record_id, DeliveryReason.CONTINUED)

    def _create_follow_up(self) -> str:
        entity_type, closed_id = self.delivery.entity_type, self.delivery.record_id
        contact_id = self.matcher.interaction.contact.contact_id
        closed = self.connection.get_records(entity_type, [closed_id]).get(closed_id)
        if closed is None:
            raise RecordGone("The closed record does not exist any more.")
        with override(settings.LANGUAGE_CODE):  # the same text whoever asks again
            text = _("Continues %(record)s, which is closed. Created for the interaction %(contact)s.")
            text %= {"record": closed_id, "contact": contact_id}
        provider = get_provider(self.matcher.configuration.integration_type)
        request = provider.build_follow_up(closed, closed.title, text)
        creation = create_once(
            connection=self.connection,
            configuration=self.matcher.configuration,
            request=request,
            key=follow_up_key(closed_id, contact_id),
            contact_id=contact_id,
            patience_s=0,
        )
        return creation.record.record_id

    def _look_again(self) -> None:
        """The person may have been merged into another: look once more, for what was not tried yet."""
        same = Delivery.objects.filter(interaction=self.delivery.interaction_id, reason__in=GONE)
        gone = same.filter(entity_type=self.delivery.entity_type).values_list("record_id", flat=True)
        target = self.matcher.match_again(self.delivery.entity_type, gone=set(gone))
        if target.ids:
            self._go_on_with(target.ids[0], DeliveryReason.FOUND_AGAIN, target)
        else:
            self._keep_candidates(target)
            self._end(Delivery.State.FAILED, DeliveryReason.RECORD_GONE, {})

    @transaction.atomic
    def _go_on_with(self, record_id: str, reason: DeliveryReason, target: Target | None = None) -> None:
        """Plan a full delivery for the other record and say so of this one, together or not at all."""
        interaction = self._lock()
        if interaction.contact.erased_at is not None:
            return
        stored = interaction.targets.get(self.delivery.entity_type, {"rule": self.delivery.target_rule, "ids": []})
        kept = [each for each in stored["ids"] if target is None or each != self.delivery.record_id]
        changed = {**stored, "ids": list(dict.fromkeys([*kept, record_id]))}
        if target is not None:
            changed["steps"] = [*stored.get("steps", ()), *target.steps]
        targets = interaction.targets | {self.delivery.entity_type: changed}
        Interaction.objects.filter(pk=interaction.pk).update(targets=targets)
        self._end(Delivery.State.SKIPPED, reason, {"record": record_id})
        if target is None:
            self._link(record_id)
        fold_contacts(configuration=self.matcher.configuration, contacts=[interaction.contact], now=self.now)

    def _link(self, record_id: str) -> None:
        """A follow-up belongs to the interaction like any linked record: agents see it, later parts use it."""
        interaction = self.matcher.interaction
        report_link(
            configuration=self.matcher.configuration,
            contact_id=interaction.contact.contact_id,
            record={"entityType": self.delivery.entity_type, "id": record_id},
            is_linked=True,
            now=self.now,
            origin=ORIGIN,
            event_id=f"rule-{self.delivery.pk}-{self.delivery.revision}",
            segment=(interaction.channel, interaction.segment_id),
        )

    @transaction.atomic
    def _keep_candidates(self, target: Target) -> None:
        interaction = self._lock()
        stored = interaction.targets.get(self.delivery.entity_type)
        if stored is None or interaction.contact.erased_at is not None:
            return
        changed = {
            **stored,
            "steps": [*stored.get("steps", ()), *target.steps],
            "candidates": [dict(candidate) for candidate in target.candidates],
        }
        targets = interaction.targets | {self.delivery.entity_type: changed}
        Interaction.objects.filter(pk=interaction.pk).update(targets=targets)

    def _lock(self) -> Interaction:
        """The interaction as it is now, with its contact locked."""
        contact = Contact.objects.select_for_update().get(pk=self.matcher.interaction.contact_id)
        interaction = Interaction.objects.get(pk=self.matcher.interaction.pk)
        interaction.contact = contact
        return interaction

    def _end(self, state: Delivery.State, reason: DeliveryReason, params: Mapping[str, Any]) -> None:
        marked = Delivery.objects.filter(pk=self.delivery.pk, reason__in=DUE)
        marked.update(state=state, reason=reason, reason_params=dict(params), finished_at=self.now)


def follow_up_key(record_id: str, contact_id: str) -> str:
    """The occasion of a follow-up: one for each closed record and contact."""
    key = f"follow_up:{record_id}:{contact_id}"
    if len(key) <= KEY_LIMIT:
        return key
    return f"follow_up:{hashlib.sha256(key.encode()).hexdigest()}"
