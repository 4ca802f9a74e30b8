"""Calls that open a page on an agent's screen (Talk Partner Edition).

https://developer.zendesk.com/api-reference/voice/talk-partner-edition-api/reference/
Accounts without it answer 403, or 404 InvalidEndpoint.
"""

from zendesk_client.calls import Calls
from zendesk_client.record_types import TICKET, USER

PLURALS = {record_type.name: record_type for record_type in (TICKET, USER)}


class ScreenCalls(Calls):
    """Pop up."""

    def display(self, agent_id: str | int, entity_type: str, record_id: str | int) -> None:
        """Open a ticket's or user's page in the browser of an agent. Raises ValueError for other record types."""
        if entity_type not in PLURALS:
            raise ValueError("only tickets and users can be shown to an agent")
        record_type = PLURALS[entity_type]
        agent, record = USER.check_id(agent_id), record_type.check_id(record_id)
        self._transport.send("POST", f"/api/v2/channels/voice/agents/{agent}/{record_type.plural}/{record}/display")
