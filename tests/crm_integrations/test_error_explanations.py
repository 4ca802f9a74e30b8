"""Errors of the port in words for people."""

from crm_integrations.error_explanations import explain_crm_error
from crm_integrations.providers.errors import RetryLater
from crm_integrations.services.call_budgets import BudgetSpent


def test_a_limit_of_ours_says_when_to_come_back_and_quotes_nobody():
    sentence = explain_crm_error(BudgetSpent(limit_class="account", retry_after_s=42))
    assert sentence == "The calls that the CRM allows are used up. Try again in 42 seconds."


def test_a_limit_of_the_crms_quotes_it():
    sentence = explain_crm_error(RetryLater("Number of allowed requests exceeded", retry_after_s=9))
    assert "Number of allowed requests exceeded" in sentence
