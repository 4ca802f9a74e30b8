"""Addresses of the API for contact-centre scripts, under /api/v1/. The last one answers for all that there is not."""

from django.urls import path

from memorialization.views import api_description, api_events, api_interactions, api_problems

CONFIGURATION = "configurations/<str:configuration_id>"
INTERACTION = f"{CONFIGURATION}/interactions/<path:contact_id>"

urlpatterns = [
    path("openapi.json", api_description.show_description, name="api_description"),
    path(f"{CONFIGURATION}/events", api_events.receive_events, name="api_events"),
    path(f"{INTERACTION}/records/<str:entity_type>/<str:record_id>", api_interactions.unlink_record, name="api_record"),
    path(f"{INTERACTION}/records", api_interactions.link_record, name="api_records"),
    path(INTERACTION, api_interactions.show_interaction, name="api_interaction"),
    path("<path:rest>", api_problems.unknown_address),
    path("", api_problems.unknown_address),
]
