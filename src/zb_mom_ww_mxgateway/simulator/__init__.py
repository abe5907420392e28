"""An embedded, simulated MXAccess Gateway: a real gRPC server over a generated plant.

The same code runs with and without a plant: connect to `SimulatedGateway().endpoint` instead of a gateway's.
"""

from .clock import Clock, VirtualClock, WallClock
from .faults import (
    AlarmFailover,
    DelayReplies,
    DropStream,
    Fault,
    FaultSession,
    MalformedReply,
    OverflowSubscriber,
    RefuseAcknowledge,
    RefuseKey,
    Restart,
    SkipSequence,
    StallStream,
    TimeoutCommand,
    UnknownEnum,
    UnknownField,
    parse_fault,
)
from .gateway_limits import Limits
from .generate import PlantSpec, generate_plant
from .keys import ALL_SCOPES, ApiKey
from .model import AlarmSpec, Attribute, Category, DataType, PlantObject, Sample, Security, Signal, Tag
from .plant import Plant
from .server import SimulatedGateway
from .writing import Written

__all__ = [
    "SimulatedGateway",
    "Limits",
    # Time
    "Clock",
    "VirtualClock",
    "WallClock",
    # Access
    "ALL_SCOPES",
    "ApiKey",
    # Faults
    "AlarmFailover",
    "DelayReplies",
    "DropStream",
    "Fault",
    "FaultSession",
    "MalformedReply",
    "OverflowSubscriber",
    "RefuseAcknowledge",
    "RefuseKey",
    "Restart",
    "SkipSequence",
    "StallStream",
    "TimeoutCommand",
    "UnknownEnum",
    "UnknownField",
    "parse_fault",
    # The plant
    "AlarmSpec",
    "Attribute",
    "Category",
    "DataType",
    "Plant",
    "PlantObject",
    "PlantSpec",
    "Sample",
    "Security",
    "Signal",
    "Tag",
    "Written",
    "generate_plant",
]
