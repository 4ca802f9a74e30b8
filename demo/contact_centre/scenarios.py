"""The scenarios by name: what can be played, how often the stream plays it, and `play`, which makes one of them.

Pure: seed, customers and moment in, timed calls of the API out.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from demo.contact_centre import digital_scenarios as digital
from demo.contact_centre import voice_scenarios as voice
from demo.contact_centre.customers import CustomerBook
from demo.contact_centre.story import Play, Story

SPAN_S = 4.0  # over how many seconds the events of one interaction are sent


class UnknownScenario(LookupError):
    """Nothing of that name can be played."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of interaction; `weight` says how often the stream plays it compared with the others."""

    name: str
    title: str
    channel: str
    weight: int
    tell: Callable[[Story], None]

    @property
    def sentence(self) -> str:
        """What happens, in one sentence for people."""
        return (self.tell.__doc__ or "").strip()


_TABLE: tuple[tuple[str, str, int, Callable[[Story], None]], ...] = (
    ("voice_inbound", "Inbound call", 14, voice.inbound),
    ("voice_known_caller", "Known caller", 8, voice.known_caller),
    ("voice_new_ticket", "Caller without a ticket", 5, voice.new_ticket),
    ("voice_without_acw", "Call without ACW", 8, voice.without_acw),
    ("voice_outbound", "Outbound call", 8, voice.outbound),
    ("voice_caller_hangs_up", "Caller hangs up", 8, voice.caller_hangs_up),
    ("voice_caller_gives_up", "Caller gives up in the queue", 2, voice.caller_gives_up),
    ("voice_transfer", "Transferred call", 6, voice.transfer),
    ("voice_acw_arrives_first", "ACW reported before the end", 4, voice.acw_arrives_first),
    ("voice_acw_late", "ACW late", 4, voice.acw_late),
    ("voice_acw_never", "ACW never", 1, voice.acw_never),
    ("voice_late_disposition", "Disposition late", 5, voice.late_disposition),
    ("voice_late_recording", "Recording late", 5, voice.late_recording),
    ("voice_script_variables", "Ticket by script variable", 6, voice.script_variables),
    ("voice_link_api", "Linked through the API", 4, voice.link_api),
    ("voice_link_corrected", "Link corrected", 2, voice.link_corrected),
    ("voice_unlinked", "Call without a link", 3, voice.unlinked),
    ("voice_closed_ticket", "Closed ticket", 2, voice.closed_ticket),
    ("voice_unlisted_disposition", "Unlisted disposition", 2, voice.unlisted_disposition),
    ("voice_mixed_times", "Mixed times", 3, voice.mixed_times),
    ("voice_repeated_and_shuffled", "Repeated and shuffled", 3, voice.repeated_and_shuffled),
    ("digital_chat", "Chat", 12, digital.chat),
    ("digital_chat_transfer", "Transferred chat", 6, digital.chat_transfer),
    ("digital_contact_ends_first", "Contact ends first", 6, digital.contact_ends_first),
    ("digital_email", "E-mail", 8, digital.email),
    ("digital_email_comes_back", "E-mail that comes back", 3, digital.email_comes_back),
    ("digital_messenger_late_transcript", "Messenger, transcript late", 5, digital.messenger_late_transcript),
    ("digital_whatsapp_blank_names", "WhatsApp, blank names", 5, digital.whatsapp_blank_names),
    ("digital_whatsapp_repeated", "WhatsApp, repeated", 3, digital.whatsapp_repeated),
    ("digital_nobody_lets_go", "Nobody lets go", 1, digital.nobody_lets_go),
    ("digital_unlinked_chat", "Chat linked afterwards", 3, digital.unlinked_chat),
    ("digital_long_transcript", "Very long transcript", 1, digital.long_transcript),
)
SCENARIOS: Mapping[str, Scenario] = {
    name: Scenario(name, title, name.partition("_")[0], weight, tell) for name, title, weight, tell in _TABLE
}


def play(*, name: str, seed: int, book: CustomerBook, now: datetime, span_s: float = SPAN_S) -> Play:
    """Tell the scenario `name`. Raises UnknownScenario."""
    if name not in SCENARIOS:
        raise UnknownScenario(name)
    story = Story(scenario=name, seed=seed, book=book, now=now)
    SCENARIOS[name].tell(story)
    return story.finish(span_s=span_s)


def choose_scenario(seed: int) -> str:
    """The stream's choice for a seed, frequent kinds more often."""
    chance = random.Random(f"stream:{seed}")  # noqa: S311 - chance, not secrecy
    return chance.choices(list(SCENARIOS), weights=[each.weight for each in SCENARIOS.values()])[0]
