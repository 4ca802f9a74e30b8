"""The exit code of `make test` hides nothing."""

import os

import pytest

from tests.launch import NOTHING_COLLECTED, BesideRun, Outcome, suite_environment

UNUSABLE = 4  # pytest's code for options that it does not know


@pytest.mark.parametrize(
    ("codes", "left_out", "is_strict", "expected"),
    [
        ([0, 0], [], True, 0),
        ([0, 1], [], False, 1),
        ([1, 0], [], False, 1),
        ([0, NOTHING_COLLECTED], [], True, 0),
        ([NOTHING_COLLECTED, NOTHING_COLLECTED], [], False, NOTHING_COLLECTED),
        ([0], ["the run on PostgreSQL"], False, 0),
        ([0], ["the run on PostgreSQL"], True, 1),
    ],
)
def test_a_failure_or_a_gap_shows_in_the_exit_code(codes, left_out, is_strict, expected):
    assert Outcome(codes=codes, left_out=left_out).exit_code(is_strict=is_strict) == expected


def test_the_developers_own_settings_do_not_reach_the_tests(monkeypatch, tmp_path):
    monkeypatch.setenv("SITE_URL", "https://somewhere.example")
    monkeypatch.setenv("METRICS_TOKEN_FILE", "/somewhere")

    environment = suite_environment(tmp_path)

    assert "SITE_URL" not in environment and "METRICS_TOKEN_FILE" not in environment


def test_a_run_beside_another_gives_its_code_and_shows_what_it_printed(tmp_path, capsys):
    with BesideRun("PostgreSQL", ["--no-such-option"], os.environ, tmp_path / "output") as beside:
        assert beside.finish() == UNUSABLE
    printed = capsys.readouterr().out
    assert "PostgreSQL" in printed and "--no-such-option" in printed


def test_ctrl_c_in_the_terminal_reaches_a_run_beside_another_once_through_us(tmp_path):
    with BesideRun("PostgreSQL", ["tests/config"], os.environ, tmp_path / "output") as beside:
        assert os.getpgid(beside._process.pid) != os.getpgrp()


def test_a_run_beside_another_ends_with_it(tmp_path):
    with BesideRun("PostgreSQL", ["tests/config"], os.environ, tmp_path / "output") as beside:
        pass
    assert beside.finish() != 0
