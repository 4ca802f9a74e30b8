"""What a form is bound to: the posted data, even when nothing was filled in; nothing at all on other methods."""

from django.http import HttpRequest, QueryDict


def posted_data(request: HttpRequest) -> QueryDict | None:
    """The first argument of a form."""
    return request.POST if request.method == "POST" else None
