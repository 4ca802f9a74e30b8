"""Why something is as it is, in words: what happened and what to do. Keys stand in deliveries, fields and flags.

Pages and the API show them; `%(name)s` places are filled from the stored parameters.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Reason:
    """What happened, and what a person can do about it (empty: nothing has to be done)."""

    what: str | Promise
    do: str | Promise = ""


@dataclass(frozen=True, slots=True)
class ReasonText:
    """A reason with its parameters filled in."""

    what: str
    do: str = ""


FIELD_REASONS: dict[str, Reason] = {
    "blank": Reason(_("The interaction has no value for it, so the CRM field stays as it is.")),
    "contact_ended_first": Reason(_("The contact ended the interaction first, so this field is not written.")),
    "shortened_to_limit": Reason(
        _("The text has %(length)s characters and the CRM field takes %(limit)s; it was shortened."),
        _("Raise the field's limit in the CRM, or map a field that takes more text."),
    ),
    "shortened_options": Reason(
        _("Not a choice of the CRM field, and left out: %(left_out)s."),
        _("Add the choices to the field in the CRM, or correct what the contact centre sends."),
    ),
    "unknown_option": Reason(
        _("The value is no choice of the CRM field."),
        _("Add the choice to the field in the CRM, or correct what the contact centre sends."),
    ),
    "ambiguous_option": Reason(
        _("Several choices of the CRM field have this title."),
        _("Give the choices different titles in the CRM, or send the choice's own value."),
    ),
    "several_values": Reason(
        _("There are several values, and the CRM field takes one choice."),
        _("Map a field that takes several choices."),
    ),
    "not_a_number": Reason(_("The value is not a number."), _("Map a text field, or correct what is sent.")),
    "ambiguous_number": Reason(
        _("The value can be read as a thousand or as a decimal fraction, so it was not guessed."),
        _("Send the number with a decimal point and without grouping."),
    ),
    "not_a_whole_number": Reason(_("The value is not a whole number."), _("Map a decimal field.")),
    "number_out_of_range": Reason(
        _("The number is too large or too precise to be written exactly."), _("Map a text field.")
    ),
    "not_a_date": Reason(_("The value is not a date (YYYY-MM-DD)."), _("Map a text field, or correct what is sent.")),
    "not_a_time": Reason(_("The value is not a time in ISO 8601."), _("Map a text field, or correct what is sent.")),
    "not_a_checkbox_value": Reason(
        _("The value is neither yes nor no."), _("Map a text field, or send true or false.")
    ),
    "pattern_mismatch": Reason(
        _("The value does not match the pattern of the CRM field."), _("Correct what is sent, or the field's pattern.")
    ),
    "too_long": Reason(
        _("The value has %(length)s characters, the CRM field takes %(limit)s, and part of it would be wrong."),
        _("Raise the field's limit in the CRM."),
    ),
    "not_a_record_id": Reason(_("The value is not the id of a record."), _("Correct what is sent.")),
    "field_not_writable": Reason(_("The CRM does not let this field be written."), _("Choose another field.")),
    "already_there": Reason(_("The record has this value already.")),
    "comment_posted_before": Reason(_("The note is on the record already; it is never posted twice.")),
    "superseded": Reason(_("A newer value is on the record or on its way (delivery %(delivery)s).")),
    "shortened_by_crm": Reason(
        _("The CRM kept only the beginning of the text."), _("Map a field that takes more text.")
    ),
    "not_applied_by_crm": Reason(
        _("The CRM accepted the write but the record shows another value."),
        _("Check the field's choices and the CRM's own rules and triggers."),
    ),
    "not_shown_by_crm": Reason(
        _("The CRM accepted the write but the record has no such field."),
        _("Check that the field still exists and is active for this record."),
    ),
    "refused_by_crm": Reason(
        _("The CRM refused this value: %(words)s"), _("Correct what is sent or the field, then replay.")
    ),
}
DELIVERY_REASONS: dict[str, Reason] = {
    "no_record": Reason(
        _("None of the rules of record matching found a record."),
        _("Link a record: the values are then written to it."),
    ),
    "ambiguous": Reason(
        _("More than one record was found, and none was chosen."),
        _("Link the right one: the values are then written to it."),
    ),
    "ambiguous_person": Reason(
        _("More than one person fits, so it is not known whose record to write."),
        _("Find out who it was and link that record: the values are then written to it."),
    ),
    "not_callers_case": Reason(
        _("The case belongs to somebody else than the caller, so it is not written."),
        _("Link it if it is the right one nevertheless."),
    ),
    "creation_refused": Reason(
        _("No record was found, and the CRM refused to create one: %(words)s"),
        _("Correct what the CRM asks for, and link a record here."),
    ),
    "match_gave_up": Reason(
        _("The CRM could not be asked for the record for 72 hours."),
        _("Link a record: the values are then written to it."),
    ),
    "record_variable_unusable": Reason(
        _("The script variable %(variable)s does not hold the id of a record."),
        _("Correct the script, and link a record here: the values are then written to it."),
    ),
    "resolved_by_link": Reason(_("A record was linked later and is written by a delivery of its own.")),
    "nothing_to_write": Reason(_("Every mapped value is blank, withheld or left out, so there is nothing to write.")),
    "taken_back": Reason(
        _("The replay that queued it was cancelled before it was sent."), _("Replay the original delivery again.")
    ),
    "unlinked": Reason(_("The record was unlinked before anything was sent."), _("Link it again to write to it.")),
    "erased": Reason(_("What was stored about the contact was erased before this was sent, so it never is.")),
    "crm_unavailable": Reason(_("The CRM cannot be reached; it is tried again by itself.")),
    "goes_alone": Reason(_("It was refused when it was written together with others; it is tried by itself.")),
    "conflict": Reason(_("Somebody changed the record at the same moment; it is tried again by itself.")),
    "limit_reached": Reason(_("The CRM's limit is reached; it goes on by itself.")),
    "settling": Reason(_("The outcome of the last call is unknown; the record is read before anything is written.")),
    "token_unavailable": Reason(_("The access is being renewed; it goes on by itself.")),
    "held": Reason(
        _("The CRM account has to be authenticated again; nothing is lost meanwhile."), _("Re-authenticate.")
    ),
    "gave_up": Reason(
        _("It was tried for 72 hours without success. The CRM's words: %(words)s"), _("Replay when the CRM is well.")
    ),
    "value_refused": Reason(
        _("The CRM refused the data: %(words)s"), _("Correct the mapping or the field, then replay.")
    ),
    "nothing_applied": Reason(
        _("The CRM accepted the write, but no field took its value."), _("See the fields, correct them, then replay.")
    ),
    "record_gone": Reason(
        _("The record does not exist any more, or the system user may not see it."), _("Link another record.")
    ),
    "look_again_due": Reason(_("The record does not exist any more; the person is looked for once more.")),
    "found_again": Reason(_("The record does not exist any more; the values are written to record %(record)s.")),
    "record_closed": Reason(
        _("The record is closed and takes no changes."), _("Link another record, or replay when it is open again.")
    ),
    "follow_up_due": Reason(_("The record is closed; a follow-up case is being created.")),
    "continued_in_follow_up": Reason(_("The record is closed; the follow-up case %(record)s continues it.")),
    "access_denied": Reason(
        _("The system user may not do this. The CRM's words: %(words)s"),
        _("Give the system user the right in the CRM, then replay."),
    ),
    "misconfigured": Reason(
        _("The CRM does not accept this application. The CRM's words: %(words)s"), _("Tell whoever operates it.")
    ),
    "outcome_unknown": Reason(
        _("Nobody knows whether the last call was applied, and the CRM could not tell."),
        _("Look at the record, then replay if the note is missing."),
    ),
    "lost_leases": Reason(
        _("Workers stopped several times while they wrote this record."), _("Look at the log, then replay.")
    ),
}
FLAGS: dict[str, Reason] = {
    "acw_limit_reached": Reason(_("After-call work was never reported as finished; the limit took its place.")),
    "end_not_reported": Reason(_("The end of the call was never reported; the limit took its place.")),
    "agent_end_not_reported": Reason(
        _("The agent's letting go of the interaction was never reported; the limit took its place.")
    ),
    "future_time": Reason(_("An event's time lay in the future; the time of its receipt counts for its order.")),
    "time_without_offset": Reason(_("A time came without an offset and was read as UTC.")),
    "time_unreadable": Reason(_("A time could not be read and is kept as text.")),
    "script_variable_repeated": Reason(
        _("A script variable came twice, in capitals and in small letters; the last one counts.")
    ),
    "contact_end_known_late": Reason(
        _(
            "That the contact ended the interaction first became known only after data had been planned. "
            "Nothing is undone."
        )
    ),
    "contact_erased": Reason(
        _("What was stored about the contact was erased; nothing is written for it any more, whatever arrives.")
    ),
    "no_active_mapping": Reason(
        _("No mapping was active when the interaction fell due, so nothing is written."),
        _("Create or activate a mapping; the next data or link of this interaction uses it."),
    ),
    "no_row_for_channel": Reason(
        _("No active mapping has a row for this channel, so nothing is written."), _("Add rows for this channel.")
    ),
}
REASONS: Mapping[str, Reason] = {**FIELD_REASONS, **DELIVERY_REASONS, **FLAGS}


def explain_reason(key: str, params: Mapping[str, Any] | None = None) -> ReasonText:
    """A stored reason in the reader's language; an unknown key explains itself, a missing parameter shows as …."""
    reason = REASONS.get(key)
    if reason is None:
        return ReasonText(key)
    filled = defaultdict(lambda: "…", params or {})
    return ReasonText(str(reason.what) % filled, str(reason.do) % filled)
