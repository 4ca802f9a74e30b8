"""Replaying everything a filter finds, from the list to the run's page (memorialization.views.replay_runs)."""

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm_integrations.models import AuditEntry
from memorialization.models import Delivery, ReplayRun, ReplayStep
from memorialization.selectors import replay_runs as selectors
from memorialization.services.replay_choices import newest_delivery_id
from memorialization.services.replay_runs import continue_replay_run
from tests.engine import make_delivery
from tests.factories import make_configuration, make_user
from tests.memorialization.ledger_scene import EDIT, VIEW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
NEW = "replay_run_create"


@pytest.fixture
def configuration():
    return make_configuration(name="Support")


@pytest.fixture
def failed(configuration):
    made = [make_delivery(configuration, record_id=str(number)) for number in range(3)]
    Delivery.objects.update(state="failed", reason="gave_up", next_attempt_at=None, finished_at=timezone.now())
    return made


@pytest.fixture
def editor(client):
    client.force_login(make_user(EDIT, username="edith"))
    return client


@pytest.fixture
def run(editor, failed):
    start(editor)
    return ReplayRun.objects.get()


def start(client, query="state=failed", **data):
    given = {"key": str(uuid.uuid4()), "up_to": newest_delivery_id(), **data}
    return client.post(f"{reverse(NEW)}?{query}", given, follow=True)


