"""The page frame: navigation, breadcrumbs, messages, components and error pages."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django import forms
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import HttpResponse
from django.template import engines
from django.template.loader import render_to_string
from django.urls import include, path
from django.utils.formats import date_format
from django.utils.translation import override

from crm_integrations import navigation, permissions, tabs
from crm_integrations.models import Configuration
from crm_integrations.permission_labels import permission_label
from crm_integrations.templatetags.components import LOOKS, badge
from crm_integrations.templatetags.moments import relative_words, share
from crm_integrations.views.access import requires
from tests.factories import make_user

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[2]


@requires(permissions.EDIT_CONFIGURATIONS, permissions.CREATE_DATA_MEMORIALIZATION)
def guarded(request):
    return HttpResponse("open")


def broken(request):
    raise RuntimeError("broken on purpose")


def present(request, pk):
    return HttpResponse("here")


urlpatterns = [
    path("guarded/", guarded),
    path("broken/", broken),
    path("present/<uuid:pk>/", present, name="present_tab"),
    path("present/", guarded, name="present_entry"),
    path("", include("config.urls")),
]
handler403 = "crm_integrations.views.errors.permission_denied"
handler404 = "crm_integrations.views.errors.page_not_found"
handler500 = "crm_integrations.views.errors.server_error"


@pytest.fixture
def own_entries(monkeypatch):
    entries = {}
    monkeypatch.setattr(navigation, "_entries", entries)
    return entries


def render(source, **context):
    return engines["django"].from_string(source).render(context)


def links_of(rf, user, path="/"):
    request = rf.get(path)
    request.user = user
    return navigation.navigation_links(request)


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_an_entry_is_hidden_from_people_without_its_permission(rf, own_entries):
    entry = navigation.NavigationEntry("Entry", "present_entry", "home", permissions.VIEW_CONFIGURATIONS)
    navigation.register_navigation(entry)
    assert links_of(rf, make_user()) == []
    assert [link.url for link in links_of(rf, make_user(permissions.VIEW_CONFIGURATIONS))] == ["/present/"]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_an_entry_appears_once_its_page_exists_and_in_order(rf, own_entries):
    navigation.register_navigation(
        navigation.NavigationEntry("Later", "healthz", "home", order=20),
        navigation.NavigationEntry("Nowhere", "no_such_page", "home", order=5),
        navigation.NavigationEntry("First", "present_entry", "home", order=10),
    )
    links = links_of(rf, make_user(), path="/present/below/")
    assert [(link.label, link.is_current) for link in links] == [("First", True), ("Later", False)]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_tab_is_hidden_without_its_permission_and_marked_when_selected(monkeypatch):
    monkeypatch.setattr(tabs, "_tabs", {})
    tabs.register_tabs(
        tabs.ConfigurationTab("Here", "present_tab", permissions.VIEW_CONFIGURATIONS),
        tabs.ConfigurationTab("Secret", "present_tab2", permissions.VIEW_CONFIGURATIONS),
    )
    configuration = Configuration(name="Support")
    viewer = make_user(permissions.VIEW_CONFIGURATIONS)
    shown = tabs.configuration_tabs(configuration=configuration, user=viewer, current="present_tab")
    assert [(tab.label, tab.url, tab.is_current) for tab in shown] == [("Here", f"/present/{configuration.pk}/", True)]
    assert tabs.configuration_tabs(configuration=configuration, user=make_user(), current="present_tab") == []


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_the_403_page_names_what_is_missing_and_whom_to_ask(client):
    make_user(username="ada", first_name="Ada", last_name="Roy", is_superuser=True)
    client.force_login(make_user(permissions.EDIT_CONFIGURATIONS))
    answer = client.get("/guarded/")
    assert answer.status_code == 403
    assert "Data Memorialization: Create" in answer.text
    assert "Configurations: Edit" not in answer.text
    assert "Ada Roy" in answer.text


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_guarded_page_opens_for_those_who_hold_every_permission_and_asks_strangers_to_sign_in(client):
    assert client.get("/guarded/").url == "/accounts/login/?next=/guarded/"
    client.force_login(make_user(permissions.EDIT_CONFIGURATIONS, permissions.CREATE_DATA_MEMORIALIZATION))
    assert client.get("/guarded/").text == "open"


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_missing_page_has_a_404_page_in_the_readers_language(client):
    answer = client.get("/nothing/", headers={"Accept-Language": "fr"})
    assert answer.status_code == 404
    assert '<html lang="fr-ca"' in answer.text


@pytest.mark.urls(__name__)
def test_the_500_page_needs_no_database(client):
    client.raise_request_exception = False
    answer = client.get("/broken/")
    assert answer.status_code == 500
    assert "<h1>" in answer.text


@pytest.mark.django_db
def test_a_form_without_its_token_gets_a_page_that_says_nothing_was_saved():
    from django.test import Client

    answer = Client(enforce_csrf_checks=True).post("/preferences/", {"theme": "dark"})
    assert answer.status_code == 403
    assert "nothing was saved" in answer.text


@pytest.mark.django_db
def test_every_page_carries_a_strict_content_security_policy_and_nothing_inline(client):
    client.force_login(make_user(permissions.VIEW_CONFIGURATIONS))
    answer = client.get("/accounts/password/")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert " style=" not in answer.text
    assert "<style" not in answer.text
    assert " onclick=" not in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("template", sorted((PROJECT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_templates_are_short_and_hold_no_inline_style_or_script(template):
    text = template.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    assert " style=" not in text
    assert "<style" not in text
    assert "<script>" not in text


def test_every_look_has_a_picture_in_the_sprite():
    sprite = (PROJECT / "static" / "icons.svg").read_text(encoding="utf-8")
    for look in LOOKS.values():
        assert f'<symbol id="{look.icon}"' in sprite


def test_a_badge_says_its_state_in_a_word_beside_the_picture():
    html = badge("failed", "Failed")
    assert "tone-bad" in html
    assert "#cross-circle" in html
    assert "Failed" in html


class SampleForm(forms.Form):
    name = forms.CharField(label="Configuration Name", help_text="Shown in the list.")
    way = forms.ChoiceField(label="Way", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)


def test_a_field_ties_its_help_and_its_errors_to_the_control():
    form = SampleForm({"name": ""})
    html = render_to_string("components/field.html", {"field": form["name"]})
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'class="form-control is-invalid"' in html


def test_the_error_summary_links_to_the_controls():
    html = render_to_string("components/form_errors.html", {"form": SampleForm({})})
    assert 'href="#id_name"' in html
    assert 'href="#id_way_0"' in html


def test_a_valid_form_has_no_error_summary():
    assert (
        render_to_string("components/form_errors.html", {"form": SampleForm({"name": "x", "way": "a"})}).strip() == ""
    )


def test_a_card_keeps_its_body_and_escapes_its_title():
    html = render("{% load components %}{% card title=title %}<p>{{ text }}</p>{% endcard %}", title="<b>", text="<i>")
    assert "&lt;b&gt;" in html
    assert "<p>&lt;i&gt;</p>" in html


def test_a_message_is_shown_as_text_with_its_level():
    message = Message(constants.ERROR, "<b>Not saved</b>")
    html = render_to_string("frame/toasts.html", {"messages": [message]})
    assert 'data-toast="error"' in html
    assert "&lt;b&gt;Not saved&lt;/b&gt;" in html


def test_pagination_is_absent_when_there_is_one_page():
    context = {"newer_url": "", "older_url": ""}
    assert render_to_string("components/pagination.html", context).strip() == ""
    assert 'href="?before=9"' in render_to_string("components/pagination.html", {"older_url": "?before=9"})


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=7), "7 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(minutes=-9), "in 9 min"),
        (timedelta(seconds=-9), "in a moment"),
    ],
)
def test_times_are_relative_within_a_week(distance, words):
    assert relative_words(NOW - distance, now=NOW) == words


def test_a_moment_carries_its_exact_time_for_machines_hover_and_screen_readers():
    html = render("{% load moments %}{{ at|moment:now }}", at=NOW - timedelta(minutes=7), now=NOW)
    assert 'datetime="2026-11-22T14:53:00+00:00"' in html
    assert "22 Nov 2026, 14:53:00 UTC" in html
    assert "7 min ago" in html


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [("en", "2 Nov 2026", "2 Nov 2026, 22:10"), ("fr-ca", "2026-11-02", "2 novembre 2026, 22\xa0h\xa010")],
)
def test_no_language_writes_a_day_that_could_be_read_as_another(language, day, moment):
    at = datetime(2026, 11, 2, 22, 10, tzinfo=UTC)
    with override(language):
        assert relative_words(at, now=at + timedelta(days=30)) == day
        assert date_format(at, "DATETIME_FORMAT") == moment


def test_a_share_is_cut_and_never_rounded_up_to_all():
    assert share(0.99999) == "99.9%"
    assert share(1) == "100%"
    assert share(0.29) == "29.0%"
    assert share(0) == "0%"
    assert share(None) == "–"


def test_a_sparkline_draws_a_bar_for_each_value_and_says_it_in_words():
    html = render("{% load sparklines %}{% sparkline values label %}", values=[0, 4, 2], label="6 deliveries")
    assert html.count("<rect") == 3
    assert html.count("is-empty") == 1
    assert 'aria-label="6 deliveries"' in html


def test_a_sparkline_of_nothing_is_empty():
    assert "<rect" not in render("{% load sparklines %}{% sparkline values label %}", values=[], label="none")


def test_permissions_are_named_in_words():
    assert permission_label(permissions.CREATE_CONFIGURATIONS) == "Configurations: Create"
    assert permission_label("sessions.view_session") == "sessions.view_session"
