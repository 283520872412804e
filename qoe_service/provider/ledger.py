"""What every run has spent, by all processes that share a folder."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from qoe_service.provider.day_files import Reader, Writer, day_of, sum_up
from qoe_service.provider.spending import Entry, Spending

logger = logging.getLogger(__name__)


class Ledger:
    """Takes entries and adds up those of a run, whoever wrote them. Thread-safe.

    Args:
        folder: kept in memory alone if there is none.
        wall_clock: seconds since 1970.
    """

    def __init__(
        self, folder: Path | None = None, *, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._folder, self._wall_clock = folder, wall_clock
        self._lock = threading.Lock()
        self._writer = None if folder is None else Writer(folder)
        self._reader = None if folder is None else Reader(folder)
        self._sums: dict[str, Spending] = {}
        self._summed_up_on: date | None = None

    def append(self, run: str, model: str, spending: Spending) -> None:
        """Write down what was spent now; a disk that fails is logged and costs only the writing."""
        entry = Entry(run, model, spending, self._wall_clock())
        with self._lock:
            if not self._is_written(entry):  # else it is read again with what others wrote
                self._count(entry)

    def spent(self, run: str) -> Spending:
        """What a run has spent so far."""
        with self._lock:
            self._catch_up()
            return self._sums.get(run, Spending())

    def catch_up(self) -> None:
        """Read what was written so far, so that nobody has to wait for it later."""
        with self._lock:
            self._catch_up()

    def close(self) -> None:
        """Close the file; another entry opens it again."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()

    def _catch_up(self) -> None:
        if self._reader is not None:
            for entry in self._reader.news(self._today()):
                self._count(entry)

    def _today(self) -> date:
        return day_of(self._wall_clock())

    def _is_written(self, entry: Entry) -> bool:
        if self._folder is None or self._writer is None:
            return False
        try:
            self._writer.write(entry)
        except OSError as error:
            logger.warning("the ledger in %s could not be written: %s", self._folder, error)
            return False
        if self._summed_up_on != day_of(entry.at_s):  # once a day, by whoever writes
            self._summed_up_on = day_of(entry.at_s)
            threading.Thread(
                target=_sum_up,
                args=(self._folder, self._summed_up_on),
                name="ledger-summing",
                daemon=True,
            ).start()
        return True

    def _count(self, entry: Entry) -> None:
        self._sums[entry.run] = self._sums.get(entry.run, Spending()) + entry.spending


def _sum_up(folder: Path, today: date) -> None:
    try:
        sum_up(folder, today)
    except OSError as error:
        logger.warning("the ledger in %s could not be summed up: %s", folder, error)
