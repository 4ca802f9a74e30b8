"""What is logged of an error that nobody expected: its own words may quote what customers said."""

import traceback
from pathlib import Path

from django.conf import settings


def describe_error(error: Exception) -> str:
    """Kind and place of an unexpected error, without its words: where it was raised, and by which line of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _is_ours(frame.filename)] or frames
    by = "" if ours[-1] is frames[-1] else f", by {_place(ours[-1])}"
    return f"{type(error).__name__} at {_place(frames[-1])}{by}"


def _is_ours(file: str) -> bool:
    return Path(file).is_relative_to(settings.BASE_DIR) and "site-packages" not in file


def _place(frame: traceback.FrameSummary) -> str:
    return f"{Path(frame.filename).name}:{frame.lineno}"
