"""Reading templates: Markdown with YAML front matter in, `JudgePrompt` out, errors with their line.

A file begins with front matter between two lines `---`: id, version, variables, answer.
The system part stands under the heading `# System`, the user part under `# User`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from qoe_service.errors import QoEError
from qoe_service.prompts import AnswerKind, JudgePrompt, Message

HEADINGS = ("# System", "# User")

_TAG = re.compile(
    r"\{\{\{\s*(?P<value>\w+)\s*\}\}\}|\{\{(?P<mark>[#^/])\s*(?P<section>\w+)\s*\}\}|\{\{"
)
_SEMVER = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?")


class PromptFileError(QoEError):
    """A template file is wrong: which file, which line, what to do."""

    def __init__(self, source: str, line: int, message: str) -> None:
        self.source, self.line, self.message = source, line, message
        super().__init__(f"{source}:{line}: {message}")


def shipped_prompts() -> Path:
    """The folder of the templates that come with the package."""
    return Path(str(files("prompts").joinpath("judge-image.md"))).parent


def load_prompt(name: str, folder: Path | None = None, *, offered: Collection[str]) -> JudgePrompt:
    """The template `name` of a folder, by default the shipped one.

    offered: the variables that whoever renders it can give values for.

    Raises:
        PromptFileError: if there is none, or it is wrong.
    """
    path = (folder or shipped_prompts()) / f"{name}.md"
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
    except FileNotFoundError:
        raise PromptFileError(str(path), 1, f"no such template{_others(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PromptFileError(str(path), 1, f"unreadable: {error}") from error
    return parse_prompt(text, source=str(path), offered=offered, expected_id=name)


def parse_prompt(
    text: str, *, source: str, offered: Collection[str], expected_id: str | None = None
) -> JudgePrompt:
    """The template that a text describes; `source` names the text in errors.

    Raises:
        PromptFileError: naming the first thing that is wrong.
    """
    front = _FrontMatterText(text, source)
    about = front.checked()
    if expected_id is not None and about.id != expected_id:
        message = f"id {about.id!r} must be the file's name {expected_id!r}"
        raise PromptFileError(source, front.line_of("id"), message)
    system, user = _parts(front.body, source)
    in_system, in_user = _used(system, source), _used(user, source)
    _check_variables(about, in_user | in_system, offered, front)
    return JudgePrompt(
        id=about.id,
        version=about.version,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        variables=about.variables,
        answers=about.answer,
        system=Message("system", system.text, frozenset(in_system)),
        user=Message("human", user.text, frozenset(in_user)),
    )


def _semantic(version: str) -> str:
    if not _SEMVER.fullmatch(version):
        raise ValueError("must be a semantic version such as 1.0.0")
    return version


class _FrontMatter(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")
    version: Annotated[str, AfterValidator(_semantic)]
    variables: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ...]
    answer: tuple[AnswerKind, ...] = Field(min_length=1)


class _FrontMatterText:
    """What stands between the two `---` of a template, and the lines below, which are the body."""

    def __init__(self, text: str, source: str) -> None:
        lines = text.splitlines()
        if not lines or lines[0].rstrip() != "---":
            raise PromptFileError(source, 1, "must begin with '---' and YAML front matter")
        ends = [number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"]
        if not ends:
            raise PromptFileError(source, 1, "the front matter that begins here never ends: '---'")
        self.source = source
        self.body = tuple(enumerate(lines, 1))[ends[0] + 1 :]
        self._yaml = "\n".join(lines[1 : ends[0]])
        self._lines: dict[str, int] = {}

    def checked(self) -> _FrontMatter:
        try:
            self._find_keys()
            return _FrontMatter.model_validate(yaml.safe_load(self._yaml))
        except ValidationError as error:
            raise self._explained(error) from None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 2 if error.problem_mark else 1
            raise PromptFileError(self.source, line, f"not valid YAML: {error.problem}") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise PromptFileError(self.source, 1, f"not valid YAML: {error}") from None

    def line_of(self, key: str) -> int:
        """The line of a key, once checked, or that of the front matter if it has none."""
        return self._lines.get(key, 1)

    def _find_keys(self) -> None:
        root = yaml.compose(self._yaml, Loader=yaml.SafeLoader)
        pairs: list[Any] = root.value if isinstance(root, yaml.MappingNode) else []
        self._lines = {str(key.value): key.start_mark.line + 2 for key, _ in pairs}
        if len(self._lines) < len(pairs):
            raise PromptFileError(self.source, 1, "a key of the front matter is given twice")

    def _explained(self, error: ValidationError) -> PromptFileError:
        errors = error.errors(include_url=False)
        first = min(errors, key=lambda one: one["type"] != "extra_forbidden")  # typos explain more
        place = ".".join(str(part) for part in first["loc"]) or "front matter"
        line = self._lines.get(str(first["loc"][0]), 1) if first["loc"] else 1
        if first["type"] == "missing":
            return PromptFileError(self.source, line, f"{place}: is required but not given")
        known = ", ".join(_FrontMatter.model_fields)
        hint = f"; known keys are {known}" if first["type"] == "extra_forbidden" else ""
        return PromptFileError(
            self.source, line, f"{place}: {first['msg']}, got {first['input']!r}{hint}"
        )


@dataclass(frozen=True)
class _Part:
    text: str
    first_line: int

    def line_at(self, position: int) -> int:
        return self.first_line + self.text.count("\n", 0, position)


def _parts(body: tuple[tuple[int, str], ...], source: str) -> tuple[_Part, _Part]:
    found = [(at, line.rstrip()) for at, (_, line) in enumerate(body) if line.rstrip() in HEADINGS]
    if tuple(heading for _, heading in found) != HEADINGS:
        line = body[0][0] if body else 1
        raise PromptFileError(source, line, f"needs the headings {' and '.join(HEADINGS)}, once")
    (system_at, _), (user_at, _) = found
    if any(line.strip() for _, line in body[:system_at]):
        raise PromptFileError(source, body[0][0], f"nothing may stand before {HEADINGS[0]}")
    return (
        _part(body[system_at:user_at], source),
        _part(body[user_at:], source),
    )


def _part(lines: tuple[tuple[int, str], ...], source: str) -> _Part:
    (number, heading), *rest = lines
    text = "\n".join(line for _, line in rest)
    if not text.strip():
        raise PromptFileError(source, number, f"nothing stands under {heading}")
    return _Part(text, number + 1)


def _used(part: _Part, source: str) -> dict[str, int]:
    """Each name a part uses, with its first line; sections must close in the order they nest."""
    used: dict[str, int] = {}
    open_sections: list[tuple[str, int]] = []
    for tag in _TAG.finditer(part.text):
        line = part.line_at(tag.start())
        name = tag["value"] or tag["section"]
        if name is None:
            message = "'{{' begins no tag known here: {{{name}}}, {{#name}}, {{^name}}, {{/name}}"
            raise PromptFileError(source, line, message)
        used.setdefault(name, line)
        if tag["mark"] == "/":
            if not open_sections or open_sections.pop()[0] != name:
                raise PromptFileError(source, line, f"{{{{/{name}}}}} closes what is not open")
        elif tag["mark"]:
            open_sections.append((name, line))
    if open_sections:
        name, line = open_sections[-1]
        raise PromptFileError(source, line, f"the section {name!r} is never closed")
    return used


def _check_variables(
    about: _FrontMatter, used: Mapping[str, int], offered: Collection[str], front: _FrontMatterText
) -> None:
    declared = front.line_of("variables")
    for name in about.variables:
        if name not in offered:
            message = f"no judge gives {name!r} a value; known are {', '.join(sorted(offered))}"
            raise PromptFileError(front.source, declared, message)
        if name not in used:
            raise PromptFileError(front.source, declared, f"{name!r} is declared but never used")
    for name, line in used.items():
        if name not in about.variables and name not in about.answer:
            message = f"{name!r} is used but not among 'variables' or 'answer'"
            raise PromptFileError(front.source, line, message)
    for kind in about.answer:
        if len(about.answer) > 1 and kind not in used:
            message = f"offers {kind!r} but has no section {{{{#{kind}}}}} that asks for it"
            raise PromptFileError(front.source, front.line_of("answer"), message)


def _others(path: Path) -> str:
    names = sorted(other.stem for other in path.parent.glob("*.md"))
    return f"; there are: {', '.join(names)}" if names else f"; {path.parent} holds no template"
