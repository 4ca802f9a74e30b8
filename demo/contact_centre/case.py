"""A digital case: one number for all its agents, each of whom has a segment of their own."""

from typing import Any

from demo.contact_centre.cast import DISPOSITIONS, TRANSCRIPT_URL, Agent, Channel
from demo.contact_centre.story import Payload, Story
from demo.contact_centre.times import Moment
from demo.contact_centre.wording import choose_note, write_transcript

DIGITAL = "digital"
CASE_PREFIX = "5073"


class Case:
    """Tells the events of one case; the contact's own events name no agent."""

    def __init__(self, story: Story, channel: Channel, *, has_names: bool = True) -> None:
        self.story, self.channel, self.has_names = story, channel, has_names
        self.contact_id = story.new_number(CASE_PREFIX)
        self.interaction_id = story.new_uuid()
        self.skill = story.choose_skill()
        self.status = "open"

    def fields(self, **more: Any) -> Payload:
        """What every event of the case says, and more. People who never gave a name are called " "."""
        name = self.story.customer.name_on_card if self.has_names else " "
        said: Payload = {"customerName": name, "from": name, "interactionId": self.interaction_id}
        said |= {"channelName": self.channel.name, "channelType": self.channel.type, "eventType": "Digital"}
        # The routing queue of a case is not always known; its number is 0 then.
        skill: Payload = {"skillId": self.skill.id, "skillName": self.skill.name} if self.has_names else {"skillId": 0}
        said |= {"mediaType": "Digital", "direction": "inbound", "status": self.status, **skill}
        return said | more

    def search_writer(self) -> None:
        """The script asks who writes, before an agent gets the case."""
        if email := self.story.customer.email:
            self.story.run_workflow("search-email", 0, email=email, contactId=self.contact_id)

    def tell(self, kind: str, at_s: float, fields: Payload | None = None, **keys: Any) -> Payload:
        """Any event of the case."""
        told = self.fields(**(fields or {}))
        return self.story.tell(kind, at_s, channel=DIGITAL, contactId=self.contact_id, fields=told, **keys)

    def end_by_contact(self, at_s: float) -> Payload:
        """The customer closes the conversation."""
        self.status = "closed"
        return self.tell("interaction.ended", at_s, endedBy="contact")

    def end_by_system(self, at_s: float) -> Payload:
        """Nobody wrote for a long time, and the case is closed."""
        self.status = "closed"
        return self.tell("interaction.ended", at_s, endedBy="system")

    def transcript(self, agent: Agent, *, rounds: int = 1) -> Payload:
        """What was written, and where it can be read."""
        customer = self.story.customer
        text = write_transcript(
            self.story.chance,
            customer=customer.name_on_card if self.has_names else "…",
            agent=agent.first_name,
            is_french=customer.is_french,
            rounds=rounds,
        )
        return {"transcriptionText": text, "transcriptUrl": TRANSCRIPT_URL.format(contact_id=self.contact_id)}

    def update(self, at_s: float, fields: Payload, **keys: Any) -> Payload:
        """Late data of the case; they say nothing else."""
        return self.story.tell(
            "interaction.updated", at_s, channel=DIGITAL, contactId=self.contact_id, fields=fields, **keys
        )

    def link(self, at_s: float) -> None:
        """Records linked in the customer card."""
        if self.story.records():
            self.story.tell("records.linked", at_s, contactId=self.contact_id, records=self.story.records())


class Segment:
    """One agent's time with a case; it is known by the agent and the second it began."""

    def __init__(self, case: Case, agent: Agent, began_s: float) -> None:
        self.case, self.agent, self.began_s = case, agent, began_s

    def fields(self, **more: Any) -> Payload:
        """The agent's part of an event; only the first name is known as *To*."""
        began: Moment = self.case.story.moment(self.began_s)
        said: Payload = {"agentId": self.agent.id, "agentName": self.agent.name, "to": self.agent.first_name}
        return said | {"startTime": began} | more

    def begin(self, *, is_linked: bool = True) -> Payload:
        """The agent gets the case."""
        records = self.case.story.records() if is_linked else []
        return self.case.tell("interaction.started", self.began_s, self.fields(), records=records)

    def transfer(self, at_s: float, **keys: Any) -> Payload:
        """The agent gives the case to somebody else."""
        return self._close("interaction.transferred", at_s, **keys)

    def unassign(self, at_s: float, *, status: str = "resolved", **keys: Any) -> Payload:
        """The agent unassigns the case and dismisses it from themselves."""
        self.case.status = status
        return self._close("interaction.unassigned", at_s, **keys)

    def outcome(self) -> Payload:
        """What the agent chose and typed."""
        story = self.case.story
        notes = choose_note(story.chance, is_french=story.customer.is_french)
        return {"dispositionName": story.chance.choice(DISPOSITIONS), "dispositionNotes": notes}

    def _close(self, kind: str, at_s: float, *, more: Payload | None = None, **keys: Any) -> Payload:
        keys.setdefault("endedBy", "agent")
        told = self.outcome() | self.case.transcript(self.agent) if more is None else more
        fields = self.fields(endTime=self.case.story.moment(at_s), finalState=True, **told)
        return self.case.tell(kind, at_s, fields, **keys)
