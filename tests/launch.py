"""`make test`: the whole suite with real servers, on SQLite and on PostgreSQL; options go to pytest.

Three runs go side by side, since tests mostly wait: on SQLite, with a browser on SQLite, and on PostgreSQL; the last
leaves out what cannot differ between databases (tests/conftest.py). What the others print is shown after the first.
What a platform cannot bring is left out and said; with CI=true or STRICT=1 it is a failure.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from config.stack.chromium import ChromiumMissing, fetch_chromium
from config.stack.postgres import PostgresFailed, running_postgres
from config.stack.processes import BASE_DIR, start_process
from config.stack.translations import compile_catalogues
from config.stack.valkey import running_valkey

NOTHING_COLLECTED = 5  # pytest's code when every test was deselected
# Fixed, so that nothing is generated into the developer's own var/.
SECRETS = {"SECRET_KEY": "only-for-tests", "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}
# A developer's own settings must not leak into the tests.
PRODUCT_VARIABLES = (
    "DATABASE_URL",
    "REDIS_URL",
    "SITE_URL",
    "ALLOWED_HOSTS",
    "ZENDESK_OAUTH_CLIENT_ID",
    "ZENDESK_OAUTH_CLIENT_SECRET",
    "ZENDESK_BASE_URL",
    "PORT",
    "LANGUAGE_CODE",
    "TIME_ZONE",
    "METRICS_TOKEN",
    "EMAIL_URL",
    "DEMO",
)


@dataclass
class Outcome:
    """Exit codes of the runs, and what could not be run."""

    codes: list[int] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def exit_code(self, *, is_strict: bool) -> int:
        """0 when everything passed and, if strict, nothing was left out."""
        failed = [code for code in self.codes if code not in {0, NOTHING_COLLECTED}]
        if failed:
            return failed[0]
        if all(code == NOTHING_COLLECTED for code in self.codes):
            return NOTHING_COLLECTED
        return 1 if is_strict and self.left_out else 0


def main(arguments: list[str]) -> int:
    """Run the suite twice and say what was left out."""
    is_strict = os.environ.get("CI") == "true" or os.environ.get("STRICT") == "1"
    outcome = Outcome()
    compile_catalogues()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tests-", ignore_cleanup_errors=True)))
        try:
            fetch_chromium()
        except ChromiumMissing as error:
            outcome.left_out.append(f"the browser tests. {error}")
        options, environment = ["--part", "browser", *arguments], _with_broker(stack, folder / "browser")
        beside = [stack.enter_context(BesideRun("SQLite, with a browser", options, environment, folder / "1"))]
        try:
            address = stack.enter_context(running_postgres(folder=folder / "postgres", is_quick=True))
        except PostgresFailed as error:
            outcome.left_out.append(f"the run on PostgreSQL. {error}")
        else:
            options, environment = ["--database-tests", *arguments], _with_broker(stack, folder / "on-postgres")
            environment["DATABASE_URL"] = address
            beside.append(stack.enter_context(BesideRun("PostgreSQL", options, environment, folder / "2")))
        options, environment = ["--part", "rest", *arguments], _with_broker(stack, folder / "on-sqlite")
        outcome.codes.append(run_pytest(options, environment, title="SQLite"))
        outcome.codes += [run.finish() for run in beside]
    for sentence in outcome.left_out:
        sys.stdout.write(f"LEFT OUT: {sentence}\n")
    return outcome.exit_code(is_strict=is_strict)


def _with_broker(stack: ExitStack, folder: Path) -> dict[str, str]:
    """The environment of a run that has `folder` and a Valkey to itself."""
    valkey = stack.enter_context(running_valkey(folder=folder / "valkey"))
    return suite_environment(folder) | {"TEST_VALKEY_URL": valkey.url, "REDIS_URL": valkey.url}


def suite_environment(folder: Path) -> dict[str, str]:
    """Our environment without the developer's settings; data go to `folder`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in PRODUCT_VARIABLES and name.removesuffix("_FILE") not in PRODUCT_VARIABLES
    }
    return kept | SECRETS | {"VAR_DIR": str(folder / "var"), "DATABASE_URL": f"sqlite:///{folder}/suite.sqlite3"}


class BesideRun:
    """A run of the suite in the background, its output in a file. Left early, or by a dying parent, it is stopped."""

    def __init__(self, title: str, arguments: list[str], environment: Mapping[str, str], output: Path) -> None:
        self._title, self._output = title, output
        with output.open("wb") as written:
            self._process = start_process(
                _pytest(arguments), environment=environment, ending=signal.SIGINT, output=written
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # pytest takes its servers down
        self._process.wait()

    def finish(self) -> int:
        """Wait for its end and show what it printed; gives pytest's exit code."""
        code = self._process.wait()
        _say_title(self._title)
        sys.stdout.write(self._output.read_text(encoding="utf-8", errors="replace"))
        sys.stdout.flush()
        return code


def run_pytest(arguments: list[str], environment: Mapping[str, str], *, title: str) -> int:
    """One run of the suite; gives pytest's exit code."""
    _say_title(title)
    return subprocess.run(_pytest(arguments), cwd=BASE_DIR, env=dict(environment), check=False).returncode


def _say_title(title: str) -> None:
    sys.stdout.write(f"\n=== The tests on {title}\n")
    sys.stdout.flush()


def _pytest(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
