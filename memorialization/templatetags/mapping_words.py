"""Rows and entity types in words, for the versions page."""

from collections.abc import Mapping

from django import template

from crm_integrations.definitions import title_of_key
from memorialization.mappings.contents import Row
from memorialization.mappings.differences import describe_row

register = template.Library()


@register.filter
def row_words(row: Row) -> str:
    """“Subject ← Voice Call Contact · Skill Name”."""
    return describe_row(row)


@register.filter
def title_of(titles: Mapping[str, str], entity_type: str) -> str:
    """The entity type's name, or its key when the account was never read."""
    return titles.get(entity_type) or title_of_key(entity_type)
