"""Export and import of configurations in the browser (crm_integrations.views.configuration_files)."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm_integrations.models import AuditEntry, Configuration
from tests.factories import make_authentication, make_configuration, make_mapping, make_user

pytestmark = pytest.mark.django_db

VIEW = (
    "crm_integrations.view_configuration",
    "memorialization.view_memorializationmapping",
    "dynamic_data.view_dynamicdatamapping",
)
IMPORT = (
    "crm_integrations.add_configuration",
    "crm_integrations.change_configuration",
    "memorialization.add_memorializationmapping",
)
URL = "/configurations/import/"


@pytest.fixture
def document():
    make_authentication(name="acme (admin)")
    rows = [{"crmField": "subject", "channel": "voice", "source": "skillName"}]
    return {
        "version": 1,
        "name": "Support FR",
        "integrationType": "memory",
        "authentication": "acme (admin)",
        "memorializationMappings": [
            {"name": "Calls", "entities": [{"entityType": "ticket", "fields": rows}]},
        ],
    }


@pytest.fixture
def importer(client):
    client.force_login(make_user(*IMPORT))
    return client


def upload(document) -> SimpleUploadedFile:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return SimpleUploadedFile("support.json", data, content_type="application/json")


def test_export_is_a_download_of_the_file(client):
    configuration = make_configuration(name="Café du Nord")
    make_mapping(configuration, {"ticket": [("subject", "voice", "skillName")]}, name="Calls")
    client.force_login(make_user(*VIEW))
    response = client.get(reverse("configuration_export", args=[configuration.pk]))
    assert response["Content-Disposition"] == 'attachment; filename="cafe-du-nord.json"'
    assert json.loads(response.content)["memorializationMappings"][0]["name"] == "Calls"


@pytest.mark.parametrize("held", VIEW)
def test_export_needs_view_of_everything_in_the_file(client, held):
    url = reverse("configuration_export", args=[make_configuration().pk])
    assert client.get(url).status_code == 302
    client.force_login(make_user(held))
    assert client.get(url).status_code == 403


def test_import_creates_the_configuration_and_opens_it(importer, document):
    response = importer.post(URL, {"file": upload(document), "act": "import"})
    configuration = Configuration.objects.get()
    assert response.url == reverse("configuration_detail", args=[configuration.pk])
    assert configuration.memorializationmappings.get().name == "Calls"
    assert AuditEntry.objects.filter(action="configuration_imported").exists()


def test_a_check_shows_what_would_be_created_and_creates_nothing(importer, document):
    page = importer.post(URL, {"file": upload(document), "act": "check"}).content.decode()
    assert "Configuration “Support FR”" in page
    assert "“Calls”: 1 field" in page
    assert not Configuration.objects.exists()


def test_after_a_check_the_text_on_the_page_is_imported_without_another_upload(importer, document):
    importer.post(URL, {"text": json.dumps(document), "act": "import"})
    assert Configuration.objects.get().name == "Support FR"


def test_problems_are_listed_with_their_paths_and_the_text_stays(importer, document):
    document["memorializationMappings"][0]["entities"][0]["fields"][0]["crmField"] = "ghost"
    page = importer.post(URL, {"file": upload(document), "act": "import"}).content.decode()
    assert "<code>memorializationMappings[0].entities[0].fields[0].crmField</code>" in page
    assert "ghost&quot;" in page
    assert not Configuration.objects.exists()


def test_another_authentication_can_be_chosen(importer, document):
    other = make_authentication(address="sandbox", name="Sandbox")
    importer.post(URL, {"file": upload(document), "authentication": "Sandbox", "act": "import"})
    assert Configuration.objects.get().authentication == other


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "Choose a file."),
        ({"file": upload(b"\xff\xfe\x00")}, "not text in UTF-8"),
        ({"file": upload(b" " * 1_048_577)}, "larger than 1 MB"),
        ({"file": upload(b"{")}, "This is not JSON"),
    ],
    ids=["nothing", "not text", "too large", "not JSON"],
)
def test_what_is_no_configuration_is_refused_in_words(importer, data, sentence):
    assert sentence in importer.post(URL, {**data, "act": "import"}).content.decode()


def test_import_is_for_people_who_may_create_configurations(client, document):
    assert client.get(URL).status_code == 302
    client.force_login(make_user(*VIEW))
    assert client.get(URL).status_code == 403
    assert client.post(URL, {"file": upload(document), "act": "import"}).status_code == 403
    assert not Configuration.objects.exists()


def test_mappings_in_the_file_need_their_own_permission(client, document):
    client.force_login(make_user(IMPORT[0]))
    page = client.post(URL, {"file": upload(document), "act": "import"}).content.decode()
    assert "<code>memorializationMappings</code> You may not create these." in page
    assert not Configuration.objects.exists()


def test_the_pages_lead_to_import_and_export_for_those_who_may(client):
    configuration = make_configuration()
    client.force_login(make_user("crm_integrations.view_configuration"))
    page = client.get(reverse("configuration_detail", args=[configuration.pk])).content.decode()
    assert reverse("configuration_export", args=[configuration.pk]) not in page
    assert reverse("configuration_import") not in client.get(reverse("configuration_list")).content.decode()
    everything = (
        "crm_integrations.add_configuration",
        "memorialization.view_memorializationmapping",
        "dynamic_data.view_dynamicdatamapping",
    )
    client.force_login(make_user("crm_integrations.view_configuration", *everything))
    page = client.get(reverse("configuration_detail", args=[configuration.pk])).content.decode()
    assert reverse("configuration_export", args=[configuration.pk]) in page
    assert reverse("configuration_import") in client.get(reverse("configuration_list")).content.decode()
