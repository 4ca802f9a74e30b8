"""Zendesk behind the CRM port."""
