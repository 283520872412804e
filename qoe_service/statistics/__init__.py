"""Statistics of opinions: what ratings of items by raters say, and how sure that is.

Tables of ratings are float arrays (items I, raters R) on the 1-5 scale, NaN where a rater did not
rate an item; results keep that order. What ratings cannot answer is refused (`UnusableRatings`).
Functions that resample draw from the generator they are given.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qoe_service.statistics.additive import AdditiveFit, fit_additive
    from qoe_service.statistics.effects import VarianceShares, variance_shares
    from qoe_service.statistics.goodness import OpinionShares, opinion_shares
    from qoe_service.statistics.intervals import Interval
    from qoe_service.statistics.mos import bounded_opinion_score, mean_opinion_score
    from qoe_service.statistics.p910 import SubjectModel, subject_model
    from qoe_service.statistics.screening import Screening, screen
    from qoe_service.statistics.sos import SosParameter, sos_parameter
    from qoe_service.statistics.tastes import Tastes, tastes_by_feature, tastes_by_item

__all__ = [
    "AdditiveFit",
    "Interval",
    "OpinionShares",
    "Screening",
    "SosParameter",
    "SubjectModel",
    "Tastes",
    "VarianceShares",
    "bounded_opinion_score",
    "fit_additive",
    "mean_opinion_score",
    "opinion_shares",
    "screen",
    "sos_parameter",
    "subject_model",
    "tastes_by_feature",
    "tastes_by_item",
    "variance_shares",
]

_HOMES = {
    "AdditiveFit": "additive",
    "Interval": "intervals",
    "OpinionShares": "goodness",
    "Screening": "screening",
    "SosParameter": "sos",
    "SubjectModel": "p910",
    "Tastes": "tastes",
    "VarianceShares": "effects",
    "bounded_opinion_score": "mos",
    "fit_additive": "additive",
    "mean_opinion_score": "mos",
    "opinion_shares": "goodness",
    "screen": "screening",
    "sos_parameter": "sos",
    "subject_model": "p910",
    "tastes_by_feature": "tastes",
    "tastes_by_item": "tastes",
    "variance_shares": "effects",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the mean of a panel needs little of all this."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
