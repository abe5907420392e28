"""Async Python client of the MXAccess Gateway.

Importing this package starts nothing, reads no environment variable and needs neither pandas nor a notebook; the
frames, the notebook tools and the simulated gateway are sub packages.
"""

from ._version import __version__
from .browsing import LazyBrowseNode
from .client import GatewayClient
from .errors import (
    GalaxyChangedError,
    GalaxyError,
    GalaxyNotFoundError,
    MxAccessError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewayLimitError,
    MxGatewayReplayGapError,
    MxGatewaySessionError,
    MxGatewayTimeoutError,
    MxGatewayTlsError,
    MxGatewayTransportError,
    MxGatewayWorkerError,
)
from .galaxy import GalaxyRepositoryClient
from .generated.galaxy_repository_pb2 import DeployEvent
from .options import ClientOptions, OpenSessionOptions
from .session import Session
from .values import MxValueInput, SparseArray, from_mx_value, to_mx_value
from .writes import WriteCompletion

__all__ = [
    # Clients
    "GatewayClient",
    "Session",
    "GalaxyRepositoryClient",
    "LazyBrowseNode",
    # Options
    "ClientOptions",
    "OpenSessionOptions",
    # Values
    "MxValueInput",
    "SparseArray",
    "from_mx_value",
    "to_mx_value",
    "WriteCompletion",
    # Messages
    "DeployEvent",
    # Errors
    "GalaxyChangedError",
    "GalaxyError",
    "GalaxyNotFoundError",
    "MxAccessError",
    "MxGatewayAuthenticationError",
    "MxGatewayAuthorizationError",
    "MxGatewayCommandError",
    "MxGatewayError",
    "MxGatewayLimitError",
    "MxGatewayReplayGapError",
    "MxGatewaySessionError",
    "MxGatewayTimeoutError",
    "MxGatewayTlsError",
    "MxGatewayTransportError",
    "MxGatewayWorkerError",
    "__version__",
]
