"""Zendesk behind the CRM port; the only part of the product that imports `zendesk_client`."""
