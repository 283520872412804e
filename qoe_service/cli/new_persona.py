"""`qoe personas new`: a persona from options, or from a conversation about what they leave open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qoe_service.cli.persona_questions import Question, meaning, questions, reader
from qoe_service.cli.shell import ExitCode, errors_explained, fail, show

if TYPE_CHECKING:
    from qoe_service.persona import Persona

Trait = Annotated[
    str | None,
    typer.Option(metavar="Z|%", help="A z-score from -4 to 4, or a percentile such as 70%."),
]


def new_persona(
    persona_id: Annotated[str, typer.Argument(metavar="ID", help="Also the file's name.")],
    name: Annotated[str | None, typer.Option(help="How the person is called.")] = None,
    about: Annotated[str | None, typer.Option(help="Who this is, in a sentence or two.")] = None,
    openness: Trait = None,
    conscientiousness: Trait = None,
    extraversion: Trait = None,
    agreeableness: Trait = None,
    neuroticism: Trait = None,
    art: Annotated[str | None, typer.Option(help="Experience with it, from 0 to 1.")] = None,
    photography: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    device: Annotated[str | None, typer.Option(help="On what pictures are looked at.")] = None,
    situation: Annotated[str | None, typer.Option(help="Where, or doing what.")] = None,
    patience_s: Annotated[str | None, typer.Option(help="The wait that begins to annoy.")] = None,
    norm: Annotated[
        str, typer.Option(help="The people that the traits are relative to.")
    ] = "sapa-bfi25-adults",
    folder: Annotated[Path | None, typer.Option(help="Default: QOE_PERSONAS, or here.")] = None,
) -> None:
    """Write a new persona file with comments.

    Without --name, --about or one of the traits you are asked for all that is not given, and are
    shown the persona before it is written; with them, what is not given has its default.
    """
    from qoe_service.persona import TRAITS
    from qoe_service.persona_files import load_persona
    from qoe_service.persona_writing import write_persona
    from qoe_service.settings import Settings

    given = {
        "name": name, "about": about, "openness": openness, "conscientiousness": conscientiousness,
        "extraversion": extraversion, "agreeableness": agreeableness, "neuroticism": neuroticism,
        "art": art, "photography": photography, "device": device, "situation": situation,
        "patience_s": patience_s,
    }  # fmt: skip
    options = {key: said for key, said in given.items() if said is not None}
    conversation = not options.keys() >= {"name", "about", *TRAITS}
    with errors_explained():
        place = folder or Settings().personas or Path()
        file = _free_file(persona_id, place)
        _check_norm(norm)
        answers = _said(options) | (_asked(options) if conversation else {})
        persona = _persona(persona_id, norm, answers)
        if conversation:
            _let_confirm(persona, file)
        load_persona(write_persona(persona, place))
    typer.echo(f"wrote {file}, and it is right. Next:")
    for command in _next_commands(persona_id, file):
        typer.echo(f"  {command}")


def _free_file(persona_id: str, folder: Path) -> Path:
    from qoe_service.persona import ID_PATTERN

    if not re.fullmatch(ID_PATTERN, persona_id):
        rule = "lower-case letters, digits and hyphens, a letter first, 64 at most"
        fail(f"{persona_id!r} is no id: {rule}", ExitCode.WRONG_CALL)
    file = folder / f"{persona_id}.yaml"
    if file.exists():
        fail(f"{file} exists; edit it, or choose another id", ExitCode.WRONG_CALL)
    return file


def _check_norm(norm: str) -> None:
    from qoe_service.persona import Persona

    try:
        reader(Persona, "norm")(norm)
    except ValueError as error:
        fail(f"--norm: {error}", ExitCode.WRONG_CALL)


def _said(options: Mapping[str, str]) -> dict[str, Any]:
    """What the options say."""
    answers = {}
    for question in questions():
        if question.key in options:
            try:
                answers[question.key] = question.read(options[question.key])
            except ValueError as error:
                option = question.key.replace("_", "-")
                fail(f"--{option}: {error}", ExitCode.WRONG_CALL)
    return answers


def _asked(options: Mapping[str, str]) -> dict[str, Any]:
    """What the options leave open, as answered."""
    from qoe_service.persona import TRAITS

    typer.echo("What stands in brackets is taken if you press Enter.")
    typer.echo("A trait is a z-score: 0 is average, and two thirds of people are within -1 and 1.")
    typer.echo("Or say, as in 70%, how many of 100 people are lower.\n")
    answers = {}
    for question in questions():
        if question.key not in options:
            answers[question.key] = _answer(question)
            if question.key in TRAITS:
                typer.echo(f"  {meaning(question.key, answers[question.key])}")
    return answers


def _answer(question: Question) -> Any:
    """Asked again until it is an answer."""

    def read(text: str) -> Any:
        try:
            return question.read(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    if question.hint:
        typer.echo(question.hint)
    return typer.prompt(question.text, default=question.suggested, value_proc=read)


def _persona(persona_id: str, norm: str, answers: Mapping[str, Any]) -> Persona:
    from qoe_service.persona import TRAITS, Persona

    def part(*keys: str) -> dict[str, Any]:
        return {key: answers[key] for key in keys if key in answers}

    return Persona.model_validate(
        {
            "id": persona_id,
            "norm": norm,
            "traits": part(*TRAITS),
            "experience": part("art", "photography"),
            "viewing": part("device", "situation"),
            **part("name", "about", "patience_s"),
        }
    )


def _let_confirm(persona: Persona, file: Path) -> None:
    from qoe_service.cli.persona_card import card_panel
    from qoe_service.persona_card import persona_card

    show(card_panel(persona_card(persona, file)))
    if not typer.confirm(f"Write {file}?", default=True):
        fail("nothing was written", ExitCode.NEGATIVE)


def _next_commands(persona_id: str, file: Path) -> Iterator[str]:
    from qoe_service.settings import Settings

    setting = "" if file.parent == Settings().personas else f"QOE_PERSONAS={file.parent} "
    yield f"qoe personas show {file}"
    yield f'{setting}qoe score PICTURE --prompt "what was wished for" --personas {persona_id}'
