"""The yardstick of the intake figures: a Django view that parses a body and inserts one row, and nothing else."""

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
