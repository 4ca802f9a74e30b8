"""Taking events in from files: documents are read, turned into events and accepted in batches.

Nothing stops at a bad row: it is reported with its line, and the others are taken in. Doing it again has no second
effect, because the events of a row have the same ids every time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_integrations.models import Configuration
from memorialization.formats import FormatReader
from memorialization.formats.documents import Document
from memorialization.formats.rows import RowRefused
from memorialization.services.intake import RejectedEvent, accept_events

BATCH_SIZE = 500  # events of one transaction, as many as one call of the API may have


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row, or an event of it, was not accepted."""

    line: int
    message: str


@dataclass(slots=True)
class FileIntake:
    """What came of a file, counted in events; `silent` are rows that no event comes of."""

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    silent: int = 0
    problems: list[RowProblem] = field(default_factory=list)


def accept_documents(
    *, configuration: Configuration, documents: Iterable[Document], read: FormatReader, clock: Callable[[], datetime]
) -> Iterator[FileIntake]:
    """Accept a stream of documents; yields the counts so far after every batch, with the problems of that batch."""
    counts = FileIntake()
    batch: list[tuple[int, Any]] = []
    for document in documents:
        events = _read_events(document, read, counts)
        if batch and len(batch) + len(events) > BATCH_SIZE:  # the events of one row stay together
            yield _accept_batch(configuration, batch, counts, clock())
            batch, counts.problems = [], []
        batch += [(document.line, event) for event in events]
    yield _accept_batch(configuration, batch, counts, clock())


def _read_events(document: Document, read: FormatReader, counts: FileIntake) -> list[Any]:
    counts.rows += 1
    try:
        if document.problem:
            raise RowRefused(document.problem)
        events = read(document.value)
    except RowRefused as refusal:
        counts.rejected += 1
        counts.problems.append(RowProblem(document.line, str(refusal)))
        return []
    counts.silent += not events
    return events


def _accept_batch(
    configuration: Configuration, batch: list[tuple[int, Any]], counts: FileIntake, now: datetime
) -> FileIntake:
    payloads = [payload for _line, payload in batch]
    result = accept_events(configuration=configuration, payloads=payloads, received_at=now, origin="command")
    counts.accepted += len(result.accepted)
    counts.duplicates += len(result.duplicates)
    counts.rejected += len(result.rejected)
    counts.problems += [RowProblem(batch[each.index][0], _describe(each)) for each in result.rejected]
    return counts


def _describe(rejected: RejectedEvent) -> str:
    return "; ".join(f"{error.field}: {error.message}" if error.field else error.message for error in rejected.errors)
