"""The shared fixtures do what they promise."""

import pytest

from config.celery import app
from tests.conftest import NO_BROKER, differs_by_database


@app.task(name="tests.note_user_count")
def note_user_count() -> None:
    """Write where only another connection to the same database can have read it."""
    from crm_integrations.models import User

    User.objects.create_user(username=f"after-{User.objects.count()}")


def test_a_task_runs_in_a_real_worker_on_the_test_database(running_worker, django_user_model):
    from config.stack.processes import wait_until

    django_user_model.objects.create_user(username="before")
    note_user_count.delay()

    assert wait_until(lambda: django_user_model.objects.filter(username="after-1").exists(), patience_s=20)


def test_hints_go_nowhere_by_default():
    note_user_count.delay()

    assert app.conf.broker_url == NO_BROKER


@pytest.mark.django_db
def test_a_test_with_the_database_runs_on_each(request):
    assert differs_by_database(request.node)


@pytest.mark.django_db
@pytest.mark.once
def test_a_test_marked_once_does_not(request):
    assert not differs_by_database(request.node)


def test_a_test_without_the_database_does_not(request):
    assert not differs_by_database(request.node)


def test_a_fixture_that_uses_the_database_counts(request, transactional_db):
    assert differs_by_database(request.node)
