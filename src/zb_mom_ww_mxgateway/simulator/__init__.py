"""An embedded, simulated MXAccess Gateway: a real gRPC server over a generated plant.

The same code runs with and without a plant: connect to `SimulatedGateway().endpoint` instead of a gateway's.
"""

from .clock import Clock, VirtualClock, WallClock
from .gateway_limits import Limits
from .generate import PlantSpec, generate_plant
from .keys import ALL_SCOPES, ApiKey
from .model import AlarmSpec, Attribute, Category, DataType, PlantObject, Sample, Security, Signal, Tag
from .plant import Plant
from .server import SimulatedGateway

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
    "generate_plant",
]
