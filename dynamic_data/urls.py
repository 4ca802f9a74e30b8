"""Addresses of dynamic data."""

from django.urls import URLPattern, URLResolver, include, path

from dynamic_data.views import mapping_editor, mappings

mapping_urls: list[URLPattern | URLResolver] = [
    path("", mappings.list_mappings, name="dynamic_mapping_list"),
    path("new/", mapping_editor.create, name="dynamic_mapping_create"),
    path("<int:mapping_id>/", mapping_editor.edit, name="dynamic_mapping_edit"),
    path("<int:mapping_id>/active/", mappings.switch, name="dynamic_mapping_switch"),
    path("<int:mapping_id>/duplicate/", mappings.duplicate, name="dynamic_mapping_duplicate"),
    path("<int:mapping_id>/delete/", mappings.delete, name="dynamic_mapping_delete"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("configurations/<uuid:pk>/dynamic-data/", include(mapping_urls)),
]
