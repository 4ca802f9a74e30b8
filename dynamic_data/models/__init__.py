"""Tables of dynamic data."""

from dynamic_data.models.mappings import DynamicDataMapping

__all__ = ["DynamicDataMapping"]
