"""Messages are found in code and templates; a catalogue with a gap is not complete."""

import gettext
import os

import pytest
from babel.messages.catalog import Catalog

from config.stack.translations import compile_catalogues, extract_messages, find_faults, update_catalogues

CODE = """
from django.utils.translation import gettext_lazy as _, ngettext, pgettext_lazy
LABEL = _("Save changes")
COUNT = ngettext("%(count)s call", "%(count)s calls", 2)
MONTH = pgettext_lazy("month", "May")
"""
TEMPLATE = """
  {% load i18n %}
    {% if it's %}{% translate "Sign in" %}
  {% endif %}
{% blocktranslate trimmed with name=user.name %}
   Hello
   {{ name }}
{% endblocktranslate %}
{% include "row.html" with label=_("Channel") only %}
"""


@pytest.fixture
def found(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "config" / "words.py").write_text(CODE)
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    return extract_messages(base=tmp_path)


def whole(*pairs: tuple[str, str]) -> Catalog:
    catalog = Catalog(locale="fr_CA")
    for message, translation in pairs:
        catalog.add(message, translation)
    return catalog


def test_messages_of_code_and_templates_are_found(found):
    texts = {message.id for message in found if message.id}

    assert texts == {
        "Save changes",
        ("%(count)s call", "%(count)s calls"),
        "May",
        "Sign in",
        "Hello %(name)s",
        "Channel",
    }
    assert found.get("May", context="month") is not None


def test_a_complete_catalogue_has_no_faults():
    assert find_faults(found=whole(("Hello %(name)s", "")), catalog=whole(("Hello %(name)s", "Bonjour %(name)s"))) == []


@pytest.mark.parametrize(
    ("pairs", "fault"),
    [
        ([], "missing: 'Hello %(name)s'"),
        ([("Hello %(name)s", "")], "untranslated: 'Hello %(name)s'"),
        ([("Hello %(name)s", "Bonjour")], "placeholder left out: 'Bonjour'"),
        ([("Hello %(name)s", "Bonjour %(name)s %(nom)s")], "unknown placeholder"),
        ([("Hello %(name)s", "Bonjour %(name)s"), ("Old", "Vieux")], "no longer in the sources: 'Old'"),
    ],
)
def test_each_gap_is_a_fault(pairs, fault):
    source = Catalog()
    source.add("Hello %(name)s", locations=[("page.html", 1)])

    faults = find_faults(found=source, catalog=whole(*pairs))

    assert len(faults) == 1 and faults[0].startswith(fault)


def test_a_fuzzy_translation_is_a_fault():
    catalog = Catalog(locale="fr_CA")
    catalog.add("Save", "Sauver", flags=["fuzzy"])

    assert find_faults(found=whole(("Save", "")), catalog=catalog) == ["fuzzy: 'Save'"]


def test_a_catalogue_is_compiled_once_and_again_when_it_changed(tmp_path):
    source = tmp_path / "fr_CA" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Save"\nmsgstr "Enregistrer"\n'
    )

    assert compile_catalogues(locale_dir=tmp_path) == [source.with_suffix(".mo")]
    assert compile_catalogues(locale_dir=tmp_path) == []
    with source.with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Save") == "Enregistrer"

    later = source.with_suffix(".mo").stat().st_mtime_ns + 1_000_000_000
    os.utime(source, ns=(later, later))
    assert compile_catalogues(locale_dir=tmp_path) == [source.with_suffix(".mo")]


def test_an_update_brings_the_messages_and_keeps_the_translations(tmp_path):
    path = tmp_path / "fr_CA" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    update_catalogues(locale_dir=tmp_path)
    path.write_text(path.read_text().replace('msgid "English"\nmsgstr ""', 'msgid "English"\nmsgstr "Anglais"'))
    translated = path.read_text()

    update_catalogues(locale_dir=tmp_path)

    assert "Anglais" in translated and path.read_text() == translated
