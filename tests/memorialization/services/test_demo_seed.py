"""Seeding the demo, against a demo Zendesk over real HTTP."""

import json
import stat
import threading
from io import StringIO

import pytest
import requests
from django.core.management import CommandError, call_command
from django.utils import timezone

from crm_integrations.card_fields import card_fields
from crm_integrations.models import Authentication, Configuration, IntakeKey
from crm_integrations.services.configurations import deactivate_configuration, delete_configuration
from crm_integrations.services.senders import find_bearer
from demo.zendesk.app import create_app
from demo.zendesk.server import build_server
from memorialization.models import MemorializationMapping
from memorialization.services import demo_seed
from memorialization.services.demo_consent import ConsentFailed, give_consent, read_form
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)  # the catalogue is read outside transactions


@pytest.fixture
def demo_url(settings):
    server = build_server(create_app(None), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    settings.ZENDESK_BASE_URL = url + "/{subdomain}"
    settings.IS_EMBEDDED = True
    settings.ZENDESK_OAUTH_CLIENT_ID, settings.ZENDESK_OAUTH_CLIENT_SECRET = "agent_integrations_demo", "demo-secret"
    settings.SITE_URL = "http://localhost:8000"
    yield url
    server.shutdown()
    server.server_close()


@pytest.fixture
def administrator():
    return make_user(username="admin", is_superuser=True)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "demo" / "target.json"


@pytest.fixture
def seeded(demo_url, administrator, output):
    seed(output)
    return Configuration.objects.get()


def seed(output):
    said = StringIO()
    call_command("seed_demo", "--output", str(output), stdout=said)
    return said.getvalue()


def read_target(output):
    return json.loads(output.read_text())


def opens(output, configuration):
    key = read_target(output)["intake_key"]
    sender = find_bearer(configuration_id=configuration.pk, key=key, now=timezone.now())
    return sender is not None and sender.configuration == configuration


def test_seeding_walks_to_an_active_configuration_with_a_working_key(seeded, output, demo_url):
    assert (seeded.name, seeded.state, seeded.external_domain) == ("Demo: acme", "active", f"{demo_url}/acme")
    assert seeded.authentication.system_user_name == "Integration System User"
    target = read_target(output)
    assert set(target) == {"configuration_id", "events_url", "intake_key", "product_url"}
    assert target["configuration_id"] == str(seeded.pk)
    assert target["events_url"] == f"http://localhost:8000/api/v1/configurations/{seeded.pk}/events"
    assert target["product_url"].startswith("http://localhost:8000/configurations/")
    assert opens(output, seeded)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_the_mapping_has_the_source_pages_own_example_and_the_demo_accounts_fields(seeded, demo_url):
    mapping = MemorializationMapping.objects.get(configuration=seeded, is_active=True)
    rows = {
        (entity.entity_type, row.crm_field, row.channel): row.source
        for entity in mapping.entities.all()
        for row in entity.fields.all()
    }
    assert rows["user", "name", "digital"] == "customerName"
    fields = requests.get(f"{demo_url}/_control/acme/records/ticket_fields", timeout=10).json()["ticket_fields"]
    keys = {field["title"]: f"custom_field_{field['id']}" for field in fields}
    assert rows["ticket", keys["CXone contact ID"], "voice"] == "contactId"
    assert rows["ticket", keys["Transcript"], "digital"] == "transcriptionText"
    assert rows["ticket", keys["Handle time"], "script_variable"] == "handletime"
    assert rows["ticket", "comment", "voice"] == "dispositionNotes"
    assert rows["ticket", "tags", "voice"] == "tags"


def test_agents_see_fields_of_tickets_and_people_and_matching_is_on(seeded):
    shown = card_fields(seeded)
    assert [field.key for field in shown["ticket"]][:2] == ["status", "priority"]
    assert all(2 <= len(shown[kind]) <= 5 for kind in ("ticket", "user"))
    assert seeded.searches_records and seeded.phone_country == "CA"


def test_a_second_seeding_changes_nothing(seeded, output):
    before = read_target(output)
    assert "kept, with its intake key" in seed(output)
    assert read_target(output) == before
    assert Configuration.objects.count() == Authentication.objects.count() == IntakeKey.objects.count() == 1
    assert MemorializationMapping.objects.get().version == 1


def test_a_deleted_file_gets_a_new_key_and_the_older_one_ends(seeded, output):
    older = read_target(output)["intake_key"]
    output.unlink()
    assert "a new intake key" in seed(output)
    assert opens(output, seeded)
    assert read_target(output)["intake_key"] != older
    now = timezone.now()
    assert find_bearer(configuration_id=seeded.pk, key=older, now=now) is None


def test_keys_that_people_made_are_left_alone(seeded, output):
    own = IntakeKey.objects.create(configuration=seeded, label="Studio", key_hash="h")
    output.write_text("{broken")
    seed(output)
    own.refresh_from_db()
    assert own.revoked_at is None
    assert opens(output, seeded)


def test_a_moved_product_is_followed_with_the_same_key(seeded, output, settings):
    key = read_target(output)["intake_key"]
    settings.SITE_URL = "http://localhost:8010"
    seed(output)
    target = read_target(output)
    assert target["events_url"].startswith("http://localhost:8010/") and target["intake_key"] == key


def test_seeding_that_was_killed_before_the_end_goes_on(demo_url, administrator, output, monkeypatch):
    def die(**_arguments):
        raise KeyboardInterrupt

    for step in ("give_consent", "select_authentication", "create_mapping", "activate_configuration", "provide_target"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(demo_seed, step, die if step != "give_consent" else lambda _url: die())
            if step == "select_authentication":
                forget_selection(output)
            seed(output)
    seed(output)
    configuration = Configuration.objects.get()
    assert configuration.state == "active"
    assert Authentication.objects.count() == MemorializationMapping.objects.count() == 1
    assert opens(output, configuration)


def forget_selection(output):
    """A seeding that was killed between storing the authentication and giving it to the draft."""
    configuration = Configuration.objects.get()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(demo_seed, "_finish_draft", lambda *_: (_ for _ in ()).throw(RuntimeError))
        demo_seed.seed_demo(subdomain="acme", output=output, now=timezone.now())
    Configuration.objects.filter(pk=configuration.pk).update(authentication=None)


def test_an_account_that_was_filled_afresh_is_connected_again(seeded, output, demo_url):
    assert requests.post(f"{demo_url}/_control/acme/reset", timeout=10).ok
    seed(output)
    authentication = Authentication.objects.get()
    assert authentication.state == Authentication.State.ACTIVE
    tokens = requests.get(f"{demo_url}/_control/acme/tokens", timeout=10).json()["tokens"]
    assert len(tokens) == 1


def test_what_an_administrator_changed_stays(seeded, output, administrator):
    MemorializationMapping.objects.get().delete()
    deactivate_configuration(configuration=seeded, actor=administrator)
    assert "(Inactive)" in seed(output)
    assert MemorializationMapping.objects.count() == 0


def test_a_deleted_configuration_is_made_anew(seeded, output, administrator):
    delete_configuration(configuration=seeded, actor=administrator, now=timezone.now())
    seed(output)
    configuration = Configuration.objects.get(state="active")
    assert configuration != seeded
    assert opens(output, configuration)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"IS_EMBEDDED": False, "SITE_URL": "https://integrations.example"}, "embedded profile"),
        ({"ZENDESK_BASE_URL": "https://{subdomain}.zendesk.com"}, "never made in a real account"),
    ],
)
def test_nothing_is_seeded_outside_the_demo(demo_url, administrator, output, settings, changes, words):
    for name, value in changes.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError, match=words):
        seed(output)
    assert Configuration.objects.count() == 0
    assert not output.exists()


