"""Addresses of the API about events and interactions, under /api/v1/."""

from django.urls import path

from memorialization.views import api_events, api_interactions

CONFIGURATION = "configurations/<str:configuration_id>"
INTERACTION = f"{CONFIGURATION}/interactions/<path:contact_id>"

urlpatterns = [
    path(f"{CONFIGURATION}/events", api_events.receive_events, name="api_events"),
    path(f"{INTERACTION}/records/<str:entity_type>/<str:record_id>", api_interactions.unlink_record, name="api_record"),
    path(f"{INTERACTION}/records", api_interactions.link_record, name="api_records"),
    path(INTERACTION, api_interactions.show_interaction, name="api_interaction"),
]
