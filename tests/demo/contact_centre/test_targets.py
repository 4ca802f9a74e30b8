import os

import pytest

from demo.contact_centre.targets import FILE_TARGET_ID, TargetFile, TargetRefused, read_target
from tests.demo.contact_centre.conftest import write_target

URL = "http://localhost:8000/api/v1/configurations/c1/events"


def typed(**changes):
    return read_target(**({"name": "", "events_url": URL, "intake_key": "ai_k"} | changes))


def test_addresses_are_beside_the_events_address():
    target = typed()
    assert target.address_of("events") == URL
    assert target.address_of("interactions/5/records").endswith("/configurations/c1/interactions/5/records")
    assert target.ledger_url("415 2") == "http://localhost:8000/interactions/?q=415+2"


@pytest.mark.parametrize(
    "changes",
    [
        {"events_url": "localhost:8000/api/v1/configurations/c1/events"},
        {"events_url": "ftp://localhost/events"},
        {"events_url": "http://me:secret@localhost/events"},
        {"events_url": "http://localhost:8000/configurations/c1/"},
        {"intake_key": " "},
        {"intake_key": "ai_\nX-Other: header"},
        {"intake_key": "clé"},
        {"desk_url": "https://acme.zendesk.com"},
    ],
)
def test_what_is_no_target_is_refused(changes):
    with pytest.raises(TargetRefused):
        typed(**changes)


def test_a_key_is_not_in_what_is_printed():
    assert "ai_k" not in repr(typed())


def test_the_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "target.json"
    file = TargetFile(str(path), desk_url="http://127.0.0.1:8900/acme")
    assert file.read() is None
    write_target(path, URL, key="ai_one")
    os.utime(path, ns=(1, 1))
    assert (file.read().id, file.read().intake_key) == (FILE_TARGET_ID, "ai_one")
    write_target(path, URL, key="ai_two")
    os.utime(path, ns=(2, 2))
    assert file.read().intake_key == "ai_two"
    path.write_text("half a fi")
    os.utime(path, ns=(3, 3))
    assert file.read().intake_key == "ai_two"
    path.unlink()
    assert file.read() is None