def test_without_an_administrator_nothing_is_seeded(demo_url, output):
    with pytest.raises(CommandError, match="no administrator"):
        seed(output)


def test_a_silent_demo_is_named_and_the_next_seeding_goes_on(demo_url, administrator, output, settings):
    answering = settings.ZENDESK_BASE_URL
    settings.ZENDESK_BASE_URL = "http://127.0.0.1:9/{subdomain}"
    with pytest.raises(CommandError, match="does not answer"):
        seed(output)
    settings.ZENDESK_BASE_URL = answering
    seed(output)
    assert Configuration.objects.get().state == "active"


def test_a_configuration_of_somebody_else_with_the_name_is_not_taken_over(seeded, output):
    account = seeded.authentication.account
    account.address = "other"
    account.save()
    with pytest.raises(CommandError, match="is not the demo's"):
        seed(output)


def test_consent_is_never_given_away_from_this_machine():
    with pytest.raises(ConsentFailed, match="not on this machine"):
        give_consent("https://acme.zendesk.com/oauth/authorizations/new?state=s")


def test_the_form_is_read_with_its_hidden_inputs():
    form = read_form(
        '<form action="/x"><input type="hidden" name="state" value="a&amp;b"><input value="no name"></form>'
    )
    assert (form.action, form.fields) == ("/x", {"state": "a&b"})
