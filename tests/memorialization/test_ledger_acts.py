"""Replaying, linking and unlinking by hand (memorialization.views.ledger_acts and ledger_replays)."""

import re
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from crm_integrations.models import AuditEntry, Authentication
from crm_integrations.providers.errors import AccessDenied, CRMUnavailable, GrantEnded
from memorialization.models import Delivery, InteractionEvent
from memorialization.views import ledger_replays
from tests.factories import make_configuration, make_mapping, make_user
from tests.memorialization.event_payloads import make_event
from tests.memorialization.ledger_scene import EDIT, ROWS, VIEW, delivery_of, end_call, make_record, push, take_event
from tests.memory_provider import MemoryProvider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def configuration():
    configuration = make_configuration(name="Support")
    make_mapping(configuration, ROWS, name="Calls")
    return configuration


@pytest.fixture
def editor(client):
    client.force_login(make_user(EDIT, username="edith"))
    return client


@pytest.fixture
def failed(configuration):
    delivery = delivery_of(end_call(configuration))
    push(configuration)  # there is no such ticket
    delivery.refresh_from_db()
    assert delivery.state == "failed"
    return delivery


@pytest.fixture
def recordless(configuration):
    return end_call(configuration, "416", record="")


def text_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def toasts(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def acts(delivery) -> list[str]:
    own = delivery.interaction_id
    return [
        reverse("delivery_replay", args=[delivery.pk]),
        reverse("delivery_replay_selection") + f"?delivery={delivery.pk}",
        reverse("interaction_link", args=[own]),
        reverse("interaction_unlink", args=[own]) + "?type=ticket&id=7",
    ]


def link(client, interaction, **data):
    given = {"entity_type": "ticket", "record_id": "7", "event_id": str(uuid.uuid4()), **data}
    return client.post(reverse("interaction_link", args=[interaction.pk]), given, follow=True)


@pytest.mark.parametrize("method", ["get", "post"])
def test_acts_need_configurations_edit_and_a_signed_in_person(client, failed, method):
    for address in acts(failed):
        assert getattr(client, method)(address).status_code == 302
    client.force_login(make_user(VIEW))
    for address in acts(failed):
        assert getattr(client, method)(address).status_code == 403
    assert Delivery.objects.count() == 1


def test_looking_at_an_act_does_nothing(editor, failed):
    for address in acts(failed):
        assert editor.get(address).status_code == 200
    assert Delivery.objects.count() == 1


def test_a_replay_says_first_what_will_happen(editor, failed):
    page = text_of(editor.get(reverse("delivery_replay", args=[failed.pk])))
    assert "Replay the delivery to Ticket 7?" in page
    assert "as a new revision" in page
    assert "never overwritten" in page


def test_a_replay_makes_a_new_revision_and_leads_to_it(editor, failed):
    make_record()
    response = editor.post(reverse("delivery_replay", args=[failed.pk]), follow=True)
    replayed = Delivery.objects.get(replay_of=failed)
    assert response.redirect_chain == [(reverse("delivery_detail", args=[replayed.pk]), 302)]
    assert toasts(response) == ["It is being sent again, as this delivery."]
    assert f"delivery {failed.pk}" in text_of(response)
    push(replayed.configuration)
    replayed.refresh_from_db()
    assert replayed.state == "delivered"


def test_one_that_was_pruned_between_the_question_and_the_answer_is_told_so(editor, failed, monkeypatch):
    def prune(request):
        Delivery.objects.filter(pk=failed.pk).delete()

    monkeypatch.setattr("memorialization.views.ledger_replays.person_of", prune)
    response = editor.post(reverse("delivery_replay", args=[failed.pk]), follow=True)
    assert response.redirect_chain == [(reverse("delivery_list"), 302)]
    assert toasts(response) == ["It is not there any more: the history of its time was deleted meanwhile."]


def test_a_delivery_that_waits_is_tried_now_instead(editor, configuration):
    delivery = delivery_of(end_call(configuration))
    address = reverse("delivery_replay", args=[delivery.pk])
    assert "it will be tried now instead" in text_of(editor.get(address))
    assert toasts(editor.post(address, follow=True)) == ["It is tried now."]
    assert Delivery.objects.count() == 1


def test_a_delivery_without_record_says_to_link_one(editor, recordless):
    response = editor.post(reverse("delivery_replay", args=[delivery_of(recordless).pk]), follow=True)
    assert toasts(response) == ["It has no record. Link one to the interaction: the values are then written to it."]


def test_a_selection_is_counted_and_replayed_as_far_as_it_can_be(editor, configuration, failed, recordless):
    address = reverse("delivery_replay_selection")
    query = f"?delivery={failed.pk}&delivery={delivery_of(recordless).pk}&delivery=x&delivery={10**30}"
    page = text_of(editor.get(address + query))
    assert "Replay 2 deliveries?" in page
    assert "1 cannot be replayed now and is left out." in page
    response = editor.post(address + query, follow=True)
    assert toasts(response) == [
        "1 delivery is being sent again.",
        "1 was not replayed. It has no record. Link one to the interaction: the values are then written to it.",
    ]
    assert Delivery.objects.filter(replay_of=failed).count() == 1


def test_an_empty_selection_and_one_that_is_too_large_change_nothing(editor, configuration, failed, monkeypatch):
    address = reverse("delivery_replay_selection")
    assert toasts(editor.get(address, follow=True)) == ["Tick the deliveries to replay first."]
    monkeypatch.setattr(ledger_replays, "SELECTION_LIMIT", 1)
    other = delivery_of(end_call(configuration, "2"))
    response = editor.post(f"{address}?delivery={failed.pk}&delivery={other.pk}", follow=True)
    assert toasts(response) == ["At most 1 deliveries are replayed at a time."]
    assert Delivery.objects.count() == 2


def test_linking_a_record_writes_the_values_to_it_and_resolves_the_skipped_delivery(editor, configuration, recordless):
    make_record()
    response = link(editor, recordless)
    assert toasts(response) == ["The record is linked; the interaction's values are being written to it."]
    skipped, planned = recordless.deliveries.order_by("pk")
    assert skipped.reason == "resolved_by_link"
    push(configuration)
    planned.refresh_from_db()
    assert (planned.state, planned.record_id, planned.target_rule) == ("delivered", "7", "linked")


def test_a_link_is_an_event_of_a_person_and_audited(editor, recordless):
    make_record()
    page = text_of(link(editor, recordless))
    event = InteractionEvent.objects.get(type="records.linked")
    assert event.origin == "person"
    assert "Record linked" in page
    assert "Done by a person in Agent Integrations" in page
    entry = AuditEntry.objects.get(action="record_linked")
    assert (entry.actor_name, entry.subject, entry.details) == ("edith", "ticket 7", {"interaction": recordless.pk})


def test_the_same_form_sent_twice_links_once(editor, recordless):
    make_record()
    event_id = str(uuid.uuid4())
    link(editor, recordless, event_id=event_id)
    assert toasts(link(editor, recordless, event_id=event_id)) == [
        "The record was linked already; nothing was changed."
    ]
    assert AuditEntry.objects.filter(action="record_linked").count() == 1


def test_a_record_that_the_crm_does_not_have_is_not_linked(editor, recordless):
    response = link(editor, recordless)
    assert response.status_code == 422
    assert "The CRM has no such record, or the system user may not see it." in text_of(response)
    assert not InteractionEvent.objects.filter(type="records.linked").exists()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (CRMUnavailable("Bad gateway", may_have_applied=False, status=502), "The CRM cannot be reached just now."),
        (AccessDenied("Forbidden", status=403), "The system user may not read this."),
        (GrantEnded("invalid_grant", status=400), "The account must be re-authenticated"),
    ],
)
def test_when_the_crm_cannot_be_asked_the_person_may_link_nevertheless(editor, recordless, fault, words):
    MemoryProvider.accounts["acme"].faults.append(fault)
    response = link(editor, recordless)
    assert response.status_code == 422
    assert words in text_of(response)
    assert 'type="checkbox" name="is_unchecked"' in text_of(response)
    link(editor, recordless, is_unchecked="on")
    assert recordless.deliveries.filter(record_id="7").exists()


