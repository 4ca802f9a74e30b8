"""Stories of chats, e-mails and messages, one function each; the sentence under the name is what people read."""

from demo.contact_centre.case import Case, Segment
from demo.contact_centre.cast import CHAT_EN, CHAT_FR, EMAIL, MESSENGER, WHATSAPP
from demo.contact_centre.story import Story

MINUTE = 60
HOUR = 3600


def chat(story: Story) -> None:
    """One agent chats with the customer, then unassigns and dismisses the case. With a transcript."""
    segment = _begin_chat(story)
    segment.unassign(segment.began_s + story.chance.randint(2, 12) * MINUTE)


def chat_transfer(story: Story) -> None:
    """Three agents have the case one after the other; each part is written on its own."""
    case = Case(story, CHAT_FR if story.customer.is_french else CHAT_EN)
    first, second, third = story.choose_agents(3)
    at_s = 0
    for agent in (first, second):
        segment = Segment(case, agent, at_s)
        segment.begin()
        at_s += story.chance.randint(2, 6) * MINUTE
        segment.transfer(at_s, more=segment.outcome())
        at_s += story.chance.randint(5, 40)
    last = Segment(case, third, at_s)
    last.begin()
    last.unassign(at_s + 4 * MINUTE)


def contact_ends_first(story: Story) -> None:
    """The customer closes the chat first: Status, Disposition Name and Disposition Notes are left out."""
    segment = _begin_chat(story)
    ended_s = segment.began_s + story.chance.randint(1, 8) * MINUTE
    segment.case.end_by_contact(ended_s)
    segment.unassign(ended_s + 45, status="closed")


def email(story: Story) -> None:
    """The script finds who writes; the e-mail is answered the same day, and linked while the agent writes."""
    case = Case(story, EMAIL)
    case.search_writer()
    segment = Segment(case, story.choose_agents()[0], HOUR)
    segment.begin(is_linked=False)
    case.link(HOUR + 90)
    segment.unassign(HOUR + story.chance.randint(4, 40) * MINUTE)


def email_comes_back(story: Story) -> None:
    """The customer writes again, and the same agent has the case a second time: two segments."""
    case = Case(story, EMAIL)
    agent = story.choose_agents()[0]
    for began_s in (0, 3 * HOUR):
        segment = Segment(case, agent, began_s)
        case.status = "open"
        segment.begin()
        segment.unassign(began_s + 6 * MINUTE, status="resolved" if began_s else "pending")


def messenger_late_transcript(story: Story) -> None:
    """A Facebook Messenger conversation whose transcript arrives five minutes after it was written."""
    case = Case(story, MESSENGER)
    segment = Segment(case, story.choose_agents()[0], 0)
    segment.begin()
    segment.unassign(9 * MINUTE, more=segment.outcome())
    case.update(14 * MINUTE, case.transcript(segment.agent, rounds=2))


def whatsapp_blank_names(story: Story) -> None:
    """A WhatsApp customer without a name: blank values, unknown skill, every time in another zone."""
    story.use_mixed_times()
    case = Case(story, WHATSAPP, has_names=False)
    segment = Segment(case, story.choose_agents()[0], 0)
    segment.begin()
    segment.unassign(7 * MINUTE)


def whatsapp_repeated(story: Story) -> None:
    """Events come three times, and the transfer before the part it ends."""
    story.use_mixed_times()
    case = Case(story, WHATSAPP)
    first, second = (Segment(case, agent, at_s) for agent, at_s in zip(story.choose_agents(2), (0, 310), strict=True))
    events = [
        first.transfer(300, sent_at_s=100),
        first.begin(),
        second.begin(),
        second.unassign(10 * MINUTE),
    ]
    for number, event in enumerate(events):
        story.send(event, 10 * MINUTE + 5 + number)
        story.send(event, 11 * MINUTE + number)


def nobody_lets_go(story: Story) -> None:
    """The case is closed by the system and stays with the agent; after an hour they count as having let go."""
    segment = _begin_chat(story)
    segment.case.update(
        segment.began_s + MINUTE, segment.case.transcript(segment.agent), scriptVariables={"Topic": "Order"}
    )
    segment.case.end_by_system(segment.began_s + 20 * MINUTE)
    story.ended_ago_s = story.chance.randint(50, 59) * MINUTE


def unlinked_chat(story: Story) -> None:
    """A chat that nobody links; the records are linked through the API once it is over."""
    case = Case(story, CHAT_FR if story.customer.is_french else CHAT_EN)
    segment = Segment(case, story.choose_agents()[0], 0)
    segment.begin(is_linked=False)
    segment.unassign(5 * MINUTE)
    story.link_by_api(case.contact_id, 6 * MINUTE)


def long_transcript(story: Story) -> None:
    """A very long e-mail conversation: its transcript is longer than the field of the CRM."""
    case = Case(story, EMAIL)
    segment = Segment(case, story.choose_agents()[0], 0)
    segment.begin()
    segment.unassign(2 * HOUR, more=segment.outcome() | case.transcript(segment.agent, rounds=400))


def _begin_chat(story: Story) -> Segment:
    segment = Segment(Case(story, CHAT_FR if story.customer.is_french else CHAT_EN), story.choose_agents()[0], 0)
    segment.begin()
    return segment
