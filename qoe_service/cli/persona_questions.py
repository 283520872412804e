"""What `qoe personas new` asks about a person, and how it reads the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class Question:
    """One thing to ask for: by which option, in which words, and what is suggested.

    hint: what helps to answer, in lines of its own.
    read: turns an answer into a value; raises `ValueError` for what is no answer.
    """

    key: str
    text: str
    suggested: str | None
    read: Callable[[str], Any]
    hint: str = ""


def questions() -> Iterator[Question]:
    """All there is to ask, in the order of asking."""
    from qoe_service.persona import Experience, Persona, Traits, Viewing
    from qoe_service.persona_writing import TRAIT_MEANINGS

    about = "Who is this, in a sentence or two (judges that read are told the first)"
    yield Question("name", "Name", None, reader(Persona, "name"))
    yield Question("about", about, None, reader(Persona, "about"))
    for trait, (low, high) in TRAIT_MEANINGS.items():
        hint = f"\n{trait.capitalize()}\n  low:  {low}\n  high: {high}"
        yield Question(trait, "  z or %", "0", reader(Traits, trait, score), hint)
    hint = "\nExperience, from 0, none, to 1, a professional"
    for what in ("art", "photography"):
        answer = reader(Experience, what, number)
        yield Question(what, f"  with {what}", _default(Experience, what), answer, hint)
        hint = ""
    hint = "\nLooks at pictures"
    for what, text in (
        ("device", "  on a phone, tablet, laptop, desktop or television"),
        ("situation", "  where, or doing what"),
    ):
        yield Question(what, text, _default(Viewing, what), reader(Viewing, what), hint)
        hint = ""
    patience = reader(Persona, "patience_s", number)
    text, hint = "  a wait begins to annoy after so many seconds", "\nPatience"
    yield Question("patience_s", text, _default(Persona, "patience_s"), patience, hint)


def reader(
    model: type[BaseModel], field: str, parse: Callable[[str], Any] = str.strip
) -> Callable[[str], Any]:
    """Reads what a field of a model may be; `ValueError` says why something may not."""
    from pydantic import TypeAdapter, ValidationError

    info = model.model_fields[field]
    annotated: Any = Annotated[info.annotation, info]
    adapter = TypeAdapter(annotated)

    def read(text: str) -> Any:
        try:
            return adapter.validate_python(parse(text))
        except ValidationError as error:
            raise ValueError(f"{error.errors()[0]['msg']}, got {text.strip()!r}") from None

    return read


def score(text: str) -> float:
    """A z-score, or that of a percentile such as `70%`. Raises `ValueError`."""
    from qoe_service.persona_card import score_at

    stripped = text.strip()
    if not stripped.endswith("%"):
        return number(stripped)
    return round(score_at(number(stripped.removesuffix("%"))), 2)


def number(text: str) -> float:
    """Raises `ValueError`."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"not a number: {text.strip()!r}") from None


def meaning(trait: str, z: float) -> str:
    """What a score will be told as; which adjective, the whole persona decides."""
    from qoe_service.cli.persona_card import percent
    from qoe_service.judges.persona_text import graded, trait_adjectives, trait_level
    from qoe_service.persona_card import percentile

    words = graded(trait_level(z), trait_adjectives()[trait][0])
    return f"{z:+.2f}, {percent(percentile(z))} of people are lower: {words}, or the like"


def _default(model: type[BaseModel], field: str) -> str:
    default = model.model_fields[field].default
    return default if isinstance(default, str) else f"{default:g}"
