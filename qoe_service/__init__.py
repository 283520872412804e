"""The QoE service: a panel of personas says how good the experience of a picture is.

    from qoe_service import QoEClient, Scorer

`QoEClient` asks a server over HTTP, `Scorer` is the same thing in process, with the same methods.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qoe_service.client import AsyncQoEClient, QoEClient
    from qoe_service.scoring import Scorer
    from qoe_service.settings import Settings

__all__ = ["AsyncQoEClient", "QoEClient", "Scorer", "Settings"]

_HOMES = {
    "AsyncQoEClient": "qoe_service.client",
    "QoEClient": "qoe_service.client",
    "Scorer": "qoe_service.scoring",
    "Settings": "qoe_service.settings",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `qoe --help` stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
