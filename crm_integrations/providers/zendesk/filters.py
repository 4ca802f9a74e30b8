"""Searches as scripts write them, in Zendesk's own words, taken apart so that each value is quoted as one value.

`status:open requester:John Smith subject:"a b" created>2026-01-01 -tags:vip`: what stands before a sign is a property,
and all up to the next property is its value, whether or not the script remembered the quotation marks.
"""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from crm_integrations.providers.base import SearchCriterion

PROPERTY = re.compile(r"(?<!\S)(-?)([A-Za-z_][\w.]*)(:|<=|>=|<|>)")
QUOTED = re.compile(r'"([^"]*)"(?=\s|$)')
CONNECTIVES = re.compile(r"(?<!\S)(AND|OR|NOT)(?!\S)")
SORTING = frozenset({"order_by", "sort", "sort_by", "sort_order"})
LONGEST = 2000  # characters; an address takes no more


def read_filter(text: str) -> list[SearchCriterion]:
    """The conditions of a search. Raises ValueError with a sentence for the script's author."""
    if not text.strip():
        raise ValueError(_("The filter is empty; write for example status:open requester:{email}."))
    if len(text) > LONGEST:
        raise ValueError(_("The filter is longer than %(most)s characters.") % {"most": LONGEST})
    return list(_read(text))


def _read(text: str) -> Iterator[SearchCriterion]:
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        start = PROPERTY.match(text, place)
        if start is None:
            word, place = _read_words(text, place)
            yield word
            continue
        name = start[2]
        if name.lower() in SORTING:
            raise ValueError(
                _("%(name)s sorts and finds nothing; records come with the latest change first.") % {"name": name}
            )
        value, place = _read_value(text, start.end(), name)
        yield SearchCriterion(name, value, start[3], is_negated=bool(start[1]))


def _read_words(text: str, place: int) -> tuple[SearchCriterion, int]:
    """Words that belong to no property."""
    is_negated = text[place] == "-" and text[place + 1 : place + 2] not in ("", " ")
    value, end = _read_value(text, place + is_negated, "")
    return SearchCriterion("", value, is_negated=is_negated), end


def _read_value(text: str, place: int, name: str) -> tuple[str, int]:
    """The value that begins here, and where it ends."""
    while place < len(text) and text[place] == " ":
        place += 1
    quoted = QUOTED.match(text, place)
    if quoted is not None:
        return _check_value(quoted[1], name), quoted.end()
    following = PROPERTY.search(text, place)
    end = following.start() if following else len(text)
    if not name and (quote := text.find('"', place, end)) > place:
        end = quote  # words, and then words in quotation marks
    value = text[place:end].strip()
    _check_unquoted(value, name)
    return _check_value(value, name), end


def _check_unquoted(value: str, name: str) -> None:
    if '"' in value:
        raise ValueError(
            _("A quotation mark is not closed, or stands inside of %(name)s; put the whole value between two.")
            % {"name": name or value}
        )
    if "*" in value:
        raise ValueError(_("A filter has no wildcards (*); write the word or its beginning."))
    if CONNECTIVES.search(value):
        raise ValueError(
            _(
                "AND, OR and NOT mean nothing in a filter: conditions side by side must all be met, a property named "
                "twice is met by either value, and a minus sign before a property turns it round."
            )
        )


def _check_value(value: str, name: str) -> str:
    if not value.strip(' "*\\'):
        raise ValueError(_("Nothing is searched for: %(name)s has no value.") % {"name": name or '""'})
    return value.strip()
