"""Tables of data memorialization, one module per noun."""

from memorialization.models.bulk_writes import BulkWrite, DeliveryMinute
from memorialization.models.deliveries import Attempt, Delivery
from memorialization.models.events import Contact, InteractionEvent
from memorialization.models.heartbeats import Heartbeat
from memorialization.models.interactions import Interaction
from memorialization.models.lanes import FieldMark, RecordLane
from memorialization.models.mappings import MappedEntity, MappedField, MappingVersion, MemorializationMapping
from memorialization.models.replay_runs import ReplayRun, ReplayStep

__all__ = [
    "Attempt",
    "BulkWrite",
    "Contact",
    "Delivery",
    "DeliveryMinute",
    "FieldMark",
    "Heartbeat",
    "Interaction",
    "InteractionEvent",
    "MappedEntity",
    "MappedField",
    "MappingVersion",
    "MemorializationMapping",
    "RecordLane",
    "ReplayRun",
    "ReplayStep",
]
