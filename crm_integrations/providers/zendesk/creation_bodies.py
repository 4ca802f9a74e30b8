"""New records as scripts describe them, in the bodies that Zendesk documents, read into requests for the port.

`{"ticket": {"subject": …, "comment": {"body": …}, "custom_fields": [{"id": …, "value": …}]}}`; `user`, `organization`
and `custom_object_record` alike. Zendesk drops what it does not know without a word, so it is refused here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.providers.base import CreationRefused, CreationRequest, CRMValue
from crm_integrations.providers.zendesk import creation_values as values
from zendesk_client.fields import CUSTOM_FIELD_PREFIX, build_custom_key

Reader = Callable[[Any], CRMValue]
READERS: Mapping[str, Mapping[str, Reader]] = {
    "ticket": {
        "subject": values.read_text,
        "priority": values.choice("low", "normal", "high", "urgent"),
        "type": values.choice("problem", "incident", "question", "task"),
        "status": values.choice("new", "open", "pending", "hold", "solved"),
        "tags": values.read_texts,
        "external_id": values.read_key,
        "due_at": values.read_moment,
        **dict.fromkeys(
            ("requester_id", "assignee_id", "group_id", "organization_id", "custom_status_id"), values.read_id
        ),
    },
    "user": {
        "name": values.read_words,
        **dict.fromkeys(("phone", "alias", "details", "notes", "time_zone", "locale"), values.read_text),
        "email": values.read_email,
        "external_id": values.read_key,
        "tags": values.read_texts,
        "organization_id": values.read_id,
    },
    "organization": {
        "name": values.read_words,
        **dict.fromkeys(("details", "notes"), values.read_text),
        "external_id": values.read_key,
        "tags": values.read_texts,
    },
    "custom_object_record": {"name": values.read_text, "external_id": values.read_key},
}
EXTRAS: Mapping[str, Mapping[str, Reader]] = {
    "ticket": {
        "assignee_email": values.read_email,
        "via_followup_source_id": values.read_number,
        "ticket_form_id": values.read_number,
        "brand_id": values.read_number,
        "problem_id": values.read_number,
    },
    "user": {"skip_verify_email": values.read_bool, "verified": values.read_bool},
}
CONTAINERS = {
    "ticket": "custom_fields",
    "user": "user_fields",
    "organization": "organization_fields",
    "custom_object_record": "custom_object_fields",
}
REQUIRED = {"ticket": "comment", "user": "name", "organization": "name"}
RIGHTS = frozenset({"role", "custom_role_id", "suspended", "ticket_restriction", "password", "moderator"})
OBJECT_PREFIX = "custom_object:"


@dataclass
class _Reading:
    """What was read so far."""

    envelope: str
    values: dict[str, CRMValue] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    extras: dict[str, Any] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)

    def take(self, path: str, read: Callable[[Any], Any], value: Any) -> Any:
        """What a reader makes of a value; its refusal is noted under the path."""
        try:
            return read(value)
        except ValueError as refusal:
            self.errors.append((f"{self.envelope}.{path}" if path else self.envelope, str(refusal)))
            return None


def read_creation(entity_type: str, body: Mapping[str, Any], *, is_standard_only: bool) -> CreationRequest:
    """See the port."""
    envelope = "custom_object_record" if entity_type.startswith(OBJECT_PREFIX) else entity_type
    if envelope not in READERS:
        raise CreationRefused([("", _("Zendesk has no record type %(name)s.") % {"name": entity_type})])
    described = body.get(envelope)
    if not isinstance(described, Mapping):
        raise CreationRefused([(envelope, _("Describe the record under “%(name)s”.") % {"name": envelope})])
    reading = _Reading(envelope)
    strangers = [name for name in body if name != envelope]
    reading.errors += [(str(name), _("Zendesk knows no such attribute.")) for name in strangers]
    for name, value in described.items():
        _read_attribute(reading, str(name), value, is_standard_only=is_standard_only)
    _check_whole(reading, described)
    if reading.errors:
        raise CreationRefused(reading.errors)
    if envelope == "user":
        reading.extras.setdefault("skip_verify_email", True)  # or Zendesk writes to whoever is created
    details = {**reading.details, **({"extras": reading.extras} if reading.extras else {})}
    return CreationRequest(entity_type, reading.values, details)


def _read_attribute(reading: _Reading, name: str, value: Any, *, is_standard_only: bool) -> None:
    """One attribute of the described record."""
    envelope = reading.envelope
    if name in READERS[envelope]:
        reading.values[name] = reading.take(name, READERS[envelope][name], value)
    elif name in EXTRAS.get(envelope, {}):
        reading.extras[name] = reading.take(name, EXTRAS[envelope][name], value)
    elif envelope == "ticket" and name in ("comment", "description"):
        _read_comment(reading, name, value)
    elif envelope == "ticket" and name == "requester":
        _read_requester(reading, value)
    elif name == CONTAINERS[envelope]:
        _read_custom(reading, name, value, is_standard_only=is_standard_only)
    else:
        reading.errors.append((f"{envelope}.{name}", _explain_unknown(name)))


def _explain_unknown(name: str) -> str:
    return _("Scripts give no rights.") if name in RIGHTS else _("Zendesk knows no such attribute.")


def _read_comment(reading: _Reading, name: str, value: Any) -> None:
    """The first note: internal, unless the script says that it is public."""
    given = value if isinstance(value, Mapping) else {"body": value}
    strangers = set(map(str, given)) - {"body", "html_body", "public"}
    reading.errors += [(f"ticket.{name}.{each}", _("Zendesk knows no such attribute.")) for each in sorted(strangers)]
    text_name = "html_body" if given.get("html_body") else "body"
    path = f"{name}.{text_name}" if isinstance(value, Mapping) else name
    reading.values["comment"] = reading.take(path, values.read_words, given.get(text_name))
    reading.details["comment_is_html"] = text_name == "html_body"
    if "public" in given:
        reading.details["comment_is_public"] = reading.take(f"{name}.public", values.read_bool, given["public"])


def _read_requester(reading: _Reading, value: Any) -> None:
    """The person a ticket is of, by name and address; Zendesk makes one whom it does not know."""
    if not isinstance(value, Mapping):
        reading.errors.append(("ticket.requester", _("Give the requester as an object with a name and an email.")))
        return
    readers: dict[str, Reader] = {"name": values.read_words, "email": values.read_email}
    strangers = [str(name) for name in value if name not in readers]
    reading.errors += [(f"ticket.requester.{each}", _("Zendesk knows no such attribute.")) for each in strangers]
    given = [name for name in readers if value.get(name)]
    if not given:
        reading.errors.append(("ticket.requester", _("Give the requester as an object with a name and an email.")))
    reading.extras["requester"] = {
        name: reading.take(f"requester.{name}", readers[name], value[name]) for name in given
    }


def _read_custom(reading: _Reading, name: str, value: Any, *, is_standard_only: bool) -> None:
    """The account's own fields."""
    if is_standard_only:
        reading.errors.append((f"{reading.envelope}.{name}", _("This workflow takes standard fields only.")))
        return
    if not isinstance(value, list if reading.envelope == "ticket" else Mapping):
        words = _("Give a list of objects with an id and a value.")
        if reading.envelope != "ticket":
            words = _("Give an object of field keys and values.")
        reading.errors.append((f"{reading.envelope}.{name}", words))
        return
    pairs = _list_pairs(reading, value) if isinstance(value, list) else _list_keys(name, value)
    for path, key, given in pairs:
        reading.values[key] = reading.take(path, values.read_any, given)


def _list_pairs(reading: _Reading, listed: list[Any]) -> Iterator[tuple[str, str, Any]]:
    for place, pair in enumerate(listed):
        path = f"custom_fields[{place}]"
        if not isinstance(pair, Mapping) or set(map(str, pair)) != {"id", "value"}:
            reading.errors.append((f"ticket.{path}", _("Give an object with an id and a value.")))
            continue
        field_id = reading.take(f"{path}.id", values.read_id, pair["id"])
        if field_id:
            yield f"{path}.value", f"{CUSTOM_FIELD_PREFIX}{field_id}", pair["value"]


def _list_keys(container: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for key, value in given.items():
        yield f"{container}.{key}", build_custom_key(container, str(key)), value


def _check_whole(reading: _Reading, described: Mapping[str, Any]) -> None:
    needed = REQUIRED.get(reading.envelope, "")
    given = {*described, *(("comment",) if "description" in described else ())}
    if needed and needed not in given:
        words = _("Zendesk creates no %(type)s without this.") % {"type": reading.envelope}
        reading.errors.append((f"{reading.envelope}.{needed}", words))
