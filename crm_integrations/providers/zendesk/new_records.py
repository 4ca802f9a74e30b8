"""The records that the product itself asks Zendesk for: cases, follow-ups of closed tickets, people."""

from django.utils.translation import gettext as _

from crm_integrations.providers.base import CreationRefused, CreationRequest, CRMRecord, CRMValue, PersonClues

CASE, PERSON = "ticket", "user"
SUBJECT_MOST = 255  # characters


def build_case(*, subject: str, text: str, owner_id: str) -> CreationRequest:
    """See the port. Without an owner the ticket is the system user's, as Zendesk has it."""
    owner: dict[str, CRMValue] = {"requester_id": owner_id} if owner_id else {}
    return CreationRequest(CASE, {"subject": subject[:SUBJECT_MOST], "comment": text, **owner})


def build_follow_up(record: CRMRecord, subject: str, text: str) -> CreationRequest:
    """See the port. Zendesk takes closed tickets only, and hands their tags and fields on."""
    if record.entity_type != CASE or not record.id.isdecimal():
        raise CreationRefused([(record.entity_type, _("Only tickets have follow-ups."))])
    case = build_case(subject=subject, text=text, owner_id=record.owner_id)
    return CreationRequest(CASE, case.values, {"extras": {"via_followup_source_id": int(record.id)}})


def build_person(*, name: str, clues: PersonClues) -> CreationRequest:
    """See the port. Nobody gets an e-mail for having called."""
    phone = clues.phone.e164 if clues.phone else ""
    known = {"phone": phone, "email": clues.email, "external_id": clues.external_id}
    named = name.strip() or phone or clues.email or clues.external_id
    values: dict[str, CRMValue] = {"name": named, **{key: value for key, value in known.items() if value}}
    return CreationRequest(PERSON, values, {"extras": {"skip_verify_email": True}})
