"""Every address of the product, app by app (docs/architecture.md names the pages)."""

from django.contrib import admin
from django.urls import include, path
from django.utils.translation import gettext_lazy as _

from crm_integrations.views.accounts import admin_sign_in

admin.site.site_header = admin.site.site_title = _("Agent Integrations: raw tables")

api_urls = [
    path("", include("memorialization.api_urls")),
    path("", include("dynamic_data.api_urls")),
    path("", include("crm_integrations.api.urls")),  # last: it answers for every other address
]
urlpatterns = [
    path("api/v1/", include(api_urls)),  # first, since each event passes here
    path("", include("memorialization.urls")),
    path("", include("dynamic_data.urls")),
    path("", include("crm_integrations.urls")),
    path("admin/login/", admin_sign_in),
    path("admin/", admin.site.urls),
]

handler400 = "crm_integrations.views.errors.bad_request"
handler403 = "crm_integrations.views.errors.permission_denied"
handler404 = "crm_integrations.views.errors.page_not_found"
handler500 = "crm_integrations.views.errors.server_error"
