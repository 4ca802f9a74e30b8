"""Lists are walked to their end, on our own host, and never in circles."""

import pytest

from zendesk_client import errors
from zendesk_client.paging import iterate_records
from zendesk_client.transport import Transport

from .conftest import BASE


def walk(**more):
    return [record["id"] for record in iterate_records(Transport("acme", "t"), "/list", "records", **more)]


def page(ids, *, more, cursor=None, **extra):
    records = [{"id": record_id} for record_id in ids]
    return {"records": records, "meta": {"has_more": more, "after_cursor": cursor}, **extra}


def test_cursor_pages_are_followed_until_has_more_is_false(zendesk):
    elsewhere = {"links": {"next": "https://renamed.zendesk.com/list?page[after]=zzz"}}
    zendesk.get(f"{BASE}/list", json=page([1, 2], more=True, cursor="abc", **elsewhere))
    zendesk.get(f"{BASE}/list", json=page([3], more=False, cursor="def", **elsewhere))
    assert walk(params={"sort": "id"}) == [1, 2, 3]
    assert zendesk.calls[0].request.params == {"sort": "id", "page[size]": "100"}
    assert zendesk.calls[1].request.params == {"sort": "id", "page[size]": "100", "page[after]": "abc"}


def test_an_empty_last_page_ends_the_list(zendesk):
    zendesk.get(f"{BASE}/list", json=page([], more=False, links={"next": None}))
    assert walk() == []


def test_a_missing_cursor_is_taken_from_the_link_but_its_host_is_not(zendesk):
    link = {"next": "https://evil.example/list?page%5Bafter%5D=abc&page%5Bsize%5D=100"}
    zendesk.get(f"{BASE}/list", json=page([1], more=True, links=link))
    zendesk.get(f"{BASE}/list", json=page([2], more=False))
    assert walk() == [1, 2]
    assert zendesk.calls[1].request.params["page[after]"] == "abc"


def test_more_pages_without_a_cursor_are_an_invalid_answer(zendesk):
    zendesk.get(f"{BASE}/list", json=page([1], more=True))
    with pytest.raises(errors.InvalidAnswer) as caught:
        walk()
    assert caught.value.code == "MissingCursor"


def test_a_repeated_cursor_is_an_invalid_answer(zendesk):
    zendesk.get(f"{BASE}/list", json=page([1], more=True, cursor="abc"))
    zendesk.get(f"{BASE}/list", json=page([2], more=True, cursor="abc"))
    with pytest.raises(errors.InvalidAnswer) as caught:
        walk()
    assert caught.value.code == "RepeatedPage"
    assert len(zendesk.calls) == 2


def test_a_list_that_does_not_end_is_cut_with_an_error_not_in_silence(zendesk):
    for number in range(3):
        zendesk.get(f"{BASE}/list", json=page([number], more=True, cursor=f"c{number}"))
    with pytest.raises(errors.InvalidAnswer) as caught:
        walk(max_pages=3)
    assert caught.value.code == "TooManyPages"


def test_a_list_handed_out_whole_is_one_call(zendesk):
    zendesk.get(f"{BASE}/list", json={"records": [{"id": 1}], "next_page": None, "count": 1})
    assert walk(page_size=None) == [1]
    assert zendesk.calls[0].request.params == {}


def test_offset_pages_are_followed_on_our_own_host(zendesk):
    zendesk.get(f"{BASE}/list", json={"records": [{"id": 1}], "next_page": "https://evil.example/list?page=2&evil=1"})
    zendesk.get(f"{BASE}/list", json={"records": [{"id": 2}], "next_page": None})
    assert walk(page_size=None) == [1, 2]
    assert zendesk.calls[1].request.params == {"page": "2"}


def test_a_next_page_that_leads_nowhere_is_not_followed_for_ever(zendesk):
    zendesk.get(f"{BASE}/list", json={"records": [{"id": 1}], "next_page": "https://["})
    with pytest.raises(errors.InvalidAnswer):
        walk(page_size=None)
    assert len(zendesk.calls) == 1


def test_a_page_without_its_list_is_an_invalid_answer(zendesk):
    zendesk.get(f"{BASE}/list", json={"records": None, "meta": {"has_more": False}})
    with pytest.raises(errors.InvalidAnswer):
        walk()


def test_an_interrupted_list_raises_what_interrupted_it(zendesk):
    zendesk.get(f"{BASE}/list", json=page([1], more=True, cursor="abc"))
    zendesk.get(f"{BASE}/list", status=429, headers={"Retry-After": "9"})
    with pytest.raises(errors.RateLimited) as caught:
        walk()
    assert caught.value.retry_after_s == 9
