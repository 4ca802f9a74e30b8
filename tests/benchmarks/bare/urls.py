"""The product's addresses, and the bare view beside them."""

from django.urls import include, path

from tests.benchmarks.bare.views import insert_row, read_row

urlpatterns = [
    path("bare", insert_row),
    path("plain", insert_row),
    path("bare/<int:pk>", read_row),
    path("", include("config.urls")),
]
handler400 = "crm_integrations.views.errors.bad_request"
handler403 = "crm_integrations.views.errors.permission_denied"
handler404 = "crm_integrations.views.errors.page_not_found"
handler500 = "crm_integrations.views.errors.server_error"
