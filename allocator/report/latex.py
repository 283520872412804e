"""The standings as a LaTeX table: a tabular for `\\input{table.tex}`, with booktabs."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.experiments import OURS, Findings
from allocator.intervals import Interval
from allocator.report.names import label
from allocator.standings import Duel, Standing, Standings, Summary

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
FREE = r"$^\dagger$"
EMPTY = "--"


def escaped(text: str) -> str:
    """Text as LaTeX shows it, whatever it holds; a line break becomes a space."""
    return "".join(SPECIAL.get(character, character) for character in " ".join(text.split()))


def latex_table(findings: Findings, standings: Standings) -> str:
    """The file's content: comments that say what is in it, and one complete tabular."""
    duels = standings.duels.get(OURS, {})
    columns = (*_standing_heads(), *(_duel_heads() if duels else ()))
    rows = [
        _row(agent, standings.agents[agent], duels if duels else None) for agent in standings.order
    ]
    lines = [
        f"% {_one_line(findings.name)}: needs \\usepackage{{booktabs}}.",
        "% IQM over the training runs [95 % stratified bootstrap interval over runs and episodes].",
        f"% Last columns: {label(OURS)} against the agent of the row, paired on the same episodes."
        if duels
        else f"% {label(OURS)} is not among the agents.",
        rf"\begin{{tabular}}{{@{{}}l{'r' * (len(columns) - 1)}@{{}}}}",
        r"\toprule",
        _line(columns),
        r"\midrule",
        *rows,
        r"\bottomrule",
        rf"\multicolumn{{{len(columns)}}}{{@{{}}l}}{{\footnotesize {FREE}\,does not learn, and "
        r"decides for free.}\\",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _standing_heads() -> tuple[str, ...]:
    return (
        "Agent",
        "Reward",
        r"Of the optimum, \%",
        "Worst persona",
        "Jain",
        "Energy, kJ",
        "Decision, ms",
    )


def _duel_heads() -> tuple[str, ...]:
    ours = escaped(label(OURS))
    return (rf"{ours}'s gain, \%", r"Gap closed, \%", rf"$P$({ours} wins)")


def _row(agent: str, standing: Standing, duels: dict[str, Duel] | None) -> str:
    told = standing.quantities
    free = standing.decision_s is None
    cells = [
        escaped(label(agent)) + (FREE if free else ""),
        _summary(told["reward"], 3),
        _interval(standing.share_of_optimum, 1, scale=100),
        _summary(told["worst_persona"], 3),
        _summary(told["jain"], 3),
        _summary(told["energy_j"], 1, scale=1e-3),
        EMPTY if standing.decision_s is None else f"{1000 * standing.decision_s:.2f}",
    ]
    if duels is not None:
        cells += _duel(duels.get(agent))
    return _line(cells)


def _duel(duel: Duel | None) -> list[str]:
    if duel is None:
        return [EMPTY] * 3
    return [
        _interval(duel.relative_gain, 1, scale=100),
        _interval(duel.gap_closed, 0, scale=100),
        _interval(duel.improvement_probability, 2),
    ]


def _summary(told: Summary, digits: int, *, scale: float = 1.0) -> str:
    return _interval(Interval(told.iqm, told.low, told.high), digits, scale=scale)


def _interval(told: Interval | None, digits: int, *, scale: float = 1.0) -> str:
    if told is None:
        return EMPTY
    point, low, high = (
        f"{scale * value:.{digits}f}".replace("-", "$-$")
        for value in (told.point, told.low, told.high)
    )
    return rf"{point} {{\scriptsize [{low}, {high}]}}"


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _one_line(text: str) -> str:
    return " ".join(text.split())
