"""How record types and records are named: what any CRM may call them, so that nothing else is stored or asked for."""

import re

ENTITY_TYPE = re.compile(r"[a-z][a-z0-9_]*(:[A-Za-z0-9][A-Za-z0-9_.\-]*)?")
RECORD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@+\-]*")  # fit to be part of an address
ENTITY_TYPE_LIMIT = 150  # characters, as the models
RECORD_ID_LIMIT = 200


def is_entity_type(text: str) -> bool:
    """Whether a record type could have this name: `ticket`, `custom_object:device`."""
    return len(text) <= ENTITY_TYPE_LIMIT and ENTITY_TYPE.fullmatch(text) is not None


def is_record_id(text: str) -> bool:
    """Whether a record could have this id."""
    return len(text) <= RECORD_ID_LIMIT and RECORD_ID.fullmatch(text) is not None
