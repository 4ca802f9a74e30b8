"""Reading a configuration file: JSON taken apart key by key, every doubt noted as a problem with its path.

Readers never stop at the first problem, so that one attempt names them all.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.problems import Path, Problem


class NotAFile(ValueError):
    """The text is not one JSON object; the message says why."""


def parse_file(text: str) -> dict[str, Any]:
    """The file's object. Raises NotAFile."""
    try:
        parsed = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_build_object)
        _check_texts(parsed)
    except json.JSONDecodeError as error:
        words = {"line": error.lineno, "column": error.colno}
        raise NotAFile(_("This is not JSON: line %(line)s, column %(column)s cannot be read.") % words) from error
    except RecursionError as error:
        raise NotAFile(_("The file is nested too deeply.")) from error
    except NotAFile:
        raise
    except ValueError as error:  # Python reads no whole number of more than 4300 digits
        raise NotAFile(_("The file has a number that is too long.")) from error
    if not isinstance(parsed, dict):
        raise NotAFile(_("The file must hold one JSON object."))
    return parsed


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON takes the last of two equal keys in silence; a file that says something twice is refused instead."""
    built: dict[str, Any] = {}
    for key, value in pairs:
        if key in built:
            raise NotAFile(_("The key “%(key)s” stands twice in one object.") % {"key": key})
        built[key] = value
    return built


def _check_texts(parsed: Any) -> None:
    """Refuse texts that no database or page can take, wherever they stand. Raises NotAFile."""
    text = json.dumps(parsed, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotAFile(_("The file has half of a surrogate pair (\\ud800 to \\udfff) in a text.")) from error
    if "\\u0000" in text.replace("\\\\", ""):  # JSON writes an escaped backslash as two
        raise NotAFile(_("The file has a NUL character (\\u0000), which cannot be stored."))


@dataclass
class FileObject:
    """One JSON object at its place; `problems` is shared by all readers of the file."""

    values: dict[str, Any]
    path: Path = ()
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, key: str, message: str) -> None:
        """Note a problem at one of the keys."""
        self.problems.append(Problem((*self.path, key), message))

    def allow(self, *keys: str) -> None:
        """Refuse every other key."""
        for key in self.values:
            if key not in keys:
                self.refuse(key, _("This key is not known."))

    def text(self, key: str, *, default: str | None = None, limit: int | None = None) -> str:
        """A text, stripped; without default it must be there and not blank."""
        value = self._value(key, str, default)
        if not isinstance(value, str):
            return default or ""
        if default is None and not value.strip():
            self.refuse(key, _("This must not be blank."))
        if limit is not None and len(value.strip()) > limit:
            self.refuse(key, _("Use at most %(limit)s characters.") % {"limit": limit})
        return value.strip()

    def whole(self, key: str, *, default: int | None, low: int, high: int) -> int:
        """A whole number between two bounds; without default it must be there."""
        value = self._value(key, int, default)
        if not isinstance(value, int):
            return low if default is None else default
        if not low <= value <= high:
            self.refuse(key, _bounds(low, high))
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._value(key, bool, default)
        return value if isinstance(value, bool) else default

    def child(self, key: str) -> "FileObject":
        """The object under a key; an empty one when there is none."""
        value = self._value(key, dict, {})
        return FileObject(value if isinstance(value, dict) else {}, (*self.path, key), self.problems)

    def entries(self, key: str) -> "FileList":
        """The list under a key; an empty one when there is none."""
        value = self._value(key, list, [])
        return FileList(value if isinstance(value, list) else [], (*self.path, key), self.problems)

    def _value(self, key: str, kind: type, default: Any) -> Any:
        if key not in self.values:
            if default is None:
                self.refuse(key, _("This is missing."))
            return default
        value = self.values[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.refuse(key, _must_be(kind))
            return None
        return value


@dataclass
class FileList:
    """One JSON list at its place."""

    values: Sequence[Any]
    path: Path
    problems: list[Problem]

    def objects(self) -> Iterator[FileObject]:
        """Its objects; anything else in it is refused and read as an empty object."""
        for position, value in enumerate(self.values):
            place = (*self.path, position)
            if not isinstance(value, dict):
                self.problems.append(Problem(place, _must_be(dict)))
            yield FileObject(value if isinstance(value, dict) else {}, place, self.problems)

    def texts(self) -> Iterator[str]:
        """Its texts, stripped; anything else in it, and a blank one, is refused and read as blank."""
        for position, value in enumerate(self.values):
            if not isinstance(value, str):
                self.problems.append(Problem((*self.path, position), _must_be(str)))
            elif not value.strip():
                self.problems.append(Problem((*self.path, position), _("This must not be blank.")))
            yield value.strip() if isinstance(value, str) else ""

    def refuse(self, message: str) -> None:
        """Note a problem of the list as a whole."""
        self.problems.append(Problem(self.path, message))


def _bounds(low: int, high: int) -> str:
    if low == high:
        return _("This must be %(number)s.") % {"number": low}
    return _("This must be between %(low)s and %(high)s.") % {"low": low, "high": high}


def _must_be(kind: type) -> str:
    sentences = {
        str: _("This must be text in quotes."),
        bool: _("This must be true or false."),
        int: _("This must be a whole number."),
        list: _("This must be a list."),
        dict: _("This must be an object."),
    }
    return sentences[kind]
