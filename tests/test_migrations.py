"""The migrations say what the models say."""

from io import StringIO

import pytest
from django.core.management import call_command

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_no_model_change_is_without_its_migration():
    said = StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, interactive=False, stdout=said)
    except SystemExit:
        pytest.fail(f"A migration is missing:\n{said.getvalue()}")
