"""What one row came to: the checker's verdict, the row's own problems, and the figures of the table."""

from dataclasses import dataclass

from tests.faults.checker import Verdict


@dataclass(frozen=True)
class Result:
    """A row's verdict, as the table shows it."""

    name: str
    words: str
    profile: str
    seed: int
    events: int
    acknowledged: int
    verdict: Verdict
    first_s: float | None
    done_s: float | None
    calls: int
    limited: int
    problems: tuple[str, ...]
    facts: tuple[str, ...]
    took_s: float

    @property
    def is_passed(self) -> bool:
        """Whether everything is zero and nothing else is wrong."""
        return self.verdict.is_clean and not self.problems
