"""Records as the CRM shows them, read through a short cache: many looks at a card are few calls.

A reading is fresh for ten seconds, or as long as the caller says. Whoever finds it older asks the CRM; when the CRM
cannot answer now, or somebody else is asking already, the last known reading stands in.
"""

import math
from collections.abc import Collection, Mapping, Sequence

from crm_integrations.contact_links import RecordReference
from crm_integrations.database_clock import Clock
from crm_integrations.models import Authentication
from crm_integrations.providers.base import CRMConnection, CRMRecord, FieldType
from crm_integrations.providers.errors import (
    AccessDenied,
    CRMError,
    CRMUnavailable,
    GrantEnded,
    Reauthenticate,
    RecordGone,
    RetryLater,
)
from crm_integrations.services.call_places import PlacesTaken
from crm_integrations.services.connections import open_connection
from crm_integrations.services.reading_cache import WHOLE_ACCOUNT, ReadingCache, RecordReading, ShownFields

FRESH_S = 10
IDS_PER_CALL = 100  # the port's limit
SHORTEST_REST_S, LONGEST_REST_S = 5, 30  # how long the CRM is left alone after it could not answer
PASSING = (RetryLater, CRMUnavailable, GrantEnded, Reauthenticate)  # they hold for every record type
PROBLEMS: Mapping[str, tuple[type[CRMError], ...]] = {
    "busy": (PlacesTaken,),
    "limited": (RetryLater,),
    "unavailable": (CRMUnavailable,),
    "held": (GrantEnded, Reauthenticate),
    "denied": (AccessDenied,),
    "refused": (CRMError,),
}

Readings = dict[RecordReference, RecordReading]
Wanted = Mapping[str, Sequence[RecordReference]]


def read_records(
    *,
    authentication: Authentication,
    references: Collection[RecordReference],
    fields: ShownFields,
    clock: Clock,
    max_age_s: float = FRESH_S,
) -> Readings:
    """Every record asked for, with the fields that are shown of its type; raises none of the port's errors.

    One call for up to 100 records of one type, and none for those that are known freshly. Call it outside atomic().
    """
    store = ReadingCache(authentication_id=authentication.pk, fields=fields, clock=clock)
    known = store.load(references)
    due = [each for each in references if each not in known or known[each].age_s >= max_age_s]
    problems = store.resting_problems(dict.fromkeys(each.entity_type for each in due)) if due else {}
    wanted = _choose(store, [each for each in due if not problems[each.entity_type]], known)
    answers: Readings = {}
    try:
        if wanted:
            with open_connection(authentication=authentication, expected_calls=_count_calls(wanted)) as connection:
                answers = _ask_all(connection, wanted, store, fields, problems)
    except PlacesTaken as error:  # says nothing of this account: other processes, and the next look, may ask it
        problems |= dict.fromkeys(wanted, problem_of(error))
    except PASSING as error:
        _note(store, WHOLE_ACCOUNT, error)
        problems |= dict.fromkeys(wanted, problem_of(error))
    finally:
        store.end_asking()
    return {
        each: answers.get(each) or _stand_in(known.get(each), problems.get(each.entity_type)) for each in references
    }


def problem_of(error: CRMError) -> str:
    """Why a record could not be read, as a key of PROBLEMS."""
    return next(problem for problem, kinds in PROBLEMS.items() if isinstance(error, kinds))


def _stand_in(known: RecordReading | None, problem: str | None) -> RecordReading:
    if known is None:
        return RecordReading(None, problem=problem or "unavailable")
    return RecordReading(known.record, known.age_s, problem or "")


def _choose(store: ReadingCache, due: Sequence[RecordReference], known: Readings) -> Wanted:
    """What to ask for, by type: while somebody else asks for a type, only records that nobody knows yet."""
    wanted: dict[str, list[RecordReference]] = {}
    for entity_type in dict.fromkeys(each.entity_type for each in due):
        mine = [each for each in due if each.entity_type == entity_type]
        if not store.is_asked_by_me(entity_type):
            mine = [each for each in mine if each not in known]
        if mine:
            wanted[entity_type] = mine
    return wanted


def _count_calls(wanted: Wanted) -> int:
    """One for each type and hundred records; names that do not come along cost more."""
    return sum(math.ceil(len(references) / IDS_PER_CALL) for references in wanted.values())


def _ask_all(
    connection: CRMConnection, wanted: Wanted, store: ReadingCache, fields: ShownFields, problems: dict[str, str]
) -> Readings:
    """Every type by itself: what one of them is denied, another may still show. Raises PASSING."""
    answers: Readings = {}
    for entity_type, references in wanted.items():
        try:
            answers |= store.store(_ask(connection, entity_type, references, fields))
        except RecordGone:
            answers |= store.store(dict.fromkeys(references))
        except PASSING as error:
            _note(store, WHOLE_ACCOUNT, error)
            unread = [kind for kind in wanted if not any(each.entity_type == kind for each in answers)]
            problems |= dict.fromkeys(unread, problem_of(error))
            break
        except CRMError as error:
            _note(store, entity_type, error)
            problems[entity_type] = problem_of(error)
    return answers


def _ask(
    connection: CRMConnection, entity_type: str, references: Sequence[RecordReference], fields: ShownFields
) -> dict[RecordReference, CRMRecord | None]:
    shown = fields.get(entity_type, ())
    types = {field.key: field.type for field in shown}
    lookups = [field.key for field in shown if field.type is FieldType.LOOKUP]
    ids = [each.record_id for each in references]
    found: dict[str, CRMRecord] = {}
    for start in range(0, len(ids), IDS_PER_CALL):
        found |= connection.get_records(entity_type, ids[start : start + IDS_PER_CALL], types=types, named=lookups)
    return {each: found.get(each.record_id) for each in references}


def _note(store: ReadingCache, entity_type: str, error: CRMError) -> None:
    wanted_s = getattr(error, "retry_after_s", None) or 0
    rest_s = min(max(wanted_s, SHORTEST_REST_S), LONGEST_REST_S)
    store.rest(entity_type, problem=problem_of(error), seconds=rest_s)
