"""Errors of CRMs: what they show, and to whom."""

import traceback

import pytest

from crm_integrations.providers.errors import CRMError, RetryLater, ValueRefused


@pytest.mark.parametrize(
    "error",
    [
        CRMError("Name: Ms Roy is taken", status=409),
        RetryLater("Ms Roy called too often", retry_after_s=3),
        ValueRefused("Name: Ms Roy is taken", fields={"name": "Ms Roy is taken"}, status=422),
    ],
)
def test_the_crms_words_which_may_quote_customers_reach_no_log_by_way_of_the_errors_text(error):
    assert "Roy" in error.message
    assert "Roy" not in str(error) + repr(error) + "".join(traceback.format_exception(error))
    assert type(error).__name__ in str(error)
