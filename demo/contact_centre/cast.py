"""Who works in the contact centre and what they work with: agents, skills, channels, outcomes."""

import unicodedata
from dataclasses import dataclass

EMAIL_DOMAIN = "acme.example"  # of the agents' users in the first account of the demo CRM


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as contact-centre events name them."""

    id: str
    first_name: str
    last_name: str
    speaks_french: bool

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"

    @property
    def email(self) -> str:
        """The address of the agent's user in the CRM, if they have one there."""
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode().lower()
        return f"{plain.replace(' ', '.')}@{EMAIL_DOMAIN}"


@dataclass(frozen=True, slots=True)
class Skill:
    """A queue for one kind of contact in one language, with the number its callers dial."""

    id: str
    name: str
    is_french: bool
    dnis: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A digital channel: what the administrator called it, and the platform behind it."""

    name: str
    type: str


AGENTS = (
    Agent("39185896", "Tyler", "Hendrickson", speaks_french=False),
    Agent("39185911", "Camille", "Tremblay", speaks_french=True),
    Agent("39185934", "Marc-André", "Gagnon", speaks_french=True),
    Agent("39186002", "Priya", "Shah", speaks_french=False),
    Agent("39186047", "Noémie", "St-Pierre", speaks_french=True),
    Agent("39186118", "Jordan", "O’Neill", speaks_french=False),
)

SKILLS = (
    Skill("20804630", "FR_Support", is_french=True, dnis="+18005550100"),
    Skill("20804631", "FR_Facturation", is_french=True, dnis="+18005550101"),
    Skill("20804640", "EN_Support", is_french=False, dnis="+18885550140"),
    Skill("20804641", "EN_Billing", is_french=False, dnis="+18885550141"),
)

CHAT_FR = Channel("Clavardage du site", "chat")
CHAT_EN = Channel("Web chat EN", "chat")
EMAIL = Channel("support@demo.example", "email")
MESSENGER = Channel("Facebook Messenger", "fbmessenger")
WHATSAPP = Channel("WhatsApp Business", "whatsapp")

# As agents choose them in Outcomes: by the last part or by the whole path.
DISPOSITIONS = (
    "Resolved",
    "Call back",
    "Billing::Refund::Full",
    "Billing::Payment arrangement",
    "Technical::Outage",
    "Technical::Set-up",
    "Sales::New order",
)
UNLISTED_DISPOSITION = "Transferred to the partner desk"  # somebody forgot to add it to the drop-down

TAGS = ("vip", "billing", "first-call", "follow-up", "outage", "moving")

RECORDING_URL = "https://contact-centre.demo.example/player/#/cxone-player/acd-contacts/{contact_id}"
TRANSCRIPT_URL = "https://contact-centre.demo.example/care/case/{contact_id}"