def text_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def toasts(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def pages_of(run) -> list[str]:
    names = ("replay_run_detail", "replay_run_progress", "replay_run_deliveries")
    return [reverse("replay_run_list"), *(reverse(name, args=[run.pk]) for name in names)]


def test_strangers_sign_in_first_and_readers_may_look_but_not_act(client, editor, run):
    acts = [reverse(NEW) + "?state=failed", reverse("replay_run_cancel", args=[run.pk])]
    editor.logout()
    for address in [*acts, *pages_of(run)]:
        assert client.get(address).status_code == 302
    client.force_login(make_user(VIEW))
    for address in acts:
        assert client.get(address).status_code == client.post(address).status_code == 403
    assert [client.get(address).status_code for address in pages_of(run)] == [200] * 4
    assert "Cancel the replay" not in text_of(client.get(pages_of(run)[1]))
    client.force_login(make_user())
    assert {client.get(address).status_code for address in [*acts, *pages_of(run)]} == {403}
    run.refresh_from_db()
    assert ReplayRun.objects.count() == 1 and run.state == "running"


def test_the_list_offers_the_replay_of_what_it_shows(editor, client, failed):
    address = reverse(NEW) + "?state=failed&amp;reason=gave_up"
    assert address in text_of(editor.get(reverse("delivery_list") + "?state=failed&reason=gave_up"))
    assert reverse(NEW) not in text_of(editor.get(reverse("delivery_list")))
    client.force_login(make_user(VIEW))
    assert reverse(NEW) not in text_of(client.get(reverse("delivery_list") + "?state=failed"))


def test_asking_says_how_many_and_what_will_happen_and_does_nothing(editor, configuration, failed):
    make_delivery(configuration, record_id="9", state="delivered", next_attempt_at=timezone.now())
    page = text_of(editor.get(f"{reverse(NEW)}?configuration={configuration.pk}"))
    assert "Replay 4 deliveries?" in page
    assert "Support" in page
    assert "1 was delivered before" in page
    assert "Ticket 0" in page and "as a new revision of this delivery" in page
    assert "limits hold for a replay too" in page
    assert ReplayRun.objects.count() == 0


def test_more_than_can_be_counted_at_once_is_said_to_be_over(editor, failed, monkeypatch):
    monkeypatch.setattr(selectors, "COUNTED_MOST", 2)
    assert re.search(r"Replay over [\d,]+ deliveries\?", text_of(editor.get(reverse(NEW) + "?state=failed")))


def test_a_filter_that_finds_nothing_offers_no_replay(editor, failed):
    page = text_of(editor.get(reverse(NEW) + "?state=partial"))
    assert "There is nothing to replay" in page
    assert "Start the replay" not in page


def test_what_was_replayed_before_is_neither_counted_nor_an_example(editor, run, failed):
    Delivery.objects.filter(pk=failed[1].pk).update(record_id="", lane=None)
    failed[0].replays.create(
        configuration=failed[0].configuration, interaction=failed[0].interaction, entity_type="ticket", record_id="0",
        revision=2, state="delivered", segment_ended_at=failed[0].segment_ended_at,
    )  # fmt: skip
    page = text_of(editor.get(reverse(NEW) + "?state=failed"))
    assert "Replay 2 deliveries?" in page and "1 was replayed before and is left out." in page
    assert "Ticket 2" in page and "Ticket 0" not in page
    assert "It cannot be replayed now and is left out." in page


def test_everything_or_a_filter_that_cannot_be_read_is_not_replayed(editor, failed):
    assert toasts(start(editor, "")) == ["Filter the deliveries to replay first, for example by state."]
    said = toasts(start(editor, "state=failed&since=yesterday"))
    assert said == ["A filter cannot be read, so nothing was replayed. Correct it first."]
    assert ReplayRun.objects.count() == 0


@pytest.mark.parametrize("data", [{"key": "x"}, {"up_to": ""}, {"up_to": "-1"}])
def test_a_form_that_was_tampered_with_starts_nothing(editor, failed, data):
    response = start(editor, **data)
    assert response.status_code == 422
    assert "out of date" in text_of(response)
    assert ReplayRun.objects.count() == 0


def test_a_run_is_started_once_and_its_page_shows_who_and_what(editor, failed):
    key = str(uuid.uuid4())
    response = start(editor, key=key)
    start(editor, key=key)
    run = ReplayRun.objects.get()
    assert response.redirect_chain == [(reverse("replay_run_detail", args=[run.pk]), 302)]
    assert (run.actor_name, run.choice) == ("edith", {"state": "failed"})
    page = text_of(response)
    assert "Waiting for a worker" in page and "edith" in page and "Failed" in page
    assert 'hx-trigger="every 2s"' in page
    assert AuditEntry.objects.get(action="replay_run_started").actor.username == "edith"


def test_the_progress_shows_what_became_of_what_was_queued_and_links_to_it(editor, configuration, run):
    Delivery.objects.filter(record_id="2").update(record_id="", lane=None)
    continue_replay_run(run_id=run.pk)
    Delivery.objects.filter(replay_of__record_id="0").update(state="delivered", next_attempt_at=None)
    page = text_of(editor.get(reverse("replay_run_progress", args=[run.pk])))
    assert "3 of 3 looked at" in page
    assert "every 10s" in page, "a delivery still waits"
    address = reverse("replay_run_deliveries", args=[run.pk])
    for query in ("state=delivered", "state=waiting", "left_out=no_record"):
        assert f"{address}?{query}" in page
        assert len(editor.get(f"{address}?{query}").context["rows"]) == 1
    assert len(editor.get(address).context["rows"]) == 2
    assert "Link one to the interaction" in text_of(editor.get(f"{address}?left_out=no_record"))
    Delivery.objects.filter(state="waiting").update(state="delivered", next_attempt_at=None)
    assert "hx-get" not in text_of(editor.get(reverse("replay_run_progress", args=[run.pk])))


def test_long_lists_have_pages(editor, run, monkeypatch):
    continue_replay_run(run_id=run.pk)
    monkeypatch.setattr("memorialization.views.replay_runs.PAGE_STEPS", 2)
    address = reverse("replay_run_deliveries", args=[run.pk])
    first = editor.get(address + "?state=waiting").context
    assert len(first["rows"]) == 2
    assert len(editor.get(address + first["older_url"]).context["rows"]) == 1
    start(editor)
    start(editor)
    older = editor.get(reverse("replay_run_list")).context["older_url"]
    assert len(editor.get(reverse("replay_run_list") + older).context["runs"]) == 1


def test_a_run_is_cancelled_after_asking(editor, run):
    address = reverse("replay_run_cancel", args=[run.pk])
    assert "Nothing more is queued." in text_of(editor.get(address))
    run.refresh_from_db()
    assert run.state == "running"
    assert toasts(editor.post(address, follow=True)) == ["The replay is cancelled; nothing more is queued."]
    assert toasts(editor.post(address, follow=True)) == ["The replay had ended already; nothing was changed."]
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert AuditEntry.objects.get(action="replay_run_cancelled").actor.username == "edith"


def test_what_still_waits_is_taken_back_on_request_even_after_the_end(editor, run):
    continue_replay_run(run_id=run.pk)
    assert "Cancel the replay" in text_of(editor.get(reverse("replay_run_detail", args=[run.pk])))
    editor.post(reverse("replay_run_cancel", args=[run.pk]), {"takes_back": "on"})
    continue_replay_run(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.taken_back) == ("cancelled", 3)
    page = text_of(editor.get(reverse("replay_run_detail", args=[run.pk])))
    assert "Taken back" in page and "Cancel the replay" not in page


def test_while_it_takes_back_the_page_says_that_it_waits_for_what_is_being_sent(editor, run):
    continue_replay_run(run_id=run.pk)
    Delivery.objects.filter(state="waiting").update(state="sending")
    editor.post(reverse("replay_run_cancel", args=[run.pk]), {"takes_back": "on"})
    continue_replay_run(run_id=run.pk)
    page = text_of(editor.get(reverse("replay_run_progress", args=[run.pk])))
    assert "Taking back" in page and "What is being sent right now is waited for" in page
    assert "every 2s" in editor.get(reverse("replay_run_progress", args=[run.pk])).content.decode()
    Delivery.objects.filter(state="sending").update(state="delivered", next_attempt_at=None)
    continue_replay_run(run_id=run.pk)
    assert "is waited for" not in text_of(editor.get(reverse("replay_run_progress", args=[run.pk])))


def test_a_run_shows_what_it_was_asked_for_after_the_configuration_is_gone(editor, configuration, run):
    ReplayRun.objects.update(choice={"configuration": str(configuration.pk), "moment_since": "2026-01-01T00:00:00Z"})
    assert "Support" in text_of(editor.get(reverse("replay_run_list")))
    type(configuration).objects.update(state="deleted", deleted_at=timezone.now())
    assert str(configuration.pk) in text_of(editor.get(reverse("replay_run_detail", args=[run.pk])))


def test_pages_of_runs_that_are_not_there_are_not_found(editor):
    for name in ("detail", "progress", "deliveries", "cancel"):
        assert editor.get(reverse(f"replay_run_{name}", args=[404])).status_code == 404


def test_pages_cost_the_same_number_of_queries_whatever_their_length(editor, run):
    def queries(address):
        with CaptureQueriesContext(connection) as captured:
            assert editor.get(address).status_code == 200
        return len(captured)

    continue_replay_run(run_id=run.pk, slices=1)
    addresses = pages_of(run)
    few = [queries(address) for address in addresses]
    for _number in range(10):
        start(editor)
    extra = [ReplayStep(run=run, delivery=each, refused="error") for each in Delivery.objects.filter(state="waiting")]
    ReplayStep.objects.bulk_create(extra)
    assert [queries(address) for address in addresses] == few
