"""Statistics of opinions: what ratings of items by raters say, and how sure that is.

Tables of ratings are float arrays (items I, raters R) on the 1-5 scale, NaN where a rater did not
rate an item; results keep that order. What ratings cannot answer is refused (`UnusableRatings`).
Functions that resample draw from the generator they are given.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qoe_service.statistics.effects import VarianceShares, variance_shares
    from qoe_service.statistics.goodness import OpinionShares, opinion_shares
    from qoe_service.statistics.intervals import Interval
    from qoe_service.statistics.mos import bounded_opinion_score, mean_opinion_score
    from qoe_service.statistics.sos import SosParameter, sos_parameter

__all__ = [
    "Interval",
    "OpinionShares",
    "SosParameter",
    "VarianceShares",
    "bounded_opinion_score",
    "mean_opinion_score",
    "opinion_shares",
    "sos_parameter",
    "variance_shares",
]

_HOMES = {
    "Interval": "intervals",
    "OpinionShares": "goodness",
    "SosParameter": "sos",
    "VarianceShares": "effects",
    "bounded_opinion_score": "mos",
    "mean_opinion_score": "mos",
    "opinion_shares": "goodness",
    "sos_parameter": "sos",
    "variance_shares": "effects",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the mean of a panel needs little of all this."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
