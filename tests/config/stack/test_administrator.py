"""The first administrator can sign in with the password shown, as long as it is the right one."""

import stat

import pytest
from django.contrib.auth import authenticate

from config.stack.administrator import FILE_NAME, ensure_administrator, read_first_administrator
from crm_integrations.models import User

pytestmark = pytest.mark.django_db


def test_the_password_shown_signs_in(tmp_path):
    ensure_administrator(var_dir=tmp_path)

    first = read_first_administrator(tmp_path)
    person = authenticate(None, username=first.username, password=first.password)
    assert person.is_superuser and person.is_staff


def test_the_file_is_for_the_owner_only(tmp_path):
    ensure_administrator(var_dir=tmp_path)

    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_a_second_start_keeps_the_account_and_the_password(tmp_path):
    ensure_administrator(var_dir=tmp_path)
    first = read_first_administrator(tmp_path)

    ensure_administrator(var_dir=tmp_path)

    assert read_first_administrator(tmp_path) == first
    assert User.objects.count() == 1


def test_a_password_that_was_changed_is_no_longer_shown(tmp_path):
    ensure_administrator(var_dir=tmp_path)
    person = User.objects.get()
    person.set_password("my own words")
    person.save()

    ensure_administrator(var_dir=tmp_path)

    assert read_first_administrator(tmp_path) is None
    assert authenticate(None, username="admin", password="my own words")


def test_a_start_killed_before_the_account_was_made_is_made_good(tmp_path):
    ensure_administrator(var_dir=tmp_path)
    User.objects.all().delete()

    ensure_administrator(var_dir=tmp_path)

    first = read_first_administrator(tmp_path)
    assert authenticate(None, username=first.username, password=first.password)
