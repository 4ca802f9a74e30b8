"""What any mapping must say before its rows are looked at."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from crm_integrations.mapping_pages.account_fields import DESCRIPTION_LIMIT, NAME_LIMIT
from crm_integrations.problems import Problem


def check_head(*, name: str, description: str, has_entities: bool) -> Iterator[Problem]:
    """A name, texts that fit, and at least one entity."""
    if not name:
        yield Problem(("name",), _("Give the mapping a name."))
    if len(name) > NAME_LIMIT:
        yield Problem(("name",), _("Use at most %(limit)s characters.") % {"limit": NAME_LIMIT})
    if len(description) > DESCRIPTION_LIMIT:
        yield Problem(("description",), _("Use at most %(limit)s characters.") % {"limit": DESCRIPTION_LIMIT})
    if not has_entities:
        yield Problem(("entities",), _("Add at least one entity with one field."))


def find_repeated_names(names: list[str]) -> list[Problem]:
    """Names that an earlier mapping of the same file has, by the place in the list."""
    seen: set[str] = set()
    problems = []
    for number, name in enumerate(names):
        if name.lower() in seen:
            problems.append(Problem((number, "name"), _("Another mapping of this file has this name.")))
        seen.add(name.lower())
    return problems
