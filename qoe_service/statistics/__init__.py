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
    from qoe_service.statistics.allocation import Allocation, plan_allocation
    from qoe_service.statistics.anchoring import Anchoring, anchor
    from qoe_service.statistics.comparison import HumanComparison, compare, mapped_onto
    from qoe_service.statistics.consistency import NormalisedAccuracy, normalised_accuracy
    from qoe_service.statistics.control_variate import ControlledOpinions, controlled_opinions
    from qoe_service.statistics.effects import (
        EffectBudget,
        VarianceShares,
        effect_budget,
        variance_shares,
    )
    from qoe_service.statistics.goodness import OpinionShares, opinion_shares
    from qoe_service.statistics.intervals import Interval
    from qoe_service.statistics.mos import bounded_opinion_score, mean_opinion_score
    from qoe_service.statistics.p910 import SubjectModel, subject_model
    from qoe_service.statistics.screening import Screening, screen
    from qoe_service.statistics.sos import SosParameter, sos_parameter
    from qoe_service.statistics.tastes import Tastes, tastes_by_feature, tastes_by_item

__all__ = [
    "AdditiveFit",
    "Allocation",
    "Anchoring",
    "ControlledOpinions",
    "EffectBudget",
    "HumanComparison",
    "Interval",
    "NormalisedAccuracy",
    "OpinionShares",
    "Screening",
    "SosParameter",
    "SubjectModel",
    "Tastes",
    "VarianceShares",
    "anchor",
    "bounded_opinion_score",
    "compare",
    "controlled_opinions",
    "effect_budget",
    "fit_additive",
    "mapped_onto",
    "mean_opinion_score",
    "normalised_accuracy",
    "opinion_shares",
    "plan_allocation",
    "screen",
    "sos_parameter",
    "subject_model",
    "tastes_by_feature",
    "tastes_by_item",
    "variance_shares",
]

_HOMES = {
    "AdditiveFit": "additive",
    "Allocation": "allocation",
    "Anchoring": "anchoring",
    "ControlledOpinions": "control_variate",
    "EffectBudget": "effects",
    "HumanComparison": "comparison",
    "Interval": "intervals",
    "NormalisedAccuracy": "consistency",
    "OpinionShares": "goodness",
    "Screening": "screening",
    "SosParameter": "sos",
    "SubjectModel": "p910",
    "Tastes": "tastes",
    "VarianceShares": "effects",
    "anchor": "anchoring",
    "bounded_opinion_score": "mos",
    "compare": "comparison",
    "controlled_opinions": "control_variate",
    "effect_budget": "effects",
    "fit_additive": "additive",
    "mapped_onto": "comparison",
    "mean_opinion_score": "mos",
    "normalised_accuracy": "consistency",
    "opinion_shares": "goodness",
    "plan_allocation": "allocation",
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
