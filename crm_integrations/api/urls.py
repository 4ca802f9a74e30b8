"""Addresses of the API that belong to no app above, under /api/v1/. The last one answers for all that there is not."""

from django.urls import path

from crm_integrations.api import description, problems, workflows

urlpatterns = [
    path("openapi.json", description.show_description, name="api_description"),
    path("configurations/<str:configuration_id>/workflows/<str:workflow>", workflows.run, name="api_workflow"),
    path("<path:rest>", problems.unknown_address),
    path("", problems.unknown_address),
]
