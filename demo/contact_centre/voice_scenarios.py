"""Stories of voice calls, one function each; the sentence under the name is what people read on the page."""

from demo.contact_centre.call import CONTACT_PREFIX, Call
from demo.contact_centre.cast import UNLISTED_DISPOSITION
from demo.contact_centre.story import Payload, Story
from demo.contact_centre.times import NO_OFFSET

MINUTE = 60


def inbound(story: Story) -> None:
    """A caller is helped; the agent finishes after-call work with a disposition. Linked in the event."""
    call = Call(story)
    call.start()
    call.end(records=story.records())
    call.complete_acw()


def known_caller(story: Story) -> None:
    """The script finds the caller and their tickets before an agent answers; the agent links one of them."""
    call = Call(story)
    call.search_caller()
    call.start()
    call.link(call.began_s + 15)
    call.end()
    call.complete_acw()


def new_ticket(story: Story) -> None:
    """Somebody without an open ticket calls: the script looks for them, opens a ticket and shows it to the agent."""
    story.choose_customer(wants="is_without_open_ticket")
    call = Call(story)
    call.search_caller()
    call.create_ticket()
    call.start()
    call.end()
    call.complete_acw()


def without_acw(story: Story) -> None:
    """After-call work is not configured: everything is said when the call ends."""
    call = Call(story, has_acw=False)
    call.start()
    call.end(more=call.outcome() | call.recording(), records=story.records())


def outbound(story: Story) -> None:
    """The agent calls the customer back and links the ticket during the call."""
    call = Call(story, direction="outbound")
    call.start()
    call.link(call.began_s + 20)
    call.end()
    call.complete_acw()


def acw_arrives_first(story: Story) -> None:
    """The report that after-call work is done overtakes the report that the call ended."""
    call = Call(story)
    call.start()
    call.end(records=story.records(), sent_at_s=call.acw_s + 5)
    call.complete_acw()


def acw_late(story: Story) -> None:
    """The agent takes a quarter of an hour for after-call work."""
    call = Call(story)
    call.start()
    call.end(records=story.records())
    call.complete_acw(at_s=call.ended_s + 15 * MINUTE)


def acw_never(story: Story) -> None:
    """After-call work is configured and never reported; after an hour it counts as done."""
    call = Call(story)
    call.start()
    call.end(more=call.outcome() | call.recording(), records=story.records())
    story.ended_ago_s = story.chance.randint(50, 59) * MINUTE


def caller_hangs_up(story: Story) -> None:
    """The caller hangs up first, which is the normal end of a call: everything is written."""
    call = Call(story)
    call.start()
    call.end(ended_by="contact", records=story.records())
    call.complete_acw()


def caller_gives_up(story: Story) -> None:
    """The caller gives up in the queue: no agent, no record, blank names."""
    contact_id = story.new_number(CONTACT_PREFIX)
    fields: Payload = {"agentId": "", "agentName": " ", "ani": story.customer.phone, "direction": "inbound"}
    fields |= {"skillName": story.choose_skill().name, "mediaType": "Voice", "contactType": "Voice"}
    fields |= {"status": "Disconnected", "finalState": True, "tags": []}
    story.tell(
        "interaction.ended",
        story.chance.randint(20, 300),
        channel="voice",
        contactId=contact_id,
        endedBy="contact",
        acwConfigured=False,
        fields=fields,
    )


def transfer(story: Story) -> None:
    """Three agents one after the other: each part has its own Contact ID, all share the Master Contact ID."""
    agents = story.choose_agents(3)
    part: Call | None = None
    for number, agent in enumerate(agents):
        began_s = part.ended_s if part else 0
        part = Call(story, began_s=began_s, agent=agent, master=part)
        part.start()
        if number < len(agents) - 1:
            part.tell("interaction.transferred", part.ended_s - 1, fields=part.fields(), endedBy="agent")
        part.end(records=story.records(), ended_by="system" if number < len(agents) - 1 else "agent")
        part.complete_acw()


def late_disposition(story: Story) -> None:
    """The disposition and its notes arrive ten minutes after the call was written."""
    call = Call(story)
    call.start()
    call.end(records=story.records())
    call.complete_acw(more=call.recording())
    call.update(10 * MINUTE, call.outcome())


def late_recording(story: Story) -> None:
    """The recording's address and a corrected note arrive half an hour later."""
    call = Call(story, has_acw=False)
    call.start()
    call.end(more=call.outcome(), records=story.records())
    call.update(30 * MINUTE, call.recording() | {"tags": ["first-call", "recorded"]})


def script_variables(story: Story) -> None:
    """Nothing is linked; the Studio script says which ticket, in its own spelling."""
    call = Call(story)
    call.start()
    named = {record["entityType"]: record["id"] for record in story.records()}
    spelled = {"Zendesk_Ticket_Id": named.get("ticket", " "), "ZENDESK_USER_ID": named.get("user", " ")}
    call.end(scriptVariables=call.variables(**spelled, Zendesk_Organization_Id=" "))
    call.complete_acw()


def link_api(story: Story) -> None:
    """The records are linked through the link API, after the call was reported."""
    call = Call(story)
    call.start()
    call.end()
    call.complete_acw()
    story.link_by_api(call.contact_id, call.acw_s + 30)


def unlinked(story: Story) -> None:
    """Nobody links anything: the rules of record matching find the record to write to, or none."""
    call = Call(story)
    call.start()
    call.end()
    call.complete_acw()


def link_corrected(story: Story) -> None:
    """The agent links the wrong ticket, takes it away and links the right one."""
    call = Call(story)
    call.start()
    others = story.book.choose(story.chance).open_tickets
    wrong = [{"entityType": "ticket", "id": others[0]}] if others else []
    right = [record for record in story.records() if record not in wrong]
    call.link(call.began_s + 10, records=wrong)
    call.link(call.began_s + 25, records=wrong, kind="records.unlinked")
    call.link(call.began_s + 30, records=right)
    call.end()
    call.complete_acw()


def closed_ticket(story: Story) -> None:
    """The linked ticket is closed and takes nothing any more; the customer's own record does."""
    customer = story.choose_customer(wants="closed_tickets")
    call = Call(story)
    call.start()
    tickets = [{"entityType": "ticket", "id": customer.closed_tickets[0]}] if customer.closed_tickets else []
    call.end(records=tickets + [record for record in story.records() if record["entityType"] == "user"])
    call.complete_acw()


def unlisted_disposition(story: Story) -> None:
    """The disposition is missing in the ticket field's drop-down: everything else is written."""
    call = Call(story)
    call.start()
    call.end(records=story.records())
    call.complete_acw(more=call.outcome(dispositionName=UNLISTED_DISPOSITION) | call.recording())


def mixed_times(story: Story) -> None:
    """Local offsets, UTC and milliseconds in one call; inside the fields a time without offset."""
    story.use_mixed_times()
    call = Call(story)
    call.start()
    call.end(records=story.records(), more={"endTime": story.moment(call.ended_s).restyled(NO_OFFSET)})
    call.complete_acw()


def repeated_and_shuffled(story: Story) -> None:
    """Every event comes two or three times and in the wrong order."""
    call = Call(story)
    events = [
        call.start(sent_at_s=call.acw_s + 40),
        call.end(records=story.records(), sent_at_s=call.acw_s + 20),
        call.complete_acw(),
    ]
    for event in events:
        for _ in range(story.chance.randint(1, 2)):
            story.send(event, call.acw_s + story.chance.randint(1, 60))
    story.send(events, call.acw_s + MINUTE)
