"""Plans as a prefix tree: what several plans have in common is one node, and runs once.

A node is a single denoising step, so that every plan may leave a common beginning at a step of its
own. The generator walks the tree to draw the pictures and the cost model walks it to price them:
what is saved by sharing is counted, never assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from allocator.plan import DenoisingPlan, Handoff, Segment


@dataclass(frozen=True)
class Node:
    """One denoising step that `plans` (indices into the planned sequence) have in common.

    step: 0 for the first of `total_steps`. parent: index into the level before, None at step 0.
    handoff: how the latent reached this step's site, None if it was there already.
    """

    seed: int
    step: int
    total_steps: int
    segment: Segment
    handoff: Handoff | None
    parent: int | None
    plans: tuple[int, ...]

    @property
    def is_last(self) -> bool:
        """Whether the picture is finished after this step."""
        return self.step + 1 == self.total_steps


@dataclass(frozen=True)
class PrefixTree:
    """All nodes, level by level: `levels[j]` holds the steps j of every plan that has one."""

    levels: tuple[tuple[Node, ...], ...]

    @property
    def steps(self) -> int:
        """How many denoising steps are run."""
        return sum(len(level) for level in self.levels)

    @property
    def unshared_steps(self) -> int:
        """How many would be run if every plan ran alone."""
        return sum(len(node.plans) for level in self.levels for node in level)


def prefix_tree(plans: Sequence[DenoisingPlan]) -> PrefixTree:
    """The prefix tree of these plans, nodes in the order in which their plans first come."""
    paths = [list(_steps(plan)) for plan in plans]
    levels: list[tuple[Node, ...]] = []
    place = [-1] * len(plans)  # where each plan's step stands in the level before
    for step in range(max(map(len, paths), default=0)):
        members: dict[object, list[int]] = {}
        for index, (plan, path) in enumerate(zip(plans, paths, strict=True)):
            if step < len(path):
                members.setdefault(_identity(plan, path[step], place[index]), []).append(index)
        level = [_node(plans, paths, step, place, indices) for indices in members.values()]
        for position, node in enumerate(level):
            for index in node.plans:
                place[index] = position
        levels.append(tuple(level))
    return PrefixTree(tuple(levels))


def _steps(plan: DenoisingPlan) -> Iterator[tuple[Handoff | None, Segment]]:
    for handoff, segment in plan.stages():
        yield handoff, segment
        yield from [(None, segment)] * (int(segment.steps) - 1)


def _identity(
    plan: DenoisingPlan, step: tuple[Handoff | None, Segment], parent: int
) -> tuple[object, ...]:
    """Equal for two plans exactly if this step does the same to the same latent at one site."""
    handoff, segment = step
    # Bits flip by a generator seeded from the plan, so a noisy handoff is nobody else's.
    noise = plan.key if handoff is not None and handoff.bit_error_rate > 0 else None
    beginning = (plan.seed, plan.total_steps) if parent < 0 else parent
    return beginning, handoff, noise, segment.site, segment.drawing


def _node(
    plans: Sequence[DenoisingPlan],
    paths: Sequence[Sequence[tuple[Handoff | None, Segment]]],
    step: int,
    place: Sequence[int],
    members: Sequence[int],
) -> Node:
    first = members[0]
    handoff, segment = paths[first][step]
    return Node(
        seed=int(plans[first].seed),
        step=step,
        total_steps=plans[first].total_steps,
        segment=segment,
        handoff=handoff,
        parent=place[first] if step else None,
        plans=tuple(members),
    )
