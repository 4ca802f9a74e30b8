"""A refusal that names its place, for forms and for configuration files alike."""

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where in a JSON document, keys as files write them: ("entities", 1, "fields", 2, "crmField")."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, as a sentence in the reader's language, and where."""

    path: Path
    message: str

    def under(self, *parents: str | int) -> "Problem":
        """The same problem seen from further up."""
        return Problem((*parents, *self.path), self.message)

    @property
    def json_path(self) -> str:
        """The place as people write it: `entities[1].fields[2].crmField`; empty for the whole document."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).removeprefix(".")
