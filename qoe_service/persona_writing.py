"""Writing a new persona file: valid, and with comments that say what may be changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from qoe_service.persona import Persona
from qoe_service.persona_files import parse_persona
from qoe_service.personas import SCHEMA_FILE

TRAIT_MEANINGS: Mapping[str, tuple[str, str]] = {
    "openness": (
        "down to earth, fond of what is known",
        "curious, imaginative, fond of art",
    ),
    "conscientiousness": (
        "easy-going, spontaneous, careless of order",
        "orderly, dependable, careful",
    ),
    "extraversion": (
        "quiet, reserved, content alone",
        "sociable, lively, in search of stimulation",
    ),
    "agreeableness": (
        "critical, competitive, hard to please",
        "trusting, kind, forgiving",
    ),
    "neuroticism": (
        "even-tempered, hard to worry or upset",
        "easily worried, moody, sensitive to stress",
    ),
}
"""What a low and a high score mean, for people who write personas; no judge is told so."""

_TEMPLATE = """\
# One person of the panel. The file's name is the id; adding a file is all it takes.
id: {id}
name: {name}

# What several personas have in common can stand in fragments; what stands here wins.
# include: [fragments/viewing-phone.yaml]

# Big-Five z-scores against the norm: 0 is the population's mean, 1 one standard deviation.
# Two thirds of all people are between -1 and 1; beyond 3 hardly anyone is.
traits:
{traits}
norm: {norm}

# Who this is, in a sentence or two: read by judges that understand language.
about: {about}

# From 0, none, to 1, a professional.
experience:
  art: {art}
  photography: {photography}

viewing:
  device: {device}  # phone, tablet, laptop, desktop or television
  situation: {situation}

# The wait in seconds that begins to annoy.
patience_s: {patience_s}

# How often a drawn panel should include this person, relative to the others.
weight: {weight}
"""


def persona_text(persona: Persona) -> str:
    """The text of a commented file that describes exactly `persona`."""
    text = _TEMPLATE.format(
        id=_quoted(persona.id),
        name=_quoted(persona.name),
        traits="\n".join(_trait_lines(persona)),
        norm=persona.norm,
        about=_quoted(persona.about),
        device=persona.viewing.device,
        situation=_quoted(persona.viewing.situation),
        patience_s=persona.patience_s,
        weight=persona.weight,
        **persona.experience.model_dump(),
    )
    parse_persona(text, source=f"{persona.id}.yaml", expected_id=persona.id)
    return text


def write_persona(persona: Persona, folder: Path) -> Path:
    """Write the file of `persona` into `folder`.

    Raises:
        FileExistsError: there is a persona of that id; it is left as it is.
    """
    path = folder / f"{persona.id}.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    text = persona_text(persona)
    if (folder / SCHEMA_FILE).exists():
        text = f"# yaml-language-server: $schema={SCHEMA_FILE}\n{text}"
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    return path


def _trait_lines(persona: Persona) -> Iterator[str]:
    for trait, (low, high) in TRAIT_MEANINGS.items():
        yield f"  # low: {low}; high: {high}"
        yield f"  {trait}: {getattr(persona.traits, trait)}"


def _quoted(text: str) -> str:
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**6)
    return quoted.strip()
