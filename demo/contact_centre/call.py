"""One agent's part of a voice call, with the fields and values that contact-centre events really carry."""

from typing import Any

from demo.contact_centre.cast import DISPOSITIONS, RECORDING_URL, TAGS, Agent, Skill
from demo.contact_centre.story import Payload, Story
from demo.contact_centre.wording import choose_note

VOICE = "voice"
CONTACT_PREFIX = "4152"


class Call:
    """Tells the events of one part: every part has a contact id of its own, transfers share the master's."""

    def __init__(
        self,
        story: Story,
        *,
        began_s: int = 0,
        direction: str = "inbound",
        has_acw: bool = True,
        agent: Agent | None = None,
        master: "Call | None" = None,
        skill: Skill | None = None,
    ) -> None:
        self.story, self.began_s, self.direction, self.has_acw = story, began_s, direction, has_acw
        self.contact_id = story.new_number(CONTACT_PREFIX)
        self.master_id: str = master.master_id if master else self.contact_id
        self.interaction_id: str = master.interaction_id if master else story.new_uuid()
        self.agent = agent or story.choose_agents()[0]
        self.skill = skill or story.choose_skill()
        self.ended_s = began_s + story.chance.randint(45, 600)
        self.acw_s = self.ended_s + story.chance.randint(8, 90)
        self.started = story.moment(began_s)

    def fields(self, **more: Any) -> Payload:
        """What every event of the part says, and more."""
        # Feeds mix strings and numbers for the same id.
        agent_id: str | int = int(self.agent.id) if self.story.chance.random() < 0.3 else self.agent.id
        said: Payload = {"agentId": agent_id, "agentName": self.agent.name, "to": self.agent.name}
        said |= {"masterContactId": self.master_id, "interactionId": self.interaction_id}
        said |= {"ani": self.story.customer.phone, "dnis": self.skill.dnis, "direction": self.direction}
        said |= {"skillId": self.skill.id, "skillName": self.skill.name, "mediaType": "Voice", "contactType": "Voice"}
        return said | {"startTime": self.started} | more

    def outcome(self, **instead: Any) -> Payload:
        """What the agent chose and typed in the Outcomes panel."""
        chance = self.story.chance
        chosen: Payload = {"dispositionName": chance.choice(DISPOSITIONS)}
        chosen["dispositionNotes"] = choose_note(chance, is_french=self.story.customer.is_french)
        return chosen | {"tags": sorted(chance.sample(TAGS, 2))} | instead

    def recording(self) -> Payload:
        """The address of the recording's player page."""
        return {"recordingUrl": RECORDING_URL.format(contact_id=self.contact_id)}

    def variables(self, **more: Any) -> Payload:
        """What the Studio script knew when it released the call."""
        waited = self.story.chance.randint(3, 240)
        return {"HandleTime": str(self.acw_s - self.began_s), "QueueTime": waited, "AccountId": "A-991"} | more

    def tell(self, kind: str, at_s: float, **keys: Any) -> Payload:
        """Any event of this part."""
        return self.story.tell(kind, at_s, channel=VOICE, contactId=self.contact_id, **keys)

    def search_caller(self) -> None:
        """The script asks who calls, before an agent answers."""
        if phone := self.story.customer.phone:
            asked = {"workflowInput": {"phoneNumber": phone}}
            self.story.run_workflow("search-ani", self.began_s, **asked, contactId=self.contact_id)

    def create_ticket(self) -> None:
        """The script opens a ticket for the caller and has it shown to the agent."""
        customer = self.story.customer
        ticket: Payload = {"subject": f"Call from {customer.phone or customer.name}"}
        ticket["comment"] = {"body": f"{customer.name} called {self.skill.name}.", "public": False}
        if customer.user_id:
            ticket["requester_id"] = customer.user_id
        self.story.run_workflow(
            "create-ticket",
            self.began_s,
            table="ticket",
            data={"ticket": ticket},
            contactId=self.contact_id,
            pinnedRecord="true",
            screenPop="true",
            agent=self.agent.email,
        )

    def start(self, **keys: Any) -> Payload:
        """The agent answers."""
        fields = self.fields(status="Active", finalState=False)
        return self.tell("interaction.started", self.began_s, fields=fields, **keys)

    def end(self, *, ended_by: str = "agent", more: Payload | None = None, **keys: Any) -> Payload:
        """The voice path is torn down; without ACW that is all."""
        fields = self.fields(
            status="Disconnected", finalState=not self.has_acw, endTime=self.story.moment(self.ended_s)
        )
        keys = {"acwConfigured": self.has_acw, "scriptVariables": self.variables(), **keys}
        return self.tell("interaction.ended", self.ended_s, endedBy=ended_by, fields=fields | (more or {}), **keys)

    def complete_acw(self, *, at_s: float | None = None, more: Payload | None = None, **keys: Any) -> Payload:
        """The agent is through with after-call work; what they chose comes with it."""
        told = self.outcome() | self.recording() if more is None else more
        fields = self.fields(status="Disconnected", finalState=True, **told)
        return self.tell("interaction.acw_completed", self.acw_s if at_s is None else at_s, fields=fields, **keys)

    def update(self, after_s: float, fields: Payload, **keys: Any) -> Payload:
        """Late data, from a system that knows the contact id and nothing about agents."""
        return self.tell("interaction.updated", self.acw_s + after_s, fields=fields, **keys)

    def link(self, at_s: float, *, kind: str = "records.linked", records: list[Payload] | None = None) -> None:
        """The agent links (or unlinks) records in the customer card; such events need no channel."""
        wanted = self.story.records() if records is None else records
        if wanted:
            self.story.tell(kind, at_s, contactId=self.contact_id, records=wanted)
