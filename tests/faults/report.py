"""The table that `make faults` prints, and what it ran on."""

import json
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.faults.run_result import Result

COLUMNS = (
    "row", "profile", "seed", "events", "lost", "duplicated", "unexpected", "inverted", "dead letters",
    "first write", "all done", "429", "verdict",
)  # fmt: skip
ZEROS = ("lost", "duplicated", "unexpected", "inverted", "dead")


def as_json(result: Result) -> str:
    """One result as a line, from the process of one profile to the one that prints."""
    verdict = {"counts": dict(result.verdict.counts), "examples": result.verdict.examples}
    return json.dumps({**vars(result), "verdict": verdict, "is_passed": result.is_passed})


def render_table(results: Iterable[Mapping[str, Any]]) -> str:
    """The matrix in Markdown, and below it what is wrong and what was seen."""
    rows = list(results)
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    for row in rows:
        remarks = [*row["problems"], *row["verdict"]["examples"]]
        if remarks or row["facts"]:
            lines.append(f"\n**{row['name']}** ({row['profile']}, seed {row['seed']}): " + "; ".join(row["facts"]))
            lines += [f"- {remark}" for remark in remarks]
    failed = sum(not row["is_passed"] for row in rows)
    return "\n".join([*lines, "", f"{len(rows) - failed} of {len(rows)} rows hold."])


def _cells(row: Mapping[str, Any]) -> list[str]:
    counts = row["verdict"]["counts"]
    share = row["limited"] / row["calls"] if row["calls"] else 0.0
    return [
        f"{row['name']}: {row['words']}",
        row["profile"],
        str(row["seed"]),
        f"{row['acknowledged']} of {row['events']}" if row["acknowledged"] != row["events"] else str(row["events"]),
        *(str(counts.get(name, 0)) for name in ZEROS),
        _seconds(row["first_s"]),
        _seconds(row["done_s"]),
        f"{share:.1%}",
        "holds" if row["is_passed"] else "**FAILS**",
    ]


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def describe_machine() -> str:
    """What the figures belong to."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    memory_kb = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    words = [model or platform.machine(), f"{os.cpu_count()} cores", f"{memory_kb / 1_048_576:.1f} GiB"]
    return ", ".join([*words, f"{platform.system()} {platform.release()}", f"Python {platform.python_version()}"])


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
