"""Who may share: prompts grouped by meaning, and the one prompt a group says in public."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import ClusterNode, linkage, to_tree

Group = tuple[int, ...]
Words = tuple[str, ...]


def group_prompts(
    embeddings: NDArray[np.floating], *, least_similarity: float, largest_group: int | None = None
) -> tuple[Group, ...]:
    """Groups of indices, by agglomerative clustering with complete linkage.

    embeddings: (N, D) unit vectors. Every two prompts of a group have a cosine of at least
    `least_similarity`. A group larger than `largest_group` is cut where it is least alike.
    Groups come in the order of their first members.
    """
    if not -1.0 <= least_similarity <= 1.0:
        raise ValueError(f"least_similarity is a cosine in [-1, 1], got {least_similarity}")
    if largest_group is not None and largest_group < 1:
        raise ValueError(f"largest_group must be 1 or more, got {largest_group}")
    if len(embeddings) < 2:
        return tuple((index,) for index in range(len(embeddings)))
    cosines = np.clip(embeddings @ embeddings.T, -1.0, 1.0)
    distances = 1.0 - cosines[np.triu_indices(len(embeddings), k=1)]
    tree = to_tree(linkage(distances, method="complete"))
    groups = _cut(tree, farthest=1.0 - least_similarity, largest=largest_group or len(embeddings))
    return tuple(sorted(groups))


def _cut(node: ClusterNode, *, farthest: float, largest: int) -> list[Group]:
    if node.is_leaf() or (node.dist <= farthest and node.get_count() <= largest):
        return [tuple(sorted(node.pre_order()))]
    branches = (node.get_left(), node.get_right())
    return [
        group
        for branch in branches
        if branch is not None
        for group in _cut(branch, farthest=farthest, largest=largest)
    ]


def medoid(embeddings: NDArray[np.floating], group: Sequence[int]) -> int:
    """The member (an index as in `group`) whose summed cosine with the group is highest."""
    members = embeddings[list(group)]
    return group[int((members @ members.T).sum(axis=1).argmax())]


def common_words(prompts: Sequence[str]) -> str | None:
    """What the prompts have in common, in order: longest common subsequence, prompt by prompt.

    Case and commas are ignored. None if they have no word in common; a group without common words
    has no public prompt of this kind (its medoid still exists).
    """
    words = [tuple(prompt.lower().replace(",", " ").split()) for prompt in prompts]
    common: Words = reduce(_longest_common_subsequence, words)
    return " ".join(common) or None


def _longest_common_subsequence(first: Words, second: Words) -> Words:
    above: list[Words] = [()] * (len(second) + 1)  # best for the words of `first` so far
    for word in first:
        row: list[Words] = [()]
        for column, other in enumerate(second):
            longer = max(above[column + 1], row[column], key=len)
            row.append((*above[column], word) if word == other else longer)
        above = row
    return above[-1]
