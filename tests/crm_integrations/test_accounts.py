"""Signing in and out, the own password, language and theme, and roles."""

import pytest
from axes.utils import reset
from django.conf import settings
from django.core.management import call_command

from crm_integrations import permissions
from crm_integrations.models import User
from crm_integrations.services.roles import Role, administrator_names, assign_role, create_roles
from tests.factories import make_user

PASSWORD = "right horse battery"


@pytest.fixture
def roles(db):
    return create_roles()


def test_the_sign_in_page_opens_for_strangers(client, db):
    answer = client.get("/accounts/login/")
    assert answer.status_code == 200
    assert 'name="password"' in answer.text


def test_signing_in_leads_to_where_the_person_wanted(client, db):
    make_user(username="ada")
    answer = client.post(
        "/accounts/login/?next=/accounts/password/",
        {"username": "ada", "password": PASSWORD, "next": "/accounts/password/"},
    )
    assert answer.url == "/accounts/password/"


def test_a_foreign_address_is_never_gone_to_after_signing_in(client, db):
    make_user(username="ada")
    answer = client.post(
        "/accounts/login/", {"username": "ada", "password": PASSWORD, "next": "https://elsewhere.example/"}
    )
    assert answer.url == "/"


def test_a_wrong_password_is_refused_with_a_sentence(client, db):
    make_user(username="ada")
    answer = client.post("/accounts/login/", {"username": "ada", "password": "wrong"})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert "_auth_user_id" not in client.session


def test_too_many_wrong_passwords_pause_the_sign_in(client, db, settings):
    settings.AXES_ENABLED = True
    make_user(username="ada")
    wrong = {"username": "ada", "password": "wrong"}
    answers = [client.post("/accounts/login/", wrong) for _try in range(settings.AXES_FAILURE_LIMIT)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert "Sign-in is paused" in answers[-1].text
    assert "for 15 min." in answers[-1].text
    assert client.post("/accounts/login/", {"username": "ada", "password": PASSWORD}).status_code == 429
    reset()


@pytest.mark.parametrize(
    ("header", "language"), [("fr", "fr-ca"), ("fr-FR,en;q=0.8", "fr-ca"), ("en-GB", "en"), ("de", "en"), ("", "en")]
)
def test_strangers_read_in_their_browsers_language(client, db, header, language):
    answer = client.get("/accounts/login/", headers={"Accept-Language": header})
    assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}"' in answer.text
    assert "Accept-Language" in answer.headers["Vary"]


def test_signing_out_needs_a_post(client, db):
    client.force_login(make_user())
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/").url == "/accounts/login/"
    assert "_auth_user_id" not in client.session


def test_the_password_page_asks_strangers_to_sign_in(client, db):
    assert client.get("/accounts/password/").url == "/accounts/login/?next=/accounts/password/"


def test_the_password_is_changed_and_the_person_stays_signed_in(client, db):
    user = make_user()
    client.force_login(user)
    new = "a better horse battery"
    answer = client.post(
        "/accounts/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}, follow=True
    )
    assert "Your password was changed." in answer.text
    user.refresh_from_db()
    assert user.check_password(new)


def test_a_weak_password_is_refused_and_the_old_one_stays(client, db):
    user = make_user()
    client.force_login(user)
    answer = client.post(
        "/accounts/password/", {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    )
    assert 'href="#id_new_password2"' in answer.text
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_preferences_of_a_signed_in_person_are_kept_on_the_account(client, db):
    user = make_user()
    client.force_login(user)
    answer = client.post("/preferences/", {"language": "fr-ca", "next": "/accounts/password/"})
    assert answer.url == "/accounts/password/"
    client.post("/preferences/", {"theme": "dark"})
    user.refresh_from_db()
    assert (user.language, user.theme) == ("fr-ca", "dark")
    page = client.get("/accounts/password/", headers={"Accept-Language": "en"}).text
    assert '<html lang="fr-ca" data-theme="dark"' in page
    assert 'data-bs-theme="dark"' in page


def test_preferences_of_a_stranger_are_kept_in_cookies(client, db):
    client.post("/preferences/", {"language": "fr-ca"})
    client.post("/preferences/", {"theme": "light"})
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "fr-ca"
    assert '<html lang="fr-ca" data-theme="light"' in client.get("/accounts/login/").text


@pytest.mark.parametrize("value", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""])
def test_preferences_never_lead_elsewhere(client, db, value):
    assert client.post("/preferences/", {"theme": "dark", "next": value}).url == "/"


