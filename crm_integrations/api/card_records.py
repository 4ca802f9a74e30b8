"""Cards of records as the API answers them: the customer card's and those of workflows."""

from typing import Any

from crm_integrations.services.record_cards import RecordCard


def card_as_json(card: RecordCard) -> dict[str, Any]:
    """A record; what is unusual about it is said only then."""
    shown: dict[str, Any] = {
        "entityType": card.entity_type,
        "id": card.id,
        "title": card.title,
        "url": card.url,
        "fields": [{"key": field.key, "label": field.label, "value": field.value} for field in card.fields],
        "linked": card.is_linked,
        "closed": card.is_closed,
    }
    if card.is_gone:
        shown["gone"] = True
    if card.stale_s is not None:
        shown["stale"] = card.stale_s
    if card.problem:
        shown["problem"] = card.problem
    return shown
