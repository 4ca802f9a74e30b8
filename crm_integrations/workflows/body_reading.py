"""Reads the keys of a workflow's body one by one, and keeps what is wrong with them until all are read.

Studio's own workflows wrap their keys in `workflowInput` and send booleans as strings; script variables come in lower
case. So a key counts in both places and in any case, and so does the word for a boolean.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.problems import Path, Problem

WRAPPER = "workflowInput"
ID_LIMIT = 200  # characters, as events have it
TEXT_LIMIT = 2000
ENTITY_TYPE = re.compile(r"[a-z][a-z0-9_]*(:[A-Za-z0-9][A-Za-z0-9_.\-]*)?")
ENTITY_TYPE_LIMIT = 150  # characters, as the tables have it
WORDS_OF_TRUTH = {"true": True, "false": False}
IGNORED_LIMIT = 50  # reported per body
IGNORED_LENGTH = 200  # characters of a reported key


class BodyRefused(Exception):
    """The body is not what the workflow takes; `problems` name every place."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.json_path}: {problem.message}" for problem in problems))
        self.problems = problems


class BodyReader:
    """The keys of one body. Reading a wrong one notes a problem and answers a blank; `finish` raises them all."""

    def __init__(self, body: Any) -> None:
        if not isinstance(body, dict):
            raise BodyRefused([Problem((), _("Send a JSON object."))])
        self.problems: list[Problem] = []
        self._places: dict[str, tuple[Path, Any]] = {}
        self._read: set[str] = set()
        wrapped = _find(body, WRAPPER)
        if isinstance(wrapped, dict):
            self._note_places(wrapped, (WRAPPER,))
            body = {key: value for key, value in body.items() if key.lower() != WRAPPER.lower()}
        self._note_places(body, ())

    def _note_places(self, keys: Mapping[str, Any], parents: Path) -> None:
        """Outer keys win over wrapped ones, as they are the script's own addition."""
        self._places.update({key.lower(): ((*parents, key), value) for key, value in keys.items()})

    def take(self, *names: str) -> tuple[Path, Any]:
        """The first of the keys that is there and not blank, and its place; else the place where it belongs."""
        self._read.update(name.lower() for name in names)
        for name in names:
            path, value = self._places.get(name.lower(), ((name,), None))
            if not _is_blank(value):
                return path, value
        return (names[0],), None

    def refuse(self, path: Path, message: str) -> None:
        """Note what is wrong with a place."""
        self.problems.append(Problem(path, message))

    def text(self, *names: str, limit: int = TEXT_LIMIT) -> str:
        """A text or number, stripped; blank when missing."""
        path, value = self.take(*names)
        return self.checked_text(path, value, limit=limit)

    def required_text(self, *names: str, limit: int = TEXT_LIMIT) -> str:
        """The same, but it has to be there."""
        path, value = self.take(*names)
        if value is None:
            self.refuse(path, _("This is needed."))
        return self.checked_text(path, value, limit=limit)

    def checked_text(self, path: Path, value: Any, *, limit: int = TEXT_LIMIT) -> str:
        """A value as text."""
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            self.refuse(path, _("Send a text."))
            return ""
        text = str(value).strip()
        if len(text) > limit:
            self.refuse(path, _("Use at most %(limit)s characters.") % {"limit": limit})
        if not is_storable(text):
            self.refuse(path, _("This text holds signs that cannot be stored."))
        return text

    def entity_type(self, path: Path, value: Any) -> str:
        """The name of a record type."""
        if not isinstance(value, str) or len(value) > ENTITY_TYPE_LIMIT or not ENTITY_TYPE.fullmatch(value):
            self.refuse(path, _("Name the record type, such as ticket, user or custom_object:device."))
            return ""
        return value

    def truth(self, *names: str) -> bool | None:
        """A boolean or the word for one; None when missing."""
        path, value = self.take(*names)
        if isinstance(value, str):
            value = WORDS_OF_TRUTH.get(value.strip().lower(), value)
        if value is None or isinstance(value, bool):
            return value
        self.refuse(path, _("Send true or false."))
        return None

    def ignored(self) -> tuple[str, ...]:
        """The keys that nobody read."""
        unread = [_written(path) for key, (path, _value) in self._places.items() if key not in self._read]
        return tuple(sorted(unread)[:IGNORED_LIMIT])

    def finish(self) -> None:
        """Raises BodyRefused when anything was wrong."""
        if self.problems:
            raise BodyRefused(self.problems)


def is_storable(text: str) -> bool:
    """Whether databases and the CRM take the text: no NUL, no half of a pair of code units."""
    try:
        return "\0" not in text and bool(text.encode() or True)
    except UnicodeEncodeError:
        return False


def _written(path: Path) -> str:
    return Problem(path, "").json_path[:IGNORED_LENGTH]


def _find(body: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in body.items() if key.lower() == name.lower()), None)


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
