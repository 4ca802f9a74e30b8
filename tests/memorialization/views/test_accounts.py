"""Administration › CRM accounts (memorialization.views.accounts and what it reads)."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm_integrations.authentication_needs import find_needs
from crm_integrations.models import AuditEntry, Authentication, CallBudget, Configuration, CRMAccount
from memorialization.models import Delivery, Interaction, RecordLane
from memorialization.selectors import account_backlogs
from memorialization.selectors.account_load import read_account_lines, read_account_load
from tests.factories import make_authentication, make_configuration, make_mapping, make_user
from tests.memorialization.account_scene import (
    WORDS,
    block,
    make_budget,
    make_bulk_write,
    make_busy_hour,
    make_waiting,
    open_circuit,
)
from tests.memorialization.ledger_scene import EDIT, ROWS, VIEW, end_call

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def configuration():
    return make_configuration(name="Support")


@pytest.fixture
def account(configuration):
    return configuration.authentication.account


@pytest.fixture
def viewer(client):
    client.force_login(make_user(VIEW))
    return client


@pytest.fixture
def editor(client):
    client.force_login(make_user(EDIT))
    return client


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def page_of(account, name="account_detail") -> str:
    return reverse(name, args=[account.pk])


def addresses(account) -> list[str]:
    names = ("account_detail", "account_live", "account_charts")
    return [reverse("account_list"), reverse("account_list_live"), *(page_of(account, name) for name in names)]


def test_strangers_sign_in_and_people_without_the_right_learn_which_one_is_missing(client, account):
    assert [client.get(address).status_code for address in addresses(account)] == [302] * 5
    client.force_login(make_user())
    assert [client.get(address).status_code for address in addresses(account)] == [403] * 5


def test_an_account_that_does_not_exist_is_not_found(viewer):
    names = ("account_detail", "account_live", "account_charts")
    assert [viewer.get(reverse(name, args=[99])).status_code for name in names] == [404] * 3


def test_administration_leads_to_the_accounts(viewer):
    response = viewer.get(reverse("administration"))
    assert (response.status_code, response["Location"]) == (302, reverse("account_list"))
    assert "Raw tables" not in text_of(viewer.get(reverse("account_list")))


def test_without_any_account_the_list_says_when_one_appears(viewer):
    assert "No CRM account yet" in text_of(viewer.get(reverse("account_list")))


def test_an_account_that_was_never_called_says_so(viewer, account):
    words = text_of(viewer.get(page_of(account)))
    assert "Up to date Nothing waits." in words
    assert "Nothing is due." in words
    assert "Nothing was called yet" in words
    assert words.count("Nothing in the last hour") == 2


def test_the_page_shows_backlog_hour_savings_limits_and_bulk_writes(viewer, configuration, account, now):
    make_waiting(configuration, 3, ended_at=now)
    make_budget(account, "account", now, calls=700, granted=400, foreign=50)
    make_budget(account, "bulk", now, calls=30, granted=4, scope="in_flight", granted_at=now)
    make_busy_hour(account, now)
    make_bulk_write(configuration, now)
    words = text_of(viewer.get(page_of(account)))
    assert "Waiting 3 deliveries, for 3 records" in words
    assert "A worker takes it up next." in words
    assert "400 by us · 50 by others · 20 head-room · 230 left" in words
    assert "30 at the same time" in words
    assert "records; 1 bulk write, 40 of 100 done" in words
    assert "ticket × 100" in words
    assert "Support" in words


def test_calls_saved_are_deliveries_less_writes_and_bulk_writes_less_their_calls(configuration, account, now):
    make_busy_hour(account, now)
    hour = read_account_load(account=account, now=now).hour
    assert hour.saved_by_sharing == sum(hour.deliveries) - sum(hour.writes) > 0
    assert hour.saved_by_bulk == sum(hour.bulk_writes) - sum(hour.bulk_calls) > 0
    assert hour.saved == hour.saved_by_sharing + hour.saved_by_bulk


def test_what_is_older_than_an_hour_does_not_count(account, now):
    make_busy_hour(account, now - timedelta(hours=1))
    load = read_account_load(account=account, now=now)
    assert (load.hour.total, load.calls.total, load.calls.refusals) == (0, 0, 0)


def test_calls_of_a_minute_are_answered_refused_or_failed_and_counted_once(account, now):
    make_busy_hour(account, now)
    calls = read_account_load(account=account, now=now).calls
    assert calls.total == calls.by_class["account"].calls
    assert (calls.refusals, calls.by_class["update"].limited, sum(calls.failed)) == (3, 3, 10)


def test_a_block_shows_its_end_and_the_words_of_the_crm(viewer, configuration, account, now):
    make_waiting(configuration, 1, ended_at=now)
    make_budget(account, "account", now, calls=700, granted=400)
    block(account, "account", now)
    load = read_account_load(account=account, now=now)
    assert (load.condition.key, load.oldest.why) == (
        "blocked",
        "Waits for the limit “account”, which opens in 47 s.",
    )
    words = text_of(viewer.get(page_of(account)))
    assert re.search(r"Blocked for another 4\d s\.", words)
    assert WORDS in words


def test_the_words_of_the_crm_are_never_markup(viewer, account, now):
    make_budget(account, "account", now, calls=700)
    block(account, "account", now, words="<script>alert(1)</script>")
    assert b"<script>alert" not in viewer.get(page_of(account)).content


def test_an_open_circuit_says_since_when_and_when_it_is_tried_again(viewer, configuration, account, now):
    make_waiting(configuration, 1, ended_at=now)
    open_circuit(account, now)
    load = read_account_load(account=account, now=now)
    assert (load.condition.key, load.oldest.why) == ("unreachable", "Waits until the CRM answers again.")
    words = text_of(viewer.get(page_of(account)))
    assert "Opened 4 min ago." in words
    assert re.search(r"Next try in 1?\d s\.", words)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda c, _now: Configuration.objects.update(state="inactive"), "is deactivated."),
        (lambda c, _now: Authentication.objects.update(state="reauthenticate"), "needs a new authentication."),
        (
            lambda c, now: (
                Delivery.objects.update(must_look_first=True),
                RecordLane.objects.update(closed_until=now + timedelta(seconds=30)),
            ),
            "it is looked at in 30 s.",
        ),
        (
            lambda c, now: RecordLane.objects.update(closed_until=now + timedelta(seconds=30)),
            "takes no more changes for now; it goes on in 30 s.",
        ),
    ],
    ids=["deactivated", "held", "settling", "resting"],
)
def test_the_oldest_due_delivery_says_what_it_waits_for(configuration, account, now, change, why):
    make_waiting(configuration, 1, ended_at=now - timedelta(seconds=20))
    change(configuration, now)
    oldest = read_account_load(account=account, now=now).oldest
    assert oldest.why.endswith(why)
    assert now - oldest.due_at == timedelta(seconds=20)


def test_due_work_that_nobody_tries_is_called_stuck(configuration, account, now):
    Authentication.objects.update(state_changed_at=now - timedelta(hours=1))
    make_waiting(configuration, 1, ended_at=now - timedelta(minutes=5))
    load = read_account_load(account=account, now=now)
    assert (load.condition.key, load.oldest.why) == ("stuck", "No worker has taken it up.")


def test_a_held_authentication_is_the_accounts_state(account, now):
    Authentication.objects.update(state=Authentication.State.REAUTHENTICATE)
    assert read_account_load(account=account, now=now).condition.key == "held"


def test_what_is_not_due_yet_waits_and_is_not_late(configuration, account, now):
    make_waiting(configuration, 2, ended_at=now, next_attempt_at=now + timedelta(minutes=5))
    load = read_account_load(account=account, now=now)
    assert (load.condition.key, load.oldest, load.backlog.deliveries.value) == ("later", None, 2)


def test_a_refusal_by_a_record_s_own_limit_has_a_row(viewer, account, now):
    make_busy_hour(account, now, classes=("account", "per-record"))
    make_budget(account, "account", now, calls=700)
    words = text_of(viewer.get(page_of(account)))
    assert "per-record" in words
    assert "Counted by the CRM for each record apart." in words


def test_a_limit_that_nobody_knows_is_shown_without_a_bar(viewer, account, now):
    make_budget(account, "account", now, calls=None, granted=7)
    assert "7 used; the CRM has not said how many it allows." in text_of(viewer.get(page_of(account)))


def test_a_count_beyond_the_bound_says_over(configuration, account, now, monkeypatch):
    monkeypatch.setattr(account_backlogs, "COUNTED_MOST", 2)
    monkeypatch.setattr(account_backlogs, "COUNT", account_backlogs.COUNT.replace("10001", "3"))
    make_waiting(configuration, 5, ended_at=now)
    backlog = account_backlogs.count_backlog(account_id=account.pk)
    assert (backlog.records.value, backlog.records.is_more) == (2, True)
    assert (backlog.deliveries.value, backlog.deliveries.is_more) == (2, True)


def test_the_backlog_of_one_account_is_not_anothers(configuration, account, now):
    other = make_configuration(address="other")
    make_waiting(configuration, 2, ended_at=now)
    make_waiting(other, 1, ended_at=now)
    lines = {line.account.address: line.backlog.records.value for line in read_account_lines(now=now)}
    assert lines == {"acme": 2, "other": 1}


def make_looked_for(counts, now):
    """So many interactions of each configuration that wait for their records."""
    for configuration, count in counts.items():
        make_mapping(configuration, ROWS)
        for number in range(count):
            end_call(configuration, f"{configuration.pk}-{number}", record="")
    Interaction.objects.update(match_due_at=now)


def test_interactions_whose_records_are_looked_for_are_counted_with_the_way_to_them(
    viewer, configuration, account, now
):
    make_looked_for({configuration: 2}, now)
    address = f"{reverse('interaction_list')}?state=matching&amp;configuration={configuration.pk}"
    for page in (viewer.get(page_of(account)), viewer.get(reverse("account_list"))):
        assert "Records are being looked for: 2 interactions" in text_of(page)
        assert f'href="{address}"' in page.content.decode()
    assert "Waiting Records are being looked for." in text_of(viewer.get(page_of(account)))
    listed = viewer.get(reverse("interaction_list"), {"state": "matching", "configuration": configuration.pk})
    assert text_of(listed).count("Records are being looked for") == 3  # the filter, and each of the two


def test_nobody_looks_for_the_records_of_a_deactivated_configuration_and_the_page_says_so(
    viewer, configuration, account, now
):
    make_looked_for({configuration: 2}, now)
    Configuration.objects.update(state="inactive")
    words = "Interactions of a deactivated configuration wait; their records are looked for once it is active."
    assert f"Held {words}" in text_of(viewer.get(page_of(account)))


def test_of_several_configurations_each_is_named_and_those_of_others_or_deleted_ones_do_not_count(
    viewer, configuration, account, now
):
    second = make_configuration(name="Sales", authentication=configuration.authentication)
    deleted = make_configuration(name="Gone", authentication=configuration.authentication)
    other = make_configuration(name="Elsewhere", authentication=make_authentication(address="other"))
    make_looked_for({configuration: 1, second: 2, deleted: 3, other: 4}, now)
    Configuration.objects.filter(pk=deleted.pk).update(state="deleted", deleted_at=now)
    assert "Records are being looked for: Sales 2 · Support 1" in text_of(viewer.get(page_of(account)))
    assert read_account_load(account=account, now=now).backlog.interactions.value == 3


def test_interactions_beyond_the_bound_are_said_to_be_over_it(configuration, account, now, monkeypatch):
    make_looked_for({configuration: 4}, now)
    monkeypatch.setattr(account_backlogs, "COUNTED_MOST", 2)
    monkeypatch.setattr(account_backlogs, "LOOKED_FOR", account_backlogs.LOOKED_FOR.replace("10001", "3"))
    backlog = account_backlogs.count_backlog(account_id=account.pk)
    assert (backlog.interactions.value, backlog.interactions.is_more) == (2, True)
    assert backlog.looked_for[0].count == backlog.interactions


def test_authentications_name_what_uses_them(viewer, configuration, account):
    make_authentication(name="Unused")
    words = text_of(viewer.get(page_of(account)))
    assert f"{configuration.authentication.name} Active Used by Support" in words
    assert "Unused Active No configuration uses it." in words


def test_a_bulk_write_that_is_under_way_needs_the_authentication_it_was_sent_with(account, now):
    unused = make_authentication(name="Unused")
    assert find_needs(unused) == []
    bulk = make_bulk_write(make_configuration(authentication=unused), now)
    assert find_needs(unused)[0].startswith("Deliveries that were sent with it are still with the CRM.")
    bulk.state = bulk.State.CONCLUDED
    bulk.save()
    assert find_needs(unused) == []


def test_the_live_parts_are_fragments_that_ask_again(viewer, configuration, account, now):
    make_bulk_write(configuration, now)
    live = viewer.get(page_of(account, "account_live")).content.decode()
    assert "<html" not in live
    assert f'hx-get="{page_of(account, "account_live")}" hx-trigger="every 3s, refresh"' in live
    assert 'id="account-bulk-writes" class="account-bulk-writes" hx-swap-oob="true"' in live
    charts = viewer.get(page_of(account, "account_charts")).content.decode()
    assert charts.count("<svg") == 2
    assert f'hx-get="{page_of(account, "account_charts")}"' in charts
    lines = viewer.get(reverse("account_list_live")).content.decode()
    assert "<html" not in lines
    assert "acme" in lines


def test_charts_have_their_figures_in_words_and_as_a_table(viewer, account, now):
    make_busy_hour(account, now)
    page = viewer.get(page_of(account, "account_charts")).content.decode()
    assert re.search(
        r'aria-label="Calls per minute in the last hour: [\d,]+ answered, 3 refused for a limit, 10 failed', page
    )
    assert page.count('<th scope="row">') > 60
    assert "style=" not in page


def test_an_editor_changes_the_head_room_and_it_is_audited(editor, account):
    response = editor.post(page_of(account), {"percent": "25"}, follow=True)
    account.refresh_from_db()
    assert account.head_room_percent == 25
    assert "Head-room saved." in text_of(response)
    entry = AuditEntry.objects.get(action="head_room_changed")
    assert (entry.subject, entry.details) == ("memory:acme", {"percent": [10, 25]})


def test_the_same_head_room_again_changes_nothing(editor, account):
    assert "Nothing was changed." in text_of(editor.post(page_of(account), {"percent": "10"}, follow=True))
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("percent", ["91", "-1", "ten", "", "10.5"])
def test_a_head_room_outside_its_bounds_is_refused_beside_the_field(editor, account, percent):
    response = editor.post(page_of(account), {"percent": percent})
    account.refresh_from_db()
    assert (response.status_code, account.head_room_percent) == (422, 10)
    assert "field-error" in response.content.decode()


def test_who_may_only_look_sees_the_head_room_and_cannot_change_it(viewer, account):
    page = viewer.get(page_of(account))
    assert "10 % of every limit is left to others." in text_of(page)
    assert 'name="percent"' not in page.content.decode()
    assert viewer.post(page_of(account), {"percent": "25"}).status_code == 403
    account.refresh_from_db()
    assert account.head_room_percent == 10


def test_the_list_says_state_backlog_use_circuit_and_refusals(viewer, configuration, account, now):
    make_waiting(configuration, 2, ended_at=now)
    make_budget(account, "account", now, calls=700, granted=300, foreign=50)
    make_busy_hour(account, now)
    words = text_of(viewer.get(reverse("account_list")))
    assert "acme Memory CRM Sending" in words
    assert "2 on 2 records" in words
    assert "50.0% · 350 of 700 per minute" in words
    assert "Closed" in words
    assert re.search(r"Refused \(429\) in an hour 3 ", words)


def test_the_configuration_leads_to_its_accounts_page(viewer, configuration, account):
    page = viewer.get(reverse("configuration_detail", args=[configuration.pk])).content.decode()
    assert f'href="{page_of(account)}"' in page


def test_an_account_of_a_crm_that_is_no_longer_installed_can_be_looked_at(viewer, account, now):
    make_budget(account, "account", now, calls=700)
    CRMAccount.objects.update(provider="gone")
    assert "gone" in text_of(viewer.get(page_of(account)))


def test_queries_do_not_grow_with_accounts_or_rows(viewer, configuration, account, now):
    def count(address: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert viewer.get(address).status_code == 200
        return len(queries)

    make_budget(account, "account", now, calls=700)
    make_waiting(configuration, 1, ended_at=now)
    make_bulk_write(configuration, now)
    for address in addresses(account):
        count(address)  # what is read once per process
    before = [count(address) for address in addresses(account)]
    for number in range(4):
        other = make_configuration(authentication=make_authentication(address=f"other{number}"))
        make_waiting(other, 2, ended_at=now)
        make_busy_hour(other.authentication.account, now)
        CallBudget.objects.create(account=other.authentication.account, limit_class="account", calls=9, window_s=60)
    make_waiting(configuration, 20, ended_at=now)
    make_busy_hour(account, now)
    sibling = make_configuration(authentication=configuration.authentication)
    make_looked_for({configuration: 3, sibling: 3}, now)
    for name in ("a", "b", "c"):
        make_budget(account, name, now, calls=10)
        make_bulk_write(configuration, now)
    assert [count(address) for address in addresses(account)] == before
