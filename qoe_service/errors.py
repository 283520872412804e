"""What can go wrong before anything is judged.

QoEError
├── BadImage               one picture cannot be judged: a status for that item alone
├── PersonaFileError       a persona file is wrong: file, line, column, key
├── PromptFileError        a template is wrong: file, line (in `prompt_files`)
├── ItemFileError          a list of pictures is wrong: file, line (in `item_files`)
├── TierMapFileError       the file of tier maps is damaged (in `judges.tier_map_file`)
├── InterviewFileError     the file of interviews is damaged (in `interview.stored`)
├── InstrumentError        a questionnaire is not there, or gives itself away (in `interview`)
├── OtherPortrait          a judge and its interview describe personas differently (likewise)
├── NotToBeInterviewed     a judge has no language (likewise)
├── NotComparable          one judge cannot be told on another's scale (in `judges.tier_map`)
├── CallFailed, OverBudget a model gave no usable answer, or may not be asked (in `provider`)
├── JudgeUnavailable       a judge could not be loaded, or failed while judging
├── Overloaded             nobody can answer in time; HTTP answers 429 with Retry-After
├── UnusableRecord         a run's record cannot be written or read: file, line
├── RatingsFileError       a table of ratings is wrong: file, line, column (in `ratings`)
├── UnusableRatings        ratings cannot answer what is asked of them
└── RequestError           the request is wrong as a whole: HTTP answers 4xx
    ├── DuplicateId
    ├── TooManyItems
    ├── PanelTooLarge
    ├── UnknownPopulation
    ├── UnknownTier
    ├── BadRatings         the ratings sent are no table, or nothing can be said of them
    ├── NoRecord           a replay has no verdict on what is asked
    └── BadStack
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from qoe_service.personas import Persona


class QoEError(Exception):
    """The root of every error this package raises on purpose."""


class BadImage(QoEError):
    """These bytes are not a picture that can be judged; the text says why and what to send."""


@dataclass(frozen=True)
class Place:
    """Where something stands. Lines and columns count from 1."""

    source: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True)
class PersonaProblem:
    """One thing that is wrong with one persona file. Lines and columns count from 1."""

    source: str
    line: int
    column: int
    message: str
    included_by: tuple[Place, ...] = ()
    """The includes that lead from the persona file to here, the nearest first."""

    def __str__(self) -> str:
        chain = "".join(f", included by {place}" for place in self.included_by)
        return f"{self.source}:{self.line}:{self.column}: {self.message}{chain}"

    @property
    def file(self) -> str:
        """The persona file that is wrong because of this."""
        return self.included_by[-1].source if self.included_by else self.source


class PersonaFileError(QoEError):
    """Persona files are wrong; every problem of every file is told at once.

    `valid` are the personas of the files that are right.
    """

    def __init__(self, problems: Sequence[PersonaProblem], valid: Sequence[Persona] = ()) -> None:
        self.problems = tuple(problems)
        self.valid = tuple(valid)
        super().__init__("\n".join(str(problem) for problem in problems))

    @property
    def files(self) -> frozenset[str]:
        """The names of the wrong files without their ending: the ids they should hold."""
        return frozenset(PurePath(problem.file).stem for problem in self.problems)


class JudgeUnavailable(QoEError):
    """A judge cannot give opinions now; the text says why."""


class Overloaded(QoEError):
    """Too much is waiting for a request to be answered in time; it was not queued.

    retry_after_s: when it may be worth asking again.
    """

    def __init__(self, reason: str, retry_after_s: float = 1.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class UnusableRecord(QoEError):
    """A record of judgments cannot be written or read; the text says which file, and why."""


class UnusableRatings(QoEError, ValueError):
    """These ratings cannot answer what is asked; the text says why, and what would."""


class RequestError(QoEError):
    """The request cannot be answered at all. `code` names the kind for programs."""

    code: ClassVar[str] = "bad-request"


class DuplicateId(RequestError):
    """Two items, or two personas, of one request bear the same id."""

    code = "duplicate-id"


class TooManyItems(RequestError):
    """More items than one request may hold."""

    code = "too-many-items"


class PanelTooLarge(RequestError):
    """A panel of more personas than there are, or than can stand for their population."""

    code = "panel-too-large"


class UnknownPopulation(RequestError):
    """There is no population of this name."""

    code = "unknown-population"


class UnknownTier(RequestError):
    """The tier asked for is not on this service's ladder."""

    code = "unknown-tier"


class NoRecord(RequestError):
    """The record that is replayed has no verdict on what is asked; the text says what to do."""

    code = "no-record"


class BadRatings(RequestError):
    """The ratings sent are no table of items by raters, or nothing at all can be said of them."""

    code = "bad-ratings"


class BadStack(RequestError):
    """The stack of pictures is not uint8 (N, H, W, 3), or does not match its prompts."""

    code = "bad-stack"
