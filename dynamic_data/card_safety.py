"""How the card's page is sent: into an agent's desktop and nowhere else, without a trace of its address."""

from django.conf import settings
from django.http import HttpResponse

DIRECTIVES = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
)


def content_security_policy() -> str:
    """The page's own policy; only who may frame it is the operator's to say."""
    return "; ".join([*DIRECTIVES, "frame-ancestors " + " ".join(settings.CARD_FRAME_ANCESTORS)])


def guard(response: HttpResponse) -> HttpResponse:
    """The response with the card's headers; X-Frame-Options, which knows no list of hosts, is left off."""
    response.headers["Content-Security-Policy"] = content_security_policy()
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    response.xframe_options_exempt = True
    return response
