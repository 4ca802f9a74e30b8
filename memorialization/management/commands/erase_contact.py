"""`manage.py erase_contact KEY`: erase what is stored about a person."""

import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm_integrations.database_clock import read_database_clock
from memorialization.services.contact_erasure import Erased, count_stored, erase_contact, note_erasure
from memorialization.services.contact_search import ContactKey, FoundContacts, find_contacts

WAIT_S = 30  # for deliveries that are being sent: a call takes less
LOOK_EVERY_S = 1
INTERRUPTED = 130  # the exit code of a program that was stopped by Ctrl-C
NOT_IN_CRM = "Nothing is deleted in the CRM: what was written there, and the person's own record, stay."
TWO_MEANINGS = (
    "KEY is the id of some of these contacts and the phone number of others, so nothing was erased. Write a number "
    "with + and its country code, or confirm by hand, without --yes."
)
KINDS = ("contacts", "interactions", "deliveries", "events")


class Command(BaseCommand):
    """Door to `services.contact_erasure`; may be repeated, and is to be when something was still being sent."""

    help = (
        "Erase what is stored about a person: customers' text in events, interactions, deliveries and tries. KEY is a "
        "Contact ID or Master Contact ID, an e-mail address, or a phone number in any spelling. Ids stay, so that "
        f"nothing is written twice. What waits to be sent is skipped. {NOT_IN_CRM}"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whom."""
        parser.add_argument("key", metavar="KEY")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--dry-run", action="store_true", help="only say what was found")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find, ask, erase."""
        key = options["key"].strip()
        if not key:
            raise CommandError("Name a contact, an e-mail address or a phone number.")
        found = find_contacts(key, report=lambda count: self.stdout.write(f"{count} events read …"))
        self.stdout.write(_describe_found(found))
        if not found.every or options["dry_run"]:
            self.stdout.write(self.style.SUCCESS("Nothing was erased."))
            return
        if options["yes"] and found.is_ambiguous:
            raise CommandError(TWO_MEANINGS)
        if not options["yes"] and not _is_confirmed():
            raise CommandError("Nothing was erased.")
        results: dict[ContactKey, Erased] = {}
        try:
            _erase(found.every, results)
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. Erased: {_describe(_sum(results))}.", returncode=INTERRUPTED) from None
        finally:
            if results:
                note_erasure(key=key, erased=_sum(results))
        total = _sum(results)
        said = f"Erased: {_describe(total)}. Skipped: {total['skipped']} deliveries. {NOT_IN_CRM}"
        if left := total["under_way"]:
            self.stdout.write(said)
            raise CommandError(f"{left} deliveries are still being sent. Run the command again in a few minutes.")
        self.stdout.write(self.style.SUCCESS(said))


def _erase(contacts: Sequence[ContactKey], results: dict[ContactKey, Erased]) -> None:
    """Erase them; those of which something is being sent again and again for a while."""
    busy, ends_at = contacts, time.monotonic() + WAIT_S
    while busy:
        for contact in busy:
            erased = erase_contact(contact, now=read_database_clock())
            erased["skipped"] += results.get(contact, Counter())["skipped"]
            results[contact] = erased
        busy = [contact for contact in contacts if results[contact]["under_way"]]
        if not busy or time.monotonic() >= ends_at:
            return
        time.sleep(LOOK_EVERY_S)


def _sum(results: Mapping[ContactKey, Erased]) -> Erased:
    return sum(results.values(), Counter())


def _is_confirmed() -> bool:
    try:
        return input("This cannot be undone. Type yes to erase it: ").strip().lower() == "yes"
    except EOFError:
        return False


def _describe_found(found: FoundContacts) -> str:
    ways = {"id": found.by_id, "e-mail address": found.by_email, "phone number": found.by_phone}
    how = ", ".join(f"{len(contacts)} by {way}" for way, contacts in ways.items() if contacts)
    if not how:
        return "Found: nothing."
    stored = count_stored(found.every)
    return f"Found ({how}): {_describe(stored)}; {stored['unsent']} of the deliveries wait and will never be sent."


def _describe(counts: Erased) -> str:
    return ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)
