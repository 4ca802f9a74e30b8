"""From a workflow's JSON body to what it asks for. Every reader raises BodyRefused with everything that is wrong.

The shapes are those of the contact centre's own workflows, so that a script needs only another address.
`timeoutMilliSec`, `relatesTo` and `cacheResponse` have no effect here and are reported as ignored, as is any other key.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.problems import Path
from crm_integrations.workflows.bodies import (
    Circumstances,
    CustomSearch,
    EmailSearch,
    EntitySearch,
    NewRecord,
    PhoneSearch,
    Workflow,
)
from crm_integrations.workflows.body_reading import ID_LIMIT, BodyReader

SEARCHES_LIMIT = 10  # of one body: each is a call
EMAIL_LIMIT = 254  # characters of an address (RFC 5321)

Body = PhoneSearch | EmailSearch | CustomSearch | NewRecord


def parse_body(workflow: Workflow, body: Any) -> Body:
    """What the body asks the workflow for."""
    return PARSERS[workflow](body)


def parse_phone_search(body: Any) -> PhoneSearch:
    """`{"workflowInput": {"phoneNumber": "…"}}`, or without the wrapper."""
    reader = BodyReader(body)
    phone = reader.required_text("phoneNumber", "ani")
    return PhoneSearch(phone, _finish(reader))


def parse_email_search(body: Any) -> EmailSearch:
    """`{"email": "…"}`, also wrapped."""
    reader = BodyReader(body)
    path, _value = reader.take("email")
    email = reader.required_text("email", limit=EMAIL_LIMIT)
    if email and not _is_address(email):
        reader.refuse(path, _("Send an e-mail address."))
    return EmailSearch(email, _finish(reader))


def parse_custom_search(body: Any) -> CustomSearch:
    """`{"search": [{"entity": "ticket", "filter": "status:open"}]}`; a single one may come without the list."""
    reader = BodyReader(body)
    path, asked = reader.take("search")
    entries = [asked] if isinstance(asked, dict) else asked
    searches: list[EntitySearch] = []
    if not isinstance(entries, list) or not entries:
        reader.refuse(path, _("Send a list of searches, each with entity and filter."))
    elif len(entries) > SEARCHES_LIMIT:
        reader.refuse(path, _("Send at most %(limit)s searches at a time.") % {"limit": SEARCHES_LIMIT})
    else:
        searches = [_read_search(reader, (*path, index), entry) for index, entry in enumerate(entries)]
    return CustomSearch(tuple(searches), _finish(reader))


def parse_new_record(body: Any) -> NewRecord:
    """`{"table": "ticket", "data": {…}, …}` of a workflow that creates one certain type: `table` may be missing."""
    return _parse_creation(body, needs_table=False)


def parse_custom_record(body: Any) -> NewRecord:
    """The same for any type, which `table` names."""
    return _parse_creation(body, needs_table=True)


def _parse_creation(body: Any, *, needs_table: bool) -> NewRecord:
    reader = BodyReader(body)
    path, table = reader.take("table", "entity")
    entity_type = reader.entity_type(path, table) if needs_table or table is not None else ""
    path, data = reader.take("data")
    if not isinstance(data, dict) or not data:
        reader.refuse(path, _("Describe the new record in an object."))
        data = {}
    return NewRecord(entity_type, data, _finish(reader))


def _read_search(reader: BodyReader, path: Path, entry: Any) -> EntitySearch:
    if not isinstance(entry, Mapping):
        reader.refuse(path, _("Send an object with entity and filter."))
        return EntitySearch("", "")
    entity_type = reader.entity_type((*path, "entity"), entry.get("entity"))
    text = reader.checked_text((*path, "filter"), entry.get("filter"))
    if not text:
        reader.refuse((*path, "filter"), _("This is needed."))
    return EntitySearch(entity_type, text)


def _finish(reader: BodyReader) -> Circumstances:
    """What all bodies share, read last: then the keys that are left over have no effect."""
    contact_id = reader.text("contactId", limit=ID_LIMIT)
    agent = reader.text("agent", "crmuserid", limit=EMAIL_LIMIT)
    is_pinned = reader.truth("pinnedRecord", "linked")
    pops_screen = reader.truth("screenPop")
    reader.finish()
    return Circumstances(contact_id, agent, is_pinned, bool(pops_screen), reader.ignored())


def _is_address(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(name and at and "." in host) and not any(char.isspace() for char in text)


PARSERS: Mapping[Workflow, Callable[[Any], Body]] = {
    Workflow.SEARCH_ANI: parse_phone_search,
    Workflow.SEARCH_EMAIL: parse_email_search,
    Workflow.CUSTOM_SEARCH: parse_custom_search,
    Workflow.CREATE_TICKET: parse_new_record,
    Workflow.CREATE_USER: parse_new_record,
    Workflow.CREATE_RECORD: parse_custom_record,
}
