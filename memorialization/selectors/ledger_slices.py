"""Keyset pages of the ledger: newest first by id, without counting and without skipping over rows.

A page is merged out of branches: sets of rows of which each is read from an index in the order of the page, so that a
page costs the same however rare its rows are. One statement for each BRANCHES_AT_ONCE finds the ids, another one reads
the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Model, QuerySet

Row = TypeVar("Row", bound=Model)
PAGE_ROWS = 40
# Of one statement; SQLite takes 500. Those of a configuration – 12 or a divisor of that – are never in two, so that no
# row whose state changes in between is in neither.
BRANCHES_AT_ONCE = 240
NEWS_LIMIT = 99  # more new rows than this are not counted


@dataclass(frozen=True, slots=True)
class Branch(Generic[Row]):
    """Some of the rows of a page. Those of a small branch are few: they are gathered by what they are, then sorted."""

    rows: QuerySet[Row]
    is_small: bool = False


Branches = Sequence[Branch[Row]]


@dataclass(frozen=True, slots=True)
class LedgerSlice(Generic[Row]):
    """One page. `newer` and `older` are the ids that the next pages start beyond; None where there is no such page."""

    rows: list[Row]
    newer: int | None = None
    older: int | None = None


def slice_ledger(
    branches: Branches[Row],
    readable: QuerySet[Row],
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = PAGE_ROWS,
) -> LedgerSlice[Row]:
    """The page of rows below `before`, or of those just above `after`; near the top it is the first page, and full.

    `readable` reads the rows with everything a line shows.
    """
    if after is not None:
        above = find_ids(branches, after=after, limit=size + 1)
        if len(above) > size:
            page = above[size - 1 :: -1]
            return LedgerSlice(_read(readable, page), newer=page[0], older=page[-1])
        before = None
    found = find_ids(branches, before=before, limit=size + 1)
    older = found[size - 1] if len(found) > size else None
    page = found[:size]
    newer = (page[0] if page else (before or 1) - 1) if before is not None else None
    return LedgerSlice(_read(readable, page), newer, older)


def count_news(branches: Branches[Any], *, after: int) -> int:
    """How many rows are newer, up to one more than NEWS_LIMIT."""
    return len(find_ids(branches, after=after, limit=NEWS_LIMIT + 1))


def count_rows(branches: Branches[Any], *, limit: int) -> int:
    """How many rows there are, up to one more than the limit, so that a page can say “more than 10,000”."""
    return len(find_ids(branches, limit=limit + 1))


def find_ids(branches: Branches[Any], *, before: int | None = None, after: int | None = None, limit: int) -> list[int]:
    """Ids of rows: with `after` those just above it, upwards; else the newest (below `before`)."""
    ids: set[int] = set()
    for start in range(0, len(branches), BRANCHES_AT_ONCE):
        ids |= _find_some(branches[start : start + BRANCHES_AT_ONCE], before, after, limit)
    return sorted(ids, reverse=after is None)[:limit]


def _find_some(branches: Branches[Any], before: int | None, after: int | None, limit: int) -> set[int]:
    """The same of some branches, in one statement and no order."""
    is_upwards = after is not None
    statements: list[str] = []
    values: list[Any] = []
    for branch in branches:
        rows = branch.rows
        rows = rows.filter(pk__lt=before) if before is not None else rows
        rows = rows.filter(pk__gt=after) if is_upwards else rows
        # A sum is no column: the database cannot read the whole table in the order of ids to find a few rows.
        key = F("pk") + 0 if branch.is_small else F("pk")
        ordered = rows.order_by(key.asc() if is_upwards else key.desc()).values_list("pk")[:limit]
        try:
            statement, own = ordered.query.sql_with_params()
        except EmptyResultSet:
            continue
        statements.append(f"SELECT * FROM ({statement}) branch{len(statements)}")  # noqa: S608 - made by the ORM
        values += own
    if not statements:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(statements), values)
        return {row[0] for row in cursor.fetchall()}


def _read(readable: QuerySet[Row], ids: Sequence[int]) -> list[Row]:
    """The rows of these ids, in their order."""
    found = readable.in_bulk(ids) if ids else {}
    return [found[pk] for pk in ids if pk in found]
