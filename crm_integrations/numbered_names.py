"""Names that must differ: the second of a name is “Name (2)”."""


def number_name(name: str, number: int, *, limit: int) -> str:
    """The name for the `number`th that is called so, within `limit` characters."""
    suffix = f" ({number})" if number > 1 else ""
    return name[: limit - len(suffix)].rstrip() + suffix
