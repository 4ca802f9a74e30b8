"""How records were looked for, on the interaction's page, and choosing one of several."""

import re

import pytest
from django.urls import reverse

from crm_integrations.permissions import EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from memorialization.models import Delivery
from tests.factories import make_user
from tests.memorialization.matching_scene import BOTH, IDS, call, configured, crm, matched, outcome, person, ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]


@pytest.fixture
def editor(client):
    client.force_login(make_user(VIEW_CONFIGURATIONS, EDIT_CONFIGURATIONS))
    return client


def page_of(client, interaction):
    return client.get(reverse("interaction_detail", args=[interaction.pk])).content.decode()


def ambiguous_call():
    configuration = configured(BOTH, searches_records=True)
    for pk in ("7", "8"):
        person(configuration, pk)
        ticket(configuration, f"1{pk}", owner=pk)
    return configuration, matched(configuration)


def form_of(page, record_id):
    """The fields of the candidate's form."""
    forms = re.findall(r'<form method="post" action="[^"]*/link/">.*?</form>', page, re.DOTALL)
    chosen = next(form for form in forms if f'name="record_id" value="{record_id}"' in form)
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', chosen))


def test_the_page_lists_the_candidates_and_one_click_writes_to_the_right_one(editor):
    _configuration, interaction = ambiguous_call()
    page = page_of(editor, interaction)
    assert "Records to choose from" in page and "Case 17" in page and "Case 18" in page
    assert "https://acme.memory.test/ticket/17" in page
    data = form_of(page, "17")
    address = reverse("interaction_link", args=[interaction.pk])
    assert editor.post(address, data).url == reverse("interaction_detail", args=[interaction.pk])
    assert outcome(interaction)[:3] == ("17", "linked", "waiting")
    editor.post(address, data)
    assert Delivery.objects.filter(record_id="17").count() == 1
    page = page_of(editor, interaction)
    assert 'value="17"' not in page and 'name="record_id" value="7"' in page  # the user is still open


def test_people_are_shown_for_a_case_of_nobody_knows_whom_and_only_for_themselves_to_be_linked(editor):
    configuration = configured(BOTH, searches_records=True)
    for pk in ("7", "8"):
        person(configuration, pk)
    page = page_of(editor, matched(configuration))
    choices = re.search(r'id="choices".*?</section>', page, re.DOTALL)[0]
    user, case = re.split('<h3 class="choice-type">Ticket</h3>', choices)
    assert "Link the right one" in user and user.count("Link this record") == 2
    assert "Find out who it was and link that record" in case and "Link the right one" not in case
    assert "Person 7" in case and "Person 8" in case and "Link this record" not in case


def test_a_candidate_that_is_gone_is_refused_with_the_reason(editor):
    configuration, interaction = ambiguous_call()
    data = form_of(page_of(editor, interaction), "17")
    crm(configuration).records.pop(("ticket", "17"))
    response = editor.post(reverse("interaction_link", args=[interaction.pk]), data)
    assert response.status_code == 422 and "no such record" in response.content.decode()


def test_who_may_only_view_sees_the_candidates_and_cannot_choose(client):
    _configuration, interaction = ambiguous_call()
    client.force_login(make_user(VIEW_CONFIGURATIONS))
    page = page_of(client, interaction)
    assert "Case 17" in page and "Link this record" not in page
    address = reverse("interaction_link", args=[interaction.pk])
    assert client.post(address, {"entity_type": "ticket", "record_id": "17"}).status_code == 403


def test_the_timeline_says_which_rules_were_tried_with_what_outcome(editor):
    interaction = matched(configured(IDS, uses_written_records=True, searches_records=True, case_age_hours=24))
    page = page_of(editor, interaction)
    assert "Record looked for: Ticket" in page
    assert "Records linked to the interaction: found nothing" in page
    assert "A record that carries the Contact ID or Master Contact ID: found nothing" in page
    assert "A search for the person: found nothing" in page


def test_the_page_says_that_records_are_still_looked_for_and_asks_for_news(editor):
    interaction = call(configured(searches_records=True))
    page = page_of(editor, interaction)
    assert "Records are being looked for" in page and "changes/?seen=" in page
    link = editor.get(reverse("interaction_link", args=[interaction.pk])).content.decode()
    assert 'value="ticket"' in link


def test_a_case_of_somebody_else_is_offered_as_a_candidate(editor):
    configuration = configured(checks_caller=True)
    person(configuration, "7")
    ticket(configuration, "1", owner="8")
    page = page_of(editor, matched(configuration, scriptVariables={"memory_ticket_id": "1"}))
    assert "The case belongs to somebody else than the caller" in page and 'name="record_id" value="1"' in page
