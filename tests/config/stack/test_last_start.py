"""What a start leaves for `manage.py`, and the refusal to mix data of the demo with real accounts."""

import shlex
import subprocess

import pytest

from config.stack.last_start import FILE_NAME, OtherAccounts, remember_start

DEMO = {"ZENDESK_BASE_URL": "http://127.0.0.1:8900/{subdomain}", "REDIS_URL": "redis://:secret@127.0.0.1:1/0"}


def test_a_shell_reads_back_what_a_start_decided(tmp_path):
    url = "postgres://me:it's&so@host/name?sslmode=require"
    remember_start(tmp_path, DEMO | {"DATABASE_URL": url})

    script = f"set -a; . {shlex.quote(str(tmp_path / FILE_NAME))}; printenv DATABASE_URL ZENDESK_BASE_URL"
    said = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True)
    assert said.stdout.splitlines() == [url, DEMO["ZENDESK_BASE_URL"]]


def test_nobody_else_reads_it(tmp_path):
    remember_start(tmp_path, DEMO)

    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_data_of_the_demo_never_meet_real_accounts_nor_the_other_way_round(tmp_path):
    remember_start(tmp_path, DEMO)
    with pytest.raises(OtherAccounts, match=r"make run DEMO=0 VAR_DIR=var/alone"):
        remember_start(tmp_path, {})

    (tmp_path / FILE_NAME).unlink()
    remember_start(tmp_path, {})
    with pytest.raises(OtherAccounts, match=r"make run VAR_DIR=var/demo-data"):
        remember_start(tmp_path, DEMO)


def test_the_demo_may_move_to_another_port(tmp_path):
    remember_start(tmp_path, DEMO)
    remember_start(tmp_path, DEMO | {"ZENDESK_BASE_URL": "http://127.0.0.1:8910/{subdomain}"})

    assert "8910" in (tmp_path / FILE_NAME).read_text()
