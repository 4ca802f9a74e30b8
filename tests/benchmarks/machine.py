"""The machine and the versions that figures belong to."""

import os
import platform
import sqlite3
from importlib.metadata import version

PACKAGES = ("Django", "celery", "granian", "psycopg2-binary", "requests")


def describe_machine() -> str:
    """One paragraph: cores, memory, load, versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Machine: {cores} cores ({platform.machine()}), {_memory_gb():.0f} GB, {platform.system()} "
        f"{platform.release()}; load averages now {load}. Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {packages}."
    )


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
