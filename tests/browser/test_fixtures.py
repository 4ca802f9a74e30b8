"""The browser fixtures notice what they are there to notice."""

import pytest


@pytest.mark.once
def test_a_script_error_on_a_page_is_seen(page, browser_errors):
    browser_errors.allow("made on purpose")
    page.goto("/healthz")
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('made on purpose') })")

    assert any("made on purpose" in text for text in browser_errors.seen)
    browser_errors.allow("404")


@pytest.mark.once
def test_content_the_policy_refuses_is_seen(page, browser_errors):
    browser_errors.allow("Content.Security.Policy|404")
    page.goto("/accounts/login/")
    with page.expect_console_message(lambda message: "Content-Security-Policy" in message.text):
        page.evaluate("document.body.appendChild(document.createElement('style')).textContent = 'p { color: red }'")

    assert any("style-src" in text for text in browser_errors.seen)
