"""Addresses of Administration › CRM accounts."""

from django.urls import URLPattern, URLResolver, path

from memorialization.views import accounts

account_urls: list[URLPattern | URLResolver] = [
    path("administration/accounts/", accounts.list_accounts, name="account_list"),
    path("administration/accounts/live/", accounts.show_list_live, name="account_list_live"),
    path("administration/accounts/<int:pk>/", accounts.show_account, name="account_detail"),
    path("administration/accounts/<int:pk>/live/", accounts.show_account_live, name="account_live"),
    path("administration/accounts/<int:pk>/charts/", accounts.show_account_charts, name="account_charts"),
]