def test_unknown_preferences_change_nothing(client, db):
    user = make_user(theme="light")
    client.force_login(user)
    client.post("/preferences/", {"theme": "sepia", "language": "tlh"})
    user.refresh_from_db()
    assert (user.language, user.theme) == ("", "light")


def test_one_valid_preference_beside_an_unknown_one_is_taken(client, db):
    user = make_user()
    client.force_login(user)
    client.post("/preferences/", {"theme": "dark", "language": "tlh"})
    user.refresh_from_db()
    assert (user.language, user.theme) == ("", "dark")


def test_preferences_are_not_changed_by_a_link(client, db):
    assert client.get("/preferences/?theme=dark").status_code == 405


def test_the_start_asks_strangers_to_sign_in_and_tells_people_without_permissions_whom_to_ask(client, db):
    assert client.get("/").url == "/accounts/login/?next=/"
    client.force_login(make_user())
    assert client.get("/").status_code == 403


def test_the_start_leads_an_administrator_to_a_page(client, roles):
    user = make_user()
    assign_role(user=user, role=Role.ADMINISTRATOR)
    client.force_login(user)
    assert client.get("/").status_code == 302


def test_a_viewer_may_look_at_everything_and_change_nothing(roles):
    user = make_user()
    assign_role(user=user, role=Role.VIEWER)
    assert user.has_perms([resource.format(action="view") for resource in permissions.RESOURCES])
    assert not user.has_perm(permissions.EDIT_CONFIGURATIONS)
    assert not user.is_staff


def test_an_editor_creates_and_edits_but_does_not_delete(roles):
    user = make_user()
    assign_role(user=user, role=Role.EDITOR)
    for resource in permissions.RESOURCES:
        assert user.has_perms([resource.format(action=action) for action in ("view", "add", "change")])
        assert not user.has_perm(resource.format(action="delete"))
    assert not user.has_perm("crm_integrations.change_user")


def test_an_administrator_does_everything_and_reaches_the_raw_tables(client, roles):
    user = make_user()
    assign_role(user=user, role=Role.ADMINISTRATOR)
    assert user.has_perms([resource.format(action="delete") for resource in permissions.RESOURCES])
    assert user.has_perm("crm_integrations.change_user")
    client.force_login(user)
    assert client.get("/admin/").status_code == 200


def test_another_role_replaces_the_former_one(roles):
    user = make_user()
    assign_role(user=user, role=Role.ADMINISTRATOR)
    assign_role(user=user, role=Role.VIEWER)
    user = User.objects.get(pk=user.pk)
    assert [group.name for group in user.groups.all()] == ["viewer"]
    assert not user.is_staff


def test_create_roles_twice_changes_nothing_the_second_time(roles):
    again = create_roles()
    assert [(result.is_new, result.permissions_added, result.permissions_removed) for result in again] == [
        (False, 0, 0)
    ] * 3


def test_create_roles_takes_back_a_permission_that_was_added_by_hand(roles):
    from django.contrib.auth.models import Group, Permission

    viewer = Group.objects.get(name=Role.VIEWER)
    viewer.permissions.add(Permission.objects.get(codename="delete_configuration"))
    create_roles()
    assert not viewer.permissions.filter(codename="delete_configuration").exists()


def test_the_command_says_what_it_did(db, capsys):
    call_command("create_roles")
    assert capsys.readouterr().out.splitlines()[-1] == "3 roles are in place."


def test_someone_added_to_the_administrators_reaches_admin_after_signing_in(client, roles):
    from django.contrib.auth.models import Group

    user = make_user(username="ada")
    user.groups.add(Group.objects.get(name=Role.ADMINISTRATOR))
    client.post("/accounts/login/", {"username": "ada", "password": PASSWORD})
    assert client.get("/admin/").status_code == 200


def test_admin_uses_the_one_sign_in_page_and_refuses_people_who_are_no_administrators(client, db):
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/accounts/login/?next=/admin/"
    client.force_login(make_user())
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "Users: Edit" in answer.text


def test_only_active_administrators_are_named(roles):
    for name, is_active in (("ada", True), ("gone", False)):
        assign_role(user=make_user(username=name, is_active=is_active), role=Role.ADMINISTRATOR)
    assert administrator_names() == ["ada"]
