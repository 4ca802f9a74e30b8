"""Tables of dynamic data."""

from dynamic_data.models.mappings import DynamicDataMapping, ShownEntity, ShownField

__all__ = ["DynamicDataMapping", "ShownEntity", "ShownField"]
