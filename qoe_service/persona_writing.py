"""Writing a new persona file: valid, and with comments that say what may be changed."""

from __future__ import annotations

from pathlib import Path

import yaml

from qoe_service.persona_files import parse_persona
from qoe_service.personas import Persona

_TEMPLATE = """\
# One person of the panel. The file's name is the id; adding a file is all it takes.
id: {id}
name: {name}

# Big-Five z-scores against the norm: 0 is the population's mean, 1 one standard deviation.
# Two thirds of all people are between -1 and 1; beyond 3 hardly anyone is.
traits:
  openness: {openness:<12} # curious, imaginative, fond of art
  conscientiousness: {conscientiousness:<3} # orderly, dependable, careful
  extraversion: {extraversion:<8} # sociable, lively, in search of stimulation
  agreeableness: {agreeableness:<7} # trusting, kind, forgiving
  neuroticism: {neuroticism:<9} # easily worried, moody, sensitive to stress
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
        norm=persona.norm,
        about=_quoted(persona.about),
        device=persona.viewing.device,
        situation=_quoted(persona.viewing.situation),
        patience_s=persona.patience_s,
        weight=persona.weight,
        **persona.traits.model_dump(),
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
    with path.open("x", encoding="utf-8") as file:
        file.write(persona_text(persona))
    return path


def _quoted(text: str) -> str:
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**6)
    return quoted.strip()
