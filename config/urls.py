"""Every address of the product, app by app (docs/architecture.md names the pages)."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("crm_integrations.urls")),
    path("", include("memorialization.urls")),
    path("admin/", admin.site.urls),
]
