"""What the pages of an interaction and of a delivery are made of."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from memorialization.models import Delivery, Interaction
from memorialization.selectors.ledger_deliveries import DeliveryRow, delivery_rows, readable_deliveries
from memorialization.selectors.ledger_fields import FieldLine, field_lines
from memorialization.selectors.ledger_records import RecordName, RecordNames, configuration_account
from memorialization.selectors.ledger_states import UNFINISHED
from memorialization.selectors.target_types import mapped_types
from memorialization.targeting import describe_rule

DELIVERIES_SHOWN = 100  # of one interaction; the newest


@dataclass(frozen=True, slots=True)
class DeliverySheet:
    """A delivery with its table of fields; `target` says in words which rule named the record."""

    row: DeliveryRow
    lines: list[FieldLine]
    target: str

    @property
    def has_blanks(self) -> bool:
        """Whether some fields had nothing to be written."""
        return any(line.is_blank for line in self.lines)


@dataclass(frozen=True, slots=True)
class LinkedRecord:
    """A record that an interaction is written to; `entity_type` and the name's id say which."""

    entity_type: str
    name: RecordName
    rule: str


def delivery_sheets(interaction: Interaction) -> list[DeliverySheet]:
    """The interaction's deliveries, those to a record first, newest first."""
    deliveries = readable_deliveries(Delivery.objects.filter(interaction=interaction)).order_by("-pk")
    rows = sorted(delivery_rows(deliveries[:DELIVERIES_SHOWN]), key=lambda row: not row.delivery.record_id)
    return [delivery_sheet(row) for row in rows]


def delivery_sheet(row: DeliveryRow) -> DeliverySheet:
    """One delivery with its fields."""
    lines = field_lines(row.delivery.fields, is_finished=row.state not in UNFINISHED)
    return DeliverySheet(row, lines, str(describe_rule(row.delivery.target_rule)))


def record_names_of(interaction: Interaction) -> RecordNames:
    """Names for records in the account that the interaction's configuration uses now."""
    return RecordNames([configuration_account(interaction.configuration)])


def linked_records(interaction: Interaction, names: RecordNames) -> list[LinkedRecord]:
    """The records that are linked now or were found at planning, with the rule that named each."""
    unlinked = {(link["entity_type"], link["id"]) for link in interaction.unlinks}
    rules = {(link["entity_type"], link["id"]): "linked" for link in interaction.links}
    for entity_type, target in interaction.targets.items():
        for record_id in target["ids"]:
            rules.setdefault((entity_type, record_id), target["rule"])
    configuration = interaction.configuration
    account = configuration_account(configuration)
    return [
        LinkedRecord(kind, names.name(configuration, account, kind, pk), str(describe_rule(rule)))
        for (kind, pk), rule in sorted(rules.items())
        if (kind, pk) not in unlinked
    ]


def linkable_types(interaction: Interaction) -> list[tuple[str, str]]:
    """Record types that a link can have an effect for: those of its own plan, else of the active mappings."""
    account, names = configuration_account(interaction.configuration), record_names_of(interaction)
    types = {key: names.title(account, key) for key in interaction.targets}
    if not types or interaction.match_due_at is not None:
        types |= dict(mapped_types(interaction.configuration))
    return list(types.items())


def is_unfinished(interaction: Interaction, deliveries: Iterable[Delivery]) -> bool:
    """Whether something is still going to happen by itself."""
    is_planned = interaction.state == Interaction.State.PLANNED and interaction.match_due_at is None
    return not is_planned or any(each.state in UNFINISHED for each in deliveries)


def page_version(interaction: Interaction, deliveries: Sequence[Delivery]) -> str:
    """Changes whenever the page would say something else."""
    parts = [(each.pk, each.state, each.attempt_count, str(each.next_attempt_at)) for each in deliveries]
    text = f"{interaction.updated_at.isoformat()} {sorted(parts)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
