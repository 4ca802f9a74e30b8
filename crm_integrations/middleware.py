"""The reader's language: account setting, switch's cookie, then the browser. And the short way in for scripts."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

SESSIONLESS_PREFIXES = ("/api/", "/card/")  # scripts with their keys, and pages behind a signed address


class PreferredLanguageMiddleware:
    """Activates one of the two languages for each request; a browser's plain `fr` gets Canadian French."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the reader's language and say so."""
        language = _preferred_language(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
            patch_vary_headers(response, ("Accept-Language",))
            return response


class ScriptCallMiddleware:
    """Takes calls without a session past all that only people who signed in need: session, user, messages, forms.

    Scripts have no cookies; their views know them by a key, or by a signed address, and are exempt from CSRF. Safety
    headers and the check of the host come before it in the settings.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the language that the headers ask for; everybody else goes on."""
        if not request.path_info.startswith(SESSIONLESS_PREFIXES):
            return self.get_response(request)
        try:
            request.resolver_match = match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        language = _language_of_headers(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        return response


def _preferred_language(request: HttpRequest) -> str:
    chosen = getattr(request.user, "language", "") or request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    if chosen in dict(settings.LANGUAGES):
        return chosen
    return _language_of_headers(request)


def _language_of_headers(request: HttpRequest) -> str:
    for code in _accepted_languages(request):
        if code.startswith("fr"):
            return "fr-ca"
        if code.startswith("en"):
            return "en"
    return settings.LANGUAGE_CODE


def _accepted_languages(request: HttpRequest) -> list[str]:
    header = request.headers.get("Accept-Language", "")
    ranked = parse_accept_lang_header(header.lower())
    return [code for code, weight in ranked if weight > 0]
