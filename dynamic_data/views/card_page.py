"""The customer card as a page for an iframe in the agent's desktop: no session, no cookies, a signed address alone.

It works as plain pages and forms; with scripts, the same answers replace the part that changes.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from crm_integrations.contact_links import RecordReference
from crm_integrations.models import Configuration
from crm_integrations.record_names import is_entity_type, is_record_id
from crm_integrations.services.intake_keys import IntakeKeyEnded
from crm_integrations.services.record_readings import FRESH_S
from crm_integrations.services.senders import find_holder
from dynamic_data.card_safety import guard
from dynamic_data.services.card_addresses import (
    AddressExpired,
    AddressInvalid,
    CardAddress,
    read_address,
    sign_address,
)
from dynamic_data.services.customer_card import (
    CardReader,
    CardRefused,
    CustomerCard,
    RecordNotOffered,
    build_contact_card,
    change_link,
)

REFRESHED_S = 1  # who presses Refresh is shown nothing older
POLLED_S = 120  # what a page that updates itself asks the CRM anew: links change at once, values seldom
EXPECTED_FOR = timedelta(minutes=2)  # so long a new card waits for its interaction to begin
AGES = {"refresh": REFRESHED_S, "poll": POLLED_S}

CardView = Callable[[HttpRequest, CardAddress, Configuration], HttpResponse]


def card_view(view: CardView) -> Callable[..., HttpResponse]:
    """A view behind a signed address: in its language, with the card's headers, refusals as pages of the card."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, signed: str) -> HttpResponse:
        try:
            address = read_address(signed, now=timezone.now())
        except AddressExpired:
            return guard(_refuse(_("This card has expired. Open it again from the interaction."), 410))
        except AddressInvalid:
            return guard(_refuse(_("This is no address of a card."), 404))
        with translation.override(address.language):
            response = _answer_holder(view, request, address)
            response.headers["Content-Language"] = address.language
            return guard(response)

    return answer


def _answer_holder(view: CardView, request: HttpRequest, address: CardAddress) -> HttpResponse:
    """What the view says, if the intake key behind the address is still valid."""
    try:
        configuration = find_holder(
            configuration_id=address.configuration_id, key_id=address.key_id, now=timezone.now()
        )
        if configuration is None:
            return _refuse(_("This card's configuration was deleted."), 404)
        return view(request, address, configuration)
    except IntakeKeyEnded:
        return _refuse(_("The access to this card has ended. Open it again from the interaction."), 410)
    except CardRefused as refused:
        return _refuse(refused.reason, 409)


@require_safe
@card_view
def show(request: HttpRequest, address: CardAddress, configuration: Configuration) -> HttpResponse:
    """The card; `?look=refresh` asks the CRM at once, `?look=poll` (from the page itself) hardly ever."""
    look = request.GET.get("look", "")
    return _answer(request, address, configuration, max_age_s=AGES.get(look, FRESH_S))


@require_POST
@card_view
def link(request: HttpRequest, address: CardAddress, configuration: Configuration) -> HttpResponse:
    """Link or unlink (`act`) a record that the card shows."""
    entity_type, record_id = request.POST.get("entityType", ""), request.POST.get("id", "")
    act = request.POST.get("act", "")
    problem = ""
    if not is_entity_type(entity_type) or not is_record_id(record_id) or act not in {"link", "unlink"}:
        return _refuse(_("This form was not understood."), 400)
    try:
        change_link(
            configuration=configuration,
            contact_id=address.contact_id,
            agent_id=address.agent_id,
            record=RecordReference(entity_type, record_id),
            is_linked=act == "link",
        )
    except RecordNotOffered:
        problem = _("This record is no longer on the card.")
    except ValueError as error:  # the keeper of links says why
        problem = str(error)
    if _is_from_script(request):
        return _answer(request, address, configuration, max_age_s=POLLED_S, problem=problem)
    if problem:
        return _answer(request, address, configuration, max_age_s=POLLED_S, problem=problem, status=409)
    return HttpResponseRedirect(_url(address.renewed(timezone.now())))


def _answer(
    request: HttpRequest,
    address: CardAddress,
    configuration: Configuration,
    *,
    max_age_s: float,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    card = build_contact_card(
        configuration=configuration,
        contact_id=address.contact_id,
        reader=CardReader(address.language, address.time_zone, max_age_s),
    )
    is_expected = now - address.opened_at < EXPECTED_FOR
    onward = address.renewed(now) if card.is_live else address
    version = _version(card, onward)
    if request.GET.get("seen") == version and _is_from_script(request):
        return HttpResponse(status=204)
    context: dict[str, Any] = {
        "card": card,
        "url": _url(onward),
        "version": version,
        "link_url": reverse("customer_card_link", args=[sign_address(onward)]),
        "is_updating": card.is_live or is_expected,
        "problem": problem,
    }
    template = "dynamic_data/card/_live.html" if _is_from_script(request) else "dynamic_data/card/page.html"
    return HttpResponse(render_to_string(template, context), status=status)


def _refuse(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(render_to_string("dynamic_data/card/refused.html", {"sentence": sentence}), status=status)


def _is_from_script(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _url(address: CardAddress) -> str:
    return reverse("customer_card", args=[sign_address(address)])


def _version(card: CustomerCard, address: CardAddress) -> str:
    """The same for as long as the page would look the same; each signature of an address has a time of its own."""
    return hashlib.sha256(repr((card, int(address.signed_at.timestamp()))).encode()).hexdigest()[:16]
