"""Addresses of the customer card under /api/v1/."""

from django.urls import path

from dynamic_data.views import api_customer_card

CARD = "configurations/<str:configuration_id>/customer-card"

urlpatterns = [
    path(CARD, api_customer_card.show_card, name="api_customer_card"),
    path(f"{CARD}/address", api_customer_card.make_address, name="api_customer_card_address"),
]
