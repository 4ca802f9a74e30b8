"""The customer card of a play's contact: the product gives its address, which a frame shows as an agent's desktop does.

The address is asked for with the key; whoever has it sees this one card for a while.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from demo.contact_centre.sending import new_session, post
from demo.contact_centre.targets import Target

PATH = "customer-card/address"
MESSAGE_ID = "demo-card"


@dataclass(frozen=True, slots=True)
class Card:
    """Where the card is, or why there is none."""

    url: str = ""
    problem: str = ""

    @property
    def origin(self) -> str:
        """The site that the page has to let into a frame."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" if self.url else ""


def ask_card(*, target: Target, contact_id: str, language: str, now: datetime) -> Card:
    """Ask the product for the address of a contact's card in the agent's language."""
    body = {"contactId": contact_id, "language": language}
    with new_session() as session:
        answer = post(session, target=target, path=PATH, body=body, message_id=MESSAGE_ID, now=now)
    url = str(answer.said.get("url", ""))
    if answer.is_taken and urlsplit(url).scheme in ("http", "https"):
        return Card(url=url)
    return Card(problem=str(answer.said.get("problem") or f"answered {answer.status}"))
