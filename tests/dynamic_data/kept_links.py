"""A keeper of links in memory, for tests that know nothing of events."""

from dataclasses import dataclass, field

from crm_integrations.contact_links import ContactLinks, ContactReading, RecordReference


@dataclass
class KeptLinks(ContactLinks):
    """Links by contact id; `live` holds the contacts whose interaction goes on."""

    links: dict[str, list[RecordReference]] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    origins: list[str] = field(default_factory=list)

    def read_contact(self, *, configuration, contact_id, now):
        return ContactReading(tuple(self.links.get(contact_id, ())), contact_id in self.live)

    def link(self, *, configuration, contact_id, record, origin, now, event_id=""):
        self.origins.append(origin)
        self.links.setdefault(contact_id, []).append(record)

    def unlink(self, *, configuration, contact_id, record, origin, now):
        self.origins.append(origin)
        self.links[contact_id].remove(record)
