"""Addresses of data memorialization."""

from django.urls import URLPattern, URLResolver, include, path

from memorialization.account_urls import account_urls
from memorialization.ledger_urls import ledger_urls
from memorialization.views import mapping_editor, mappings, record_matching

mapping_urls: list[URLPattern | URLResolver] = [
    path("", mappings.list_mappings, name="memorialization_mapping_list"),
    path("new/", mapping_editor.create, name="memorialization_mapping_create"),
    path("<int:mapping_id>/", mapping_editor.edit, name="memorialization_mapping_edit"),
    path("<int:mapping_id>/versions/", mappings.show_versions, name="memorialization_mapping_versions"),
    path("<int:mapping_id>/active/", mappings.switch, name="memorialization_mapping_switch"),
    path("<int:mapping_id>/duplicate/", mappings.duplicate, name="memorialization_mapping_duplicate"),
    path("<int:mapping_id>/delete/", mappings.delete, name="memorialization_mapping_delete"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("configurations/<uuid:pk>/data-memorialization/", include(mapping_urls)),
    path("configurations/<uuid:pk>/record-matching/", record_matching.show_rules, name="record_matching"),
    *ledger_urls,
    *account_urls,
]
