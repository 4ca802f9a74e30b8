"""Titles of what every Zendesk account has, marked for translation; they are stored in English and said in the reader's
language when shown. Titles that people gave in their account stay as they wrote them.
"""

from django.utils.translation import gettext_noop as _

STANDARD_ENTITY_TYPES = (
    ("ticket", _("Ticket"), _("Tickets")),
    ("user", _("User"), _("Users")),
    ("organization", _("Organization"), _("Organizations")),
)
INTERNAL_NOTE = _("Internal note")
STANDARD_FIELDS = (
    _("Subject"),
    _("Description"),
    _("Status"),
    _("Ticket status"),
    _("Type"),
    _("Priority"),
    _("Group"),
    _("Assignee"),
    _("Requester"),
    _("Organization"),
    _("External ID"),
    _("Tags"),
    _("Created"),
    _("Updated"),
    _("Due date"),
    _("ID"),
    _("Name"),
    _("Phone"),
    _("Alias"),
    _("Details"),
    _("Notes"),
    _("Time zone"),
    _("Locale"),
    _("Email"),
    _("Role"),
    _("Suspended"),
)
"""The client's own titles (zendesk_client.fields); a test holds the two lists together."""
STANDARD_OPTIONS = (
    *(_("New"), _("Open"), _("Pending"), _("On-hold"), _("Solved"), _("Closed")),
    *(_("Low"), _("Normal"), _("High"), _("Urgent")),
    *(_("Problem"), _("Incident"), _("Question"), _("Task")),
)
"""Choices of Zendesk's own ticket fields, as an account in English has them."""
