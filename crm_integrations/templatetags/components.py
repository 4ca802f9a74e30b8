"""Template tags behind `templates/components/`: icons, states and the components that wrap a body."""

from dataclasses import dataclass
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@dataclass(frozen=True)
class Look:
    """How a state is shown; never by its colour alone."""

    tone: str
    icon: str


GOOD, DONE = Look("good", "check"), Look("good", "check-circle")
WARN, WAIT, HELD = Look("warn", "half"), Look("wait", "clock"), Look("held", "pause")
BAD, QUIET = Look("bad", "cross-circle"), Look("quiet", "dash-circle")
ATTENTION = Look("warn", "alert")
LOOKS = {
    # deliveries
    "delivered": DONE, "partial": WARN, "waiting": WAIT, "sending": Look("wait", "send"),
    "held": HELD, "failed": BAD, "skipped": Look("quiet", "skip"),
    # configurations and authentications
    "draft": Look("quiet", "pencil"), "active": DONE, "inactive": QUIET,
    "system_user_removed": Look("held", "user-off"),
    "deleted": Look("quiet", "trash"), "reauthenticate": Look("held", "key"),
    # rights, keys
    "pass": GOOD, "fail": BAD, "unknown": Look("quiet", "question"), "revoked": QUIET, "expired": QUIET,
    # interactions
    "open": Look("wait", "dot-circle"), "due": WAIT, "planned": DONE,
    # what became of a field
    "written": GOOD, "shortened": WARN, "left_out": ATTENTION, "superseded": QUIET, "not_applied": BAD,
    "withheld": QUIET, "blank": QUIET, "unchanged": Look("quiet", "check"),
    # attempts
    "started": WAIT, "succeeded": DONE, "refused": BAD, "retry": Look("wait", "replay"), "postponed": HELD,
    # messages
    "success": DONE, "info": Look("wait", "info"), "debug": Look("wait", "info"), "warning": ATTENTION, "error": BAD,
}  # fmt: skip


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A picture of the sprite; decoration unless it has a label."""
    if label:
        address = f"{static('icons.svg')}#{name}"
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, address)
    return _decoration(str(name))


@register.simple_tag
def badge(state: str, label: str | Promise) -> SafeString:
    """A state in words, with its colour and picture."""
    look = LOOKS.get(str(state), QUIET)
    return format_html('<span class="state tone-{}">{}{}</span>', look.tone, _decoration(look.icon), label)


@lru_cache(maxsize=200)
def _decoration(name: str) -> SafeString:
    """Made once: a list shows hundreds of them."""
    address = f"{static('icons.svg')}#{name}"
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', address)


@register.filter
def tone(state: str) -> str:
    """The colour family of a state."""
    return LOOKS.get(str(state), QUIET).tone


@register.filter
def state_icon(state: str) -> str:
    """The sprite's picture of a state."""
    return LOOKS.get(str(state), QUIET).icon


@register.simple_block_tag
def card(content: str, title: str = "", note: str = "", id: str = "", level: int = 2, *, flush: bool = False) -> str:
    """A section with a hairline around it: `{% card title=… %}…{% endcard %}`."""
    context = {"content": content, "title": title, "note": note, "id": id, "level": level, "flush": flush}
    return render_to_string("components/card.html", context)


@register.simple_block_tag
def scroll_table(content: str, label: str) -> str:
    """A table that scrolls inside itself on narrow screens, named for screen readers by `label`."""
    return render_to_string("components/table.html", {"content": content, "label": label})


@register.simple_block_tag
def page_header(content: str, title: str, state: str = "", state_label: str = "", lead: str = "") -> str:
    """The page's title with its state; the body holds the one primary action and quieter ones before it."""
    context = {"content": content, "title": title, "state": state, "state_label": state_label, "lead": lead}
    return render_to_string("components/page_header.html", context)


@register.simple_block_tag
def empty_state(content: str, title: str, text: str = "", icon: str = "inbox") -> str:
    """What a list says when there is nothing in it yet; the body holds the action."""
    return render_to_string(
        "components/empty_state.html", {"content": content, "title": title, "text": text, "icon": icon}
    )
