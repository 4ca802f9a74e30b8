"""The snippets of the page *Next step*: JSON built from dynamic data, and the REST API action that sends it.

They quote the Configuration ID and the script variables that mappings read, and never an intake key. Nothing is sent
from a SNIPPET action itself: the contact centre advises against it (help.nicecxone.com, “Make API Calls from a SNIPPET
Action”), and its REST API action repeats a failed call twice by itself, which does no harm here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
EVENT_TIME = ('ASSIGN occurredday = datefmt(utc, "yyyy-MM-dd")', 'ASSIGN occurredtime = datefmt(utc, "HH:mm:ss")')


@dataclass(frozen=True, slots=True)
class StudioSettings:
    """What the snippets quote. `variables`: script variables in lower case; `case_type`: the type of new cases."""

    api_url: str  # of the configuration, without a slash at its end
    variables: tuple[str, ...] = ()
    case_type: str = ""


@dataclass(frozen=True, slots=True)
class RestCall:
    """What the REST API action that follows a snippet is given; `body` names the variable with the JSON."""

    verb: str
    url: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Snippet:
    """One step in a script: where it belongs, its code (blank for a call alone), and the call that sends it."""

    key: str
    title: str | Promise
    place: str | Promise
    code: str
    call: RestCall


def voice_snippets(settings: StudioSettings) -> list[Snippet]:
    """What a phone script needs."""
    return [
        Snippet(
            "search-ani",
            _("Find the caller"),
            _("After BEGIN, before the call reaches an agent: a SNIPPET action, then a REST API action."),
            _code("searchinput", ['workflowInput.phoneNumber = "{ANI}"', 'contactId = "{contactid}"'], "searchjson"),
            _workflow(settings, "search-ani", "searchjson"),
        ),
        *_case_snippets(settings, '"Call from {ANI}"'),
        Snippet(
            "voice-ended",
            _("Report the end of the call"),
            _("After ONRELEASE: a SNIPPET action, then a REST API action. With after-call work, say acwConfigured."),
            _code("callevent", _voice_event(settings.variables), "eventjson", before=EVENT_TIME),
            RestCall("POST", f"{settings.api_url}/events", "eventjson"),
        ),
        _card(settings),
    ]


def digital_snippets(settings: StudioSettings) -> list[Snippet]:
    """What a digital script needs."""
    return [
        Snippet(
            "search-email",
            _("Find the person who writes"),
            _("After BEGIN: a SNIPPET action, then a REST API action."),
            _code("searchinput", ['email = "{customeremail}"', 'contactId = "{contactid}"'], "searchjson"),
            _workflow(settings, "search-email", "searchjson"),
        ),
        *_case_snippets(settings, '"Message from {customername}"'),
        Snippet(
            "digital-unassigned",
            _("Report that the agent lets go"),
            _("When the agent unassigns and dismisses the interaction; for a transfer send interaction.transferred."),
            _code("caseevent", _digital_event(settings.variables), "eventjson", before=EVENT_TIME),
            RestCall("POST", f"{settings.api_url}/events", "eventjson"),
        ),
        _card(settings),
    ]


def _case_snippets(settings: StudioSettings, subject: str) -> list[Snippet]:
    if not settings.case_type:
        return []
    case = f"data.{settings.case_type}"
    described = [f"{case}.subject = {subject}", f'{case}.comment.body = "Created by the script for {{contactid}}"']
    lines = [*described, 'contactId = "{contactid}"', 'screenPop = "true"']
    snippet = Snippet(
        "create-case",
        _("Create a case when there is none"),
        _("Where the script has found nobody, or no open case. The case is linked to the contact."),
        _code("newcase", [*lines, 'agent = "{crmuserid}"'], "newcasejson"),
        _workflow(settings, "create-ticket", "newcasejson"),
    )
    return [snippet]


def _card(settings: StudioSettings) -> Snippet:
    return Snippet(
        "customer-card",
        _("Read the customer card"),
        _("Anywhere after the search: a REST API action alone. It answers the linked records and those found."),
        "",
        RestCall("GET", f"{settings.api_url}/customer-card?contactId={{contactid}}"),
    )


def _voice_event(variables: Sequence[str]) -> list[str]:
    own = ['endedBy = "unknown"', 'acwConfigured = "false"', 'agentId = "{agentid}"']
    fields = {"masterContactId": "masterid", "ani": "ANI", "dnis": "DNIS", "skillName": "skillname"}
    return [*_event("interaction.ended", "voice"), *own, *_fields(fields), *_variables(variables)]


def _digital_event(variables: Sequence[str]) -> list[str]:
    own = ['endedBy = "agent"', 'agentId = "{agentid}"']
    fields = {"channelName": "channelname", "customerName": "customername", "skillName": "skillname"}
    return [*_event("interaction.unassigned", "digital"), *own, *_fields(fields), *_variables(variables)]


def _event(event_type: str, channel: str) -> list[str]:
    return [
        f'eventId = "{{contactid}}-{{agentid}}-{event_type.rpartition(".")[2]}"',
        f'type = "{event_type}"',
        'occurredAt = "{occurredday}T{occurredtime}Z"',
        f'channel = "{channel}"',
        'contactId = "{contactid}"',
    ]


def _fields(sources: dict[str, str]) -> list[str]:
    return [f'fields.{key} = "{{{variable}}}"' for key, variable in sources.items()]


def _variables(names: Sequence[str]) -> list[str]:
    """Names that code can name; the page lists the others."""
    return [f'scriptVariables.{name} = "{{{name}}}"' for name in names if IDENTIFIER.fullmatch(name)]


def _code(name: str, lines: Sequence[str], json_name: str, *, before: Sequence[str] = ()) -> str:
    """Code that builds a dynamic data object line by line and writes it as JSON."""
    assigned = [f"{name}.{line}" for line in lines]
    return "\n".join([*before, f"DYNAMIC {name}", *assigned, f'ASSIGN {json_name} = "{{{name}.asjson()}}"'])


def _workflow(settings: StudioSettings, workflow: str, body: str) -> RestCall:
    return RestCall("POST", f"{settings.api_url}/workflows/{workflow}", body)
