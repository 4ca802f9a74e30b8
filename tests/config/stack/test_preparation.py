"""Before a start: nobody else may read the database, and static files are collected again only when they changed."""

import os

import pytest
from django.db import connection

from config.stack import preparation


@pytest.fixture
def sources(tmp_path, monkeypatch, settings):
    (tmp_path / "static").mkdir()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.py").write_text("")
    (tmp_path / "static" / "look.css").write_text("a {}")
    monkeypatch.setattr(preparation, "BASE_DIR", tmp_path)
    settings.VAR_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "collected"
    return tmp_path


@pytest.fixture
def collections(sources, monkeypatch):
    """How often the files were collected."""
    calls = []

    def collect(*words, **_options):
        calls.append(words)
        (sources / "collected").mkdir(exist_ok=True)
        (sources / "collected" / "staticfiles.json").touch()

    monkeypatch.setattr(preparation, "call_command", collect)
    return calls


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite alone")
def test_an_sqlite_file_is_its_owners_alone(tmp_path, monkeypatch):
    path = tmp_path / "product.sqlite3"
    path.touch(mode=0o644)
    monkeypatch.setitem(connection.settings_dict, "NAME", str(path))
    preparation._keep_from_others()
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_collected_twice(collections):
    preparation.prepare_static_files()
    preparation.prepare_static_files()

    assert collections == [("collectstatic",)]


def test_a_changed_file_is_collected(collections, sources):
    preparation.prepare_static_files()
    os.utime(sources / "static" / "look.css", ns=(1, 1))
    preparation.prepare_static_files()

    assert len(collections) == 2


def test_an_interrupted_collection_is_done_again(collections, sources, monkeypatch):
    def die(*_words, **_options):
        raise KeyboardInterrupt

    preparation.prepare_static_files()
    os.utime(sources / "static" / "look.css", ns=(1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(preparation, "call_command", die)
        with pytest.raises(KeyboardInterrupt):
            preparation.prepare_static_files()
    preparation.prepare_static_files()

    assert len(collections) == 2
