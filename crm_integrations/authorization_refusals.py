"""What a person is told when the way through a consent page led to nothing, by reason."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

NOTHING_STORED = gettext_lazy("Nothing was stored.")

REFUSALS: dict[str, str | Promise] = {
    "denied": gettext_lazy(
        "Access was denied on the consent page. To connect the account, start again and allow the access there."
    ),
    "not_granted": gettext_lazy(
        "The consent page gave no access (%(detail)s). Start again; if this repeats, ask the operator of this product."
    ),
    "unknown_state": gettext_lazy(
        "This answer of a consent page belongs to no request that was made here. Start again from the configuration."
    ),
    "used_state": gettext_lazy(
        "This answer of the consent page has been used already. If the account is not connected, start again."
    ),
    "expired_state": gettext_lazy(
        "The consent took longer than 10 minutes, so its answer is no longer accepted. Start again."
    ),
    "other_session": gettext_lazy(
        "The consent was started in another browser session or by another person. Start again from the configuration."
    ),
    "removed": gettext_lazy("The authentication was removed meanwhile, so the new access was ended again."),
    "code_refused": gettext_lazy("The CRM refused the answer of its own consent page: it had ended. Start again."),
    "missing_scopes": gettext_lazy(
        "The access that was granted is too narrow. Missing: %(detail)s. Start again and allow all that is asked for."
    ),
    "user_refused": gettext_lazy(
        "The CRM does not let the user who allowed the access work with it: %(detail)s. Start again with another user."
    ),
    "misconfigured": gettext_lazy(
        "The CRM does not accept this product's client settings: %(detail)s. Ask the operator of this product."
    ),
    "unavailable": gettext_lazy("The CRM could not be reached or did not answer. Start again in a few minutes."),
}


def describe_refusal(reason: str, detail: str) -> str:
    """The sentences for a reason; an unknown one gets those of an unknown request."""
    text = str(REFUSALS.get(reason, REFUSALS["unknown_state"]))
    words = text % {"detail": detail or _("no reason given")} if "%(" in text else text
    return _("%(what)s %(nothing_stored)s") % {"what": words, "nothing_stored": NOTHING_STORED}
