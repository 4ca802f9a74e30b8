"""Keys of the reasons that a push gives; their texts, and what to do, are in memorialization.reasons. Pure."""

from enum import StrEnum


class FieldReason(StrEnum):
    """Why a field has its result."""

    SUPERSEDED = "superseded"  # params: delivery
    ALREADY_THERE = "already_there"  # found on the record when it was read first
    COMMENT_POSTED_BEFORE = "comment_posted_before"
    SHORTENED_BY_CRM = "shortened_by_crm"
    NOT_APPLIED = "not_applied_by_crm"  # accepted, and the record shows another value
    NOT_SHOWN = "not_shown_by_crm"  # accepted, and the record has no such field
    REFUSED = "refused_by_crm"  # params: words
    OUTCOME_UNKNOWN = "outcome_unknown"


class DeliveryReason(StrEnum):
    """Why a delivery waits or has failed; `words` in the parameters are the CRM's."""

    CRM_UNAVAILABLE = "crm_unavailable"
    CONFLICT = "conflict"
    GOES_ALONE = "goes_alone"  # was refused among others
    LIMIT = "limit_reached"
    SETTLING = "settling"
    TOKEN_UNAVAILABLE = "token_unavailable"  # noqa: S105 - a word
    HELD = "held"
    GAVE_UP = "gave_up"
    VALUE_REFUSED = "value_refused"
    NOTHING_APPLIED = "nothing_applied"
    RECORD_GONE = "record_gone"
    RECORD_CLOSED = "record_closed"
    ACCESS_DENIED = "access_denied"
    MISCONFIGURED = "misconfigured"
    OUTCOME_UNKNOWN = "outcome_unknown"
    LOST_LEASES = "lost_leases"
    UNLINKED = "unlinked"
    ERASED = "erased"
    TAKEN_BACK = "taken_back"  # a replay whose run was cancelled before it was sent: as if there had been none
    FOLLOW_UP_DUE = "follow_up_due"  # closed; a follow-up is being made
    CONTINUED = "continued_in_follow_up"  # params: record
    LOOK_AGAIN_DUE = "look_again_due"  # gone; the person and their record are looked for once more
    FOUND_AGAIN = "found_again"  # params: record
