"""Addresses of dynamic data."""

from django.urls import URLPattern, URLResolver, include, path

from dynamic_data.views import card_page, mapping_editor, mappings, preview

mapping_urls: list[URLPattern | URLResolver] = [
    path("", mappings.list_mappings, name="dynamic_mapping_list"),
    path("preview/", preview.show, name="customer_card_preview"),
    path("new/", mapping_editor.create, name="dynamic_mapping_create"),
    path("<int:mapping_id>/", mapping_editor.edit, name="dynamic_mapping_edit"),
    path("<int:mapping_id>/active/", mappings.switch, name="dynamic_mapping_switch"),
    path("<int:mapping_id>/duplicate/", mappings.duplicate, name="dynamic_mapping_duplicate"),
    path("<int:mapping_id>/delete/", mappings.delete, name="dynamic_mapping_delete"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("configurations/<uuid:pk>/dynamic-data/", include(mapping_urls)),
    path("card/<str:signed>/", card_page.show, name="customer_card"),
    path("card/<str:signed>/records/", card_page.link, name="customer_card_link"),
]
