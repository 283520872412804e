"""Tokens and money per run, with a hard stop.

A call reserves what it may cost before it is made and settles what it did cost afterwards, so that
calls in flight together cannot overshoot by more than their estimates were wrong. What other
processes spend counts as soon as their ledger has it; what they have in flight is not known here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from qoe_service.errors import QoEError
from qoe_service.provider import CallFailed, FailureKind, Question, Usage
from qoe_service.provider.ledger import Ledger
from qoe_service.provider.spending import Spending

CHARACTERS_PER_TOKEN = 3
"""Few, so that a text costs rather less than estimated: English has about four."""
TOKENS_PER_PICTURE = 1_000
"""Far too many for small pictures; hosted models charge 85 to 2,833 for one."""

MAY_BE_BILLED = frozenset({FailureKind.SLOW, FailureKind.UNREADABLE})
"""Failures in which the model probably worked, though nobody said what it cost."""


class OverBudget(QoEError):
    """A run has no tokens or no money left for another call."""

    def __init__(self, run: str, reason: str) -> None:
        super().__init__(reason)
        self.run, self.reason = run, reason


@dataclass(frozen=True)
class Tariff:
    """What a model's tokens cost, per million."""

    model: str
    input_per_million: float = 0.0
    output_per_million: float = 0.0

    def cost(self, usage: Usage) -> float:
        """In money."""
        per_input, per_output = self.input_per_million, self.output_per_million
        return (usage.input_tokens * per_input + usage.output_tokens * per_output) / 1e6


def rough_usage(question: Question, output_tokens: int = 64) -> Usage:
    """An upper estimate of what a question costs, from its length."""
    characters = len(question.system) + len(question.user) + len(question.schema or "")
    pictures = TOKENS_PER_PICTURE * len(question.pictures)
    return Usage(characters // CHARACTERS_PER_TOKEN + 1 + pictures, output_tokens)


class Budget:
    """What every run may spend, and has. Thread-safe: judges may share one.

    Args:
        limit_tokens: per run, in and out together; `None` for no limit.
        limit_cost: per run, in the currency of the tariffs; `None` for no limit.
        ledger: where spending is written down; what it holds already counts.
    """

    def __init__(
        self,
        *,
        limit_tokens: int | None = None,
        limit_cost: float | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self._limit_tokens = float("inf") if limit_tokens is None else limit_tokens
        self._limit_cost = float("inf") if limit_cost is None else limit_cost
        self._limited = limit_tokens is not None or limit_cost is not None
        self._ledger = ledger or Ledger()
        self._lock = threading.Lock()
        self._reserved: dict[str, Spending] = {}
        if self._limited:
            self._ledger.catch_up()

    def spent(self, run: str) -> Spending:
        """What a run has spent, without what is reserved."""
        return self._ledger.spent(run)

    def reserved(self, run: str) -> Spending:
        """What a run's calls in flight may cost."""
        return self._reserved.get(run, Spending())

    def check(self, run: str, tariff: Tariff) -> None:
        """Raises `OverBudget` if a run has nothing left for any call."""
        if self._limited:
            spent = self.spent(run)
            if spent.tokens >= self._limit_tokens or spent.cost >= self._limit_cost:
                self._refuse(run, tariff)

    def close(self) -> None:
        """Close the ledger's file. Safe to call twice."""
        self._ledger.close()

    @contextmanager
    def reservation(self, run: str, estimate: Usage, tariff: Tariff) -> Iterator[Reservation]:
        """Around a call; without `settle`, what it cost is taken from how it failed.

        Raises:
            OverBudget: if the estimate does not fit into what is left.
        """
        most = Spending(1, estimate.input_tokens, estimate.output_tokens, tariff.cost(estimate))
        if not self._is_reserved(run, most):
            self._refuse(run, tariff)
        reservation = Reservation(estimate)
        try:
            yield reservation
        except CallFailed as failure:
            reservation.settle_failure(failure)
            raise
        except asyncio.CancelledError:
            reservation.settle_unknown()
            raise
        finally:
            self._settle(run, tariff, most, reservation)

    def _is_reserved(self, run: str, most: Spending) -> bool:
        with self._lock:
            reserved = self.reserved(run)
            if self._limited:
                total = self.spent(run) + reserved + most
                if total.tokens > self._limit_tokens or total.cost > self._limit_cost:
                    return False
            self._reserved[run] = reserved + most
            return True

    def _settle(self, run: str, tariff: Tariff, most: Spending, reservation: Reservation) -> None:
        with self._lock:
            reserved = self._reserved.pop(run) - most
            if reserved.calls:
                self._reserved[run] = reserved
            usage = reservation.usage
            if usage is not None:
                tokens = usage.input_tokens, usage.output_tokens
                estimated = int(reservation.estimated)
                spending = Spending(1, *tokens, tariff.cost(usage), estimated)
                self._ledger.append(run, tariff.model, spending)

    def _refuse(self, run: str, tariff: Tariff) -> NoReturn:
        spent = self.spent(run)
        self._ledger.append(run, tariff.model, Spending(refused=1))
        raise OverBudget(
            run,
            f"run {run!r} has spent {spent.tokens} tokens and {spent.cost:.4f} in {spent.calls} "
            f"calls and another call may not fit its budget ({self._limits}); raise the limit or "
            "begin another run",
        )

    @property
    def _limits(self) -> str:
        limits = []
        if self._limit_tokens != float("inf"):
            limits.append(f"{self._limit_tokens} tokens")
        if self._limit_cost != float("inf"):
            limits.append(f"{self._limit_cost:.4f} in money")
        return " and ".join(limits)


class Reservation:
    """What one call may cost, until it is known what it did."""

    def __init__(self, estimate: Usage) -> None:
        self._estimate = estimate
        self.usage: Usage | None = None
        self.estimated = False

    def settle(self, usage: Usage) -> None:
        """The call cost this; a model that does not say (no tokens at all) costs the estimate."""
        if _tokens(usage) == 0:
            self.settle_unknown()
        else:
            self.usage = usage

    def settle_unknown(self) -> None:
        """Nobody knows what the call cost; unless it was settled, it is the estimate."""
        if self.usage is None:
            self.usage, self.estimated = self._estimate, True

    def settle_failure(self, failure: CallFailed) -> None:
        """The call failed; unless it was settled, it cost what the failure says."""
        if self.usage is None:
            if failure.usage is not None:
                self.settle(failure.usage)
            elif failure.kind in MAY_BE_BILLED:
                self.settle_unknown()


def _tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.output_tokens