def test_a_closed_record_is_linked_only_on_demand(editor, recordless):
    make_record()
    MemoryProvider.accounts["acme"].closed.add(("ticket", "7"))
    assert "The record is closed in the CRM and may take no changes." in text_of(link(editor, recordless))
    assert not recordless.deliveries.filter(record_id="7").exists()


def test_a_record_is_not_asked_for_with_a_held_authentication_but_can_be_linked(editor, recordless):
    Authentication.objects.update(state=Authentication.State.REAUTHENTICATE)
    response = link(editor, recordless)
    assert response.status_code == 422
    assert "The record could not be checked" in text_of(response)


@pytest.mark.parametrize(
    "data", [{"record_id": "no spaces"}, {"record_id": ""}, {"entity_type": "planet"}, {"event_id": "x"}]
)
def test_a_link_that_makes_no_sense_is_refused(editor, recordless, data):
    assert link(editor, recordless, **data).status_code == 422
    assert not InteractionEvent.objects.filter(type="records.linked").exists()


def test_an_interaction_that_is_not_due_keeps_the_link_for_later(editor, configuration):
    make_record()
    at = timezone.now().isoformat()
    interaction = take_event(configuration, make_event("started", at, contactId="1"))
    response = link(editor, interaction)
    assert toasts(response) == ["The record is linked; it is written to when the interaction falls due."]
    interaction.refresh_from_db()
    assert interaction.links == [{"entity_type": "ticket", "id": "7"}]


def test_without_a_mapping_there_is_nothing_to_link_for(editor):
    interaction = end_call(make_configuration(), record="")
    assert "No mapping says what to write." in text_of(editor.get(reverse("interaction_link", args=[interaction.pk])))
    assert link(editor, interaction).status_code == 422


def test_unlinking_asks_first_and_then_skips_what_was_not_sent(editor, configuration):
    interaction = end_call(configuration)
    address = reverse("interaction_unlink", args=[interaction.pk]) + "?type=ticket&id=7"
    assert "Unlink Ticket 7?" in text_of(editor.get(address))
    response = editor.post(address, follow=True)
    assert toasts(response) == ["Ticket 7 is unlinked."]
    delivery = delivery_of(interaction)
    assert (delivery.state, delivery.reason) == ("skipped", "unlinked")
    assert AuditEntry.objects.filter(action="record_unlinked").count() == 1
    assert editor.get(address).status_code == 404


def test_only_records_of_the_interaction_can_be_unlinked(editor, configuration):
    interaction = end_call(configuration)
    address = reverse("interaction_unlink", args=[interaction.pk])
    for query in ("", "?type=ticket&id=8", "?type=user&id=7"):
        assert editor.post(address + query).status_code == 404
