"""The request as views behind `access.requires` see it: somebody has signed in."""

from django.http import HttpRequest

from crm_integrations.models import User


class SignedInRequest(HttpRequest):
    """For annotations only: `user` is a person, never the anonymous one."""

    user: User
