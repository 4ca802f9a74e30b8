"""`manage.py ingest_events`: files of events, ours and CXone's."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from memorialization.models import Delivery, Interaction, InteractionEvent
from memorialization.services import file_intake
from memorialization.services.event_folding import fold_all_events
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import voice
from tests.memorialization.formats.test_completed_contacts import ROW
from tests.memorialization.formats.test_digital_events import ASSIGNED, UNASSIGNED

pytestmark = pytest.mark.django_db


def run(*arguments):
    """Standard output, standard error and the exit code; what was accepted is folded then, as by a worker."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command("ingest_events", *arguments, stdout=out, stderr=err)
    except SystemExit as exit_:
        code = exit_.code
    fold_all_events(clock=timezone.now, most_s=60)
    return out.getvalue(), err.getvalue(), code


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "events.json"
        path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        return str(path)

    return write


def test_events_are_taken_in_and_the_last_line_says_what_happened(write):
    make_configuration()
    out, _err, code = run(write([voice(), voice(contactId="2")]))
    assert out == "2 rows read: 2 events accepted, 0 known already, 0 rejected, 0 rows without an event.\n"
    assert code == 0 and InteractionEvent.objects.filter(origin="command").count() == 2


def test_repeating_it_has_no_second_effect(write):
    make_configuration()
    path = write([ROW])
    run(path, "--format", "cxone-contacts-completed")
    out, _err, code = run(path, "--format", "cxone-contacts-completed")
    assert "0 events accepted, 3 known already" in out and code == 0


def test_bad_rows_are_reported_with_their_line_the_rest_is_taken_in_and_the_exit_code_is_1(write):
    make_configuration()
    lines = [json.dumps(voice()), "{", json.dumps(voice(channel="fax")), json.dumps(voice(contactId="2"))]
    out, err, code = run(write("\n".join(lines)))
    assert code == 1 and "2 events accepted, 0 known already, 2 rejected" in out
    assert "line 2: " in err and "line 3: channel: " in err and Interaction.objects.count() == 2


def test_completed_contacts_are_planned_with_their_data(write):
    configuration = make_configuration()
    make_mapping(configuration, {"ticket": [("notes", "voice", "dispositionNotes")]})
    run(write({"completedContacts": [ROW]}), "--format", "cxone-contacts-completed")
    interaction = Interaction.objects.get()
    assert (interaction.verdict_rule, interaction.flags) == ("voice_acw_completed", [])
    assert Delivery.objects.get().fields[0]["rendered"] == "Wants a callback"


def test_a_row_exported_again_with_other_data_is_late_data(write):
    configuration = make_configuration()
    make_mapping(configuration, {"ticket": [("notes", "voice", "dispositionNotes")]})
    run(write([ROW]), "--format", "cxone-contacts-completed")
    changed = {**ROW, "dispositionNotes": "Done", "lastUpdateTime": "2025-05-14T19:00:00Z"}
    out, _err, code = run(write([changed]), "--format", "cxone-contacts-completed")
    assert code == 0 and "1 events accepted, 2 known already" in out
    assert Interaction.objects.get().values["dispositionNotes"]["value"] == "Done"


def test_digital_events_make_segments_and_silent_rows_are_counted(write):
    make_configuration()
    message = {"eventType": "MessageAddedIntoCase", "data": {}}
    out, _err, code = run(write([ASSIGNED, message, UNASSIGNED]), "--format", "cxone-digital")
    assert code == 0 and "2 events accepted" in out and "1 rows without an event" in out
    assert Interaction.objects.get().verdict_rule == "digital_unassigned"


def test_large_files_go_in_batches_that_keep_the_events_of_a_row_together(write, monkeypatch):
    make_configuration()
    monkeypatch.setattr(file_intake, "BATCH_SIZE", 4)
    sizes = []
    accept = file_intake.accept_events
    monkeypatch.setattr(
        file_intake, "accept_events", lambda **keys: sizes.append(len(keys["payloads"])) or accept(**keys)
    )
    run(write([{**ROW, "contactId": number} for number in range(1, 4)]), "--format", "cxone-contacts-completed")
    assert sizes == [3, 3, 3] and Interaction.objects.count() == 3


def test_a_pipe_is_read_from_standard_input(monkeypatch):
    make_configuration()
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(voice())))
    assert "1 events accepted" in run("-")[0]


def test_the_configuration_is_needed_when_there_is_more_than_one(write):
    first, second = make_configuration(), make_configuration()
    path = write([voice()])
    with pytest.raises(CommandError, match=str(first.pk)):
        run(path)
    run(path, "--configuration", str(second.pk))
    assert InteractionEvent.objects.get().configuration == second


@pytest.mark.parametrize("state", ["draft", "inactive"])
def test_a_configuration_that_takes_no_events_is_refused(write, state):
    configuration = make_configuration(state=state)
    for arguments in ([], ["--configuration", str(configuration.pk)], ["--configuration", "nonsense"]):
        with pytest.raises(CommandError, match="no active configuration"):
            run(write([voice()]), *arguments)


def test_a_file_that_is_not_there_is_said():
    make_configuration()
    with pytest.raises(CommandError, match="cannot be read"):
        run("/nowhere/events.json")


@pytest.mark.parametrize("format_", ["native", "cxone-contacts-completed"])
def test_a_row_that_is_no_utf_8_is_refused_and_no_other(tmp_path, format_):
    make_configuration()
    rows = [voice(fields={"skillName": "x"}), voice()] if format_ == "native" else [{**ROW, "skillName": "x"}, ROW]
    bad, good = (json.dumps(row).encode() for row in rows)
    path = tmp_path / "latin.json"
    path.write_bytes(bad.replace(b'"skillName": "x"', b'"skillName": "\xe9"') + b"\n" + good)
    _out, err, code = run(str(path), "--format", format_)
    assert code == 1 and "line 1: " in err and "line 2" not in err
    assert Interaction.objects.exists()
