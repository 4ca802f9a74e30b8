"""Addresses of the core."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from crm_integrations.views import (
    accounts,
    administration,
    authentication_removal,
    authentications,
    authorization,
    configuration_files,
    configuration_restoration,
    configuration_settings,
    configuration_states,
    configurations,
    health,
    intake_keys,
    set_up,
)

configuration_urls: list[URLPattern | URLResolver] = [
    path("", configurations.show_configuration, name="configuration_detail"),
    path("setup/", set_up.set_up_configuration, name="configuration_setup"),
    path("export/", configuration_files.download, name="configuration_export"),
    path("settings/", configuration_settings.change_settings, name="configuration_settings"),
    path("authentication/", authentications.show_window, name="configuration_authentication"),
    path("authentication/select/", authentications.select_account, name="configuration_select_account"),
    path("authentication/new/", authentications.create_authentication, name="configuration_new_authentication"),
    path("authentication/address/", authentications.show_address, name="configuration_account_address"),
    path("authentication/rights/", authentications.show_rights, name="configuration_rights"),
    path("authentication/domain/", authentications.ask_external_domain, name="configuration_external_domain"),
    path("reauthenticate/", authorization.reauthenticate, name="configuration_reauthenticate"),
    path("reauthenticate/confirm/", authorization.confirm_system_user, name="configuration_confirm_user"),
    path("check-rights/", authorization.check_rights, name="configuration_check_rights"),
    path("deactivate/", configuration_states.deactivate, name="configuration_deactivate"),
    path("reactivate/", configuration_states.reactivate, name="configuration_reactivate"),
    path("delete/", configuration_states.delete, name="configuration_delete"),
    path("restore/", configuration_restoration.restore, name="configuration_restore"),
    path("keys/new/", intake_keys.create, name="intake_key_create"),
    path("keys/<int:key_id>/", intake_keys.show_new_key, name="intake_key_new"),
    path("keys/<int:key_id>/rotate/", intake_keys.rotate, name="intake_key_rotate"),
    path("keys/<int:key_id>/revoke/", intake_keys.revoke, name="intake_key_revoke"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", accounts.start, name="start"),
    path("accounts/login/", accounts.SignInView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/password/", accounts.PasswordView.as_view(), name="password_change"),
    path("preferences/", accounts.preferences, name="preferences"),
    path("configurations/", configurations.list_configurations, name="configuration_list"),
    path("configurations/new/", set_up.create_configuration, name="configuration_create"),
    path("configurations/import/", configuration_files.upload, name="configuration_import"),
    path("configurations/deleted/", configuration_restoration.list_deleted, name="configuration_deleted_list"),
    path("configurations/<uuid:pk>/", include(configuration_urls)),
    path("administration/", administration.start, name="administration"),
    path(
        "administration/authentications/<int:pk>/remove/", authentication_removal.remove, name="authentication_remove"
    ),
    path("oauth/callback/", authorization.return_from_consent, name="authorization_callback"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]
