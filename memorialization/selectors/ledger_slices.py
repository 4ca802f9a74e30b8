"""Keyset pages of the ledger: newest first by id, without counting and without skipping over rows."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
PAGE_ROWS = 50
NEWS_LIMIT = 99  # more new rows than this are not counted


@dataclass(frozen=True, slots=True)
class LedgerSlice(Generic[Row]):
    """One page. `newer` and `older` are the ids that the next pages start beyond; None where there is no such page."""

    rows: list[Row]
    newer: int | None = None
    older: int | None = None


def slice_ledger(
    rows: QuerySet[Row], *, before: int | None = None, after: int | None = None, size: int = PAGE_ROWS
) -> LedgerSlice[Row]:
    """The page of rows below `before`, or of those just above `after`; near the top it is the first page, and full."""
    if after is not None:
        above = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
        if len(above) > size:
            page = above[size - 1 :: -1]
            return LedgerSlice(page, newer=page[0].pk, older=page[-1].pk)
        before = None
    found = rows.filter(pk__lt=before) if before is not None else rows
    page = list(found.order_by("-pk")[: size + 1])
    older = page[size - 1].pk if len(page) > size else None
    page = page[:size]
    newer = (page[0].pk if page else (before or 1) - 1) if before is not None else None
    return LedgerSlice(page, newer, older)


def count_news(rows: QuerySet[Any], *, after: int) -> int:
    """How many rows are newer, up to one more than NEWS_LIMIT."""
    return rows.filter(pk__gt=after).order_by("-pk")[: NEWS_LIMIT + 1].count()
