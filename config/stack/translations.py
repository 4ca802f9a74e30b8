"""The languages: read every message out of the sources, keep the catalogues whole, compile them.

Babel does it all, so that no GNU gettext need be installed. `make messages` updates, `make check` compares.
"""

import os
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from config.stack.processes import BASE_DIR

SOURCE_DIRS = ("config", "crm_integrations", "memorialization", "dynamic_data")
TEMPLATE_DIRS = ("templates", *SOURCE_DIRS)
LOCALE_DIR = BASE_DIR / "locale"
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "_": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
COMMENT_TAGS = ("Translators:",)
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
LINE_WIDTH = 118
# Every field that Babel would fill with a placeholder like "FULL NAME".
HEADER: dict[str, Any] = {
    "project": "Agent Integrations",
    "version": "1",
    "msgid_bugs_address": "the project",
    "last_translator": "the project",
    "language_team": "the project",
    "charset": "utf-8",
    "fuzzy": False,
}
MessageTexts = str | tuple[str, ...] | list[str] | None


def extract_messages(*, base: Path = BASE_DIR) -> Catalog:
    """Every message of the sources under `base`, with where it is used."""
    catalog = Catalog(**HEADER)
    for path, text in _sources(base):
        # Templates become lines that only look like Python: without their indentation they can be read as such.
        found = extract("python", BytesIO(text.encode()), keywords=KEYWORDS, comment_tags=COMMENT_TAGS)
        for line, message, comments, context in found:
            catalog.add(message, locations=[(path, line)], auto_comments=comments, context=context)
    return catalog


def _sources(base: Path) -> Iterator[tuple[str, str]]:
    """Path and Python text of each source file; templates are translated to such text by Django."""
    from django.utils.translation.template import templatize

    for path in _files(base, SOURCE_DIRS, "*.py"):
        yield path.relative_to(base).as_posix(), path.read_text(encoding="utf-8")
    for pattern in ("*.html", "*.txt"):
        for path in _files(base, TEMPLATE_DIRS, pattern):
            name = path.relative_to(base).as_posix()
            lines = templatize(path.read_text(encoding="utf-8"), origin=name).splitlines()
            yield name, "\n".join(line.lstrip() for line in lines) + "\n"


def _files(base: Path, folders: tuple[str, ...], pattern: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in (base / folder).rglob(pattern) if "migrations" not in path.parts)


def catalogue_paths(*, locale_dir: Path = LOCALE_DIR) -> list[Path]:
    """The catalogue of each language, there or still to be made."""
    return [folder / "LC_MESSAGES" / "django.po" for folder in sorted(locale_dir.iterdir()) if folder.is_dir()]


def read_catalogue(path: Path) -> Catalog:
    """A language's catalogue; an empty one when the file is not there yet."""
    locale = path.parent.parent.name
    if not path.exists():
        return Catalog(locale=locale, header_comment="# What the pages say, in another language.", **HEADER)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def update_catalogues(*, locale_dir: Path = LOCALE_DIR) -> list[str]:
    """Bring each catalogue to the messages of the sources; new ones are left untranslated, unused ones dropped."""
    found, said = extract_messages(), []
    for path in catalogue_paths(locale_dir=locale_dir):
        catalog = read_catalogue(path)
        catalog.update(found, no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        text = BytesIO()
        write_po(text, catalog, width=LINE_WIDTH, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
        _write_whole(path, text.getvalue())
        empty = sum(1 for message in catalog if message.id and not _is_translated(message))
        said.append(f"{path.parent.parent.name}: {len(catalog)} messages, {empty} without a translation")
    return said


def report_faults() -> list[str]:
    """The faults of every catalogue against the sources, each with its language."""
    found = extract_messages()
    return [
        f"{path.parent.parent.name}: {fault}"
        for path in catalogue_paths()
        for fault in find_faults(found=found, catalog=read_catalogue(path))
    ]


def find_faults(*, found: Catalog, catalog: Catalog) -> list[str]:
    """What keeps a catalogue from being complete, one sentence each."""
    faults = []
    for message in found:
        if message.id and catalog.get(message.id, message.context) is None:
            faults.append(f"missing: {message.id!r} ({message.locations[0][0]})")
    for message in catalog:
        if message.id:
            faults += _message_faults(message, is_used=found.get(message.id, message.context) is not None)
    return faults + [f"obsolete: {message.id!r}" for message in catalog.obsolete.values()]


def _message_faults(message: Message, *, is_used: bool) -> list[str]:
    faults = []
    if not is_used:
        faults.append(f"no longer in the sources: {message.id!r}")
    if message.fuzzy:
        faults.append(f"fuzzy: {message.id!r}")
    if not _is_translated(message):
        faults.append(f"untranslated: {message.id!r}")
    elif _placeholders(message.string) - _placeholders(message.id):
        faults.append(f"unknown placeholder: {message.string!r}")
    elif _placeholders(message.id) - _placeholders(message.string):
        faults.append(f"placeholder left out: {message.string!r}")
    return faults


def _is_translated(message: Message) -> bool:
    return all(_texts(message.string))


def _placeholders(texts: MessageTexts) -> set[str]:
    return {name for text in _texts(texts) for name in PLACEHOLDER.findall(text)}


def _texts(value: MessageTexts) -> list[str]:
    """Singular and plural alike as a list."""
    return [value or ""] if value is None or isinstance(value, str) else list(value)


def compile_catalogues(*, locale_dir: Path = LOCALE_DIR) -> list[Path]:
    """Compile each catalogue that is newer than its compiled form; gives those that were."""
    compiled = []
    for path in catalogue_paths(locale_dir=locale_dir):
        target = path.with_suffix(".mo")
        if not path.exists() or (target.exists() and target.stat().st_mtime_ns >= path.stat().st_mtime_ns):
            continue
        content = BytesIO()
        write_mo(content, read_catalogue(path))
        _write_whole(target, content.getvalue())
        compiled.append(target)
    return compiled


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; several processes may start at once."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
