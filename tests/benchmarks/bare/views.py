"""The yardsticks: a Django view that parses a body and inserts one row, one that reads a row, and nothing else."""

import json

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from tests.benchmarks.bare.models import BareEvent


@csrf_exempt
def insert_row(request: HttpRequest) -> JsonResponse:
    """201 once the row is committed."""
    body = json.loads(request.body)
    row = BareEvent.objects.create(event_id=body["eventId"], body=body)
    return JsonResponse({"id": row.pk}, status=201)


def read_row(request: HttpRequest, pk: int) -> JsonResponse:
    """200 with what one SELECT found."""
    row = BareEvent.objects.get(pk=pk)
    return JsonResponse({"id": row.pk, "body": row.body})
