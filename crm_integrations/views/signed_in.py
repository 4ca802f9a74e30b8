"""The type of a request behind `views.access.requires`: somebody has signed in."""

from django.http import HttpRequest

from crm_integrations.models import User


class SignedInRequest(HttpRequest):
    """For annotations alone; Django never makes one."""

    user: User
