"""The catalogue of CXone data: the 28 predefined source fields and the channels that have them (product page §4).

Anything else an interaction carries is a script variable. The keys are what events carry; the labels what people read.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VOICE = "voice"
DIGITAL = "digital"


@dataclass(frozen=True, slots=True)
class SourceField:
    """One predefined field; `is_time` and `is_list` say how its value is shaped, `example` is for people."""

    key: str
    label: str | Promise
    meaning: str | Promise
    channels: frozenset[str]
    example: str
    is_time: bool = False
    is_list: bool = False


BOTH = frozenset({DIGITAL, VOICE})
ONLY_DIGITAL = frozenset({DIGITAL})
ONLY_VOICE = frozenset({VOICE})

SOURCE_FIELDS: tuple[SourceField, ...] = (
    SourceField("agentId", _("Agent ID"), _("The agent's CXone employee ID"), BOTH, "39185896"),
    SourceField("agentName", _("Agent Name"), _("The agent's name in CXone"), BOTH, "Tyler Hendrickson"),
    SourceField("ani", _("ANI"), _("The contact's phone number"), ONLY_VOICE, "+15145550123"),
    SourceField("channelName", _("Channel Name"), _("The channel's own name"), ONLY_DIGITAL, "Web chat FR"),
    SourceField("channelType", _("Channel Type"), _("Chat, e-mail, Facebook Messenger …"), ONLY_DIGITAL, "chat"),
    SourceField("contactId", _("Contact ID"), _("The unique number of this contact"), BOTH, "415203958123"),
    SourceField("contactType", _("Contact Type"), _("Voice or digital"), ONLY_VOICE, "voice"),
    SourceField("customerName", _("Customer Name"), _("The name on the customer card"), ONLY_DIGITAL, "Zoé Tremblay"),
    SourceField("direction", _("Direction"), _("Inbound, outbound or internal"), BOTH, "inbound"),
    SourceField("dispositionName", _("Disposition Name"), _("Chosen by the agent in Outcomes"), BOTH, "Resolved"),
    SourceField(
        "dispositionNotes", _("Disposition Notes"), _("Typed by the agent in Outcomes"), BOTH, "Call back Monday"
    ),
    SourceField("dnis", _("DNIS"), _("The number on the agent's side"), ONLY_VOICE, "+18005550100"),
    SourceField("endTime", _("End Time"), _("When the interaction ended"), BOTH, "2026-11-22T15:04:58Z", is_time=True),
    SourceField("eventType", _("Event Type"), _("Voice, digital, voicemail or work item"), ONLY_DIGITAL, "digital"),
    SourceField("finalState", _("Final State"), _("Whether the interaction is finished"), BOTH, "true"),
    SourceField("from", _("From"), _("The contact's name on the customer card"), ONLY_DIGITAL, "Zoé Tremblay"),
    SourceField("interactionId", _("Interaction ID"), _("The interaction's unique number"), BOTH, "3914aa71-1ffa-4a59"),
    SourceField(
        "masterContactId", _("Master Contact ID"), _("The parent contact's number"), ONLY_VOICE, "415203958100"
    ),
    SourceField("mediaType", _("Media Type"), _("Voice, digital, voicemail or work item"), BOTH, "voice"),
    SourceField(
        "recordingUrl", _("Recording URL"), _("Where the recording is"), ONLY_VOICE, "https://example.com/r/415"
    ),
    SourceField("skillId", _("Skill ID"), _("The skill's unique number"), BOTH, "20804630"),
    SourceField("skillName", _("Skill Name"), _("The skill's name"), BOTH, "FR_Support"),
    SourceField(
        "startTime", _("Start Time"), _("When the interaction began"), BOTH, "2026-11-22T15:00:12Z", is_time=True
    ),
    SourceField("status", _("Status"), _("Chosen by the agent in Outcomes"), BOTH, "resolved"),
    SourceField("tags", _("Tags"), _("Applied to the interaction"), ONLY_VOICE, "vip, billing", is_list=True),
    SourceField("to", _("To"), _("The agent who handled it"), BOTH, "Tyler Hendrickson"),
    SourceField(
        "transcriptionText",
        _("Transcription Text"),
        _("The digital interaction's transcript"),
        ONLY_DIGITAL,
        "Bonjour …",
    ),
    SourceField(
        "transcriptUrl", _("Transcript URL"), _("Where the transcript is"), ONLY_DIGITAL, "https://example.com/t/507"
    ),
)
BY_KEY: dict[str, SourceField] = {source.key: source for source in SOURCE_FIELDS}
ID_KEYS = frozenset({"agentId", "contactId", "interactionId", "masterContactId", "skillId"})  # kept as exact text
TRANSCRIPT_KEYS = frozenset({"transcriptionText"})
WITHHELD_WHEN_CONTACT_ENDS_FIRST = ("status", "dispositionName", "dispositionNotes", "tags")  # product page §5.3


def fields_of_channel(channel: str) -> list[SourceField]:
    """The source fields that interactions of `channel` (`voice` or `digital`) have, in the source page's order."""
    return [source for source in SOURCE_FIELDS if channel in source.channels]
