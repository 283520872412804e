"""What plans cost: seconds, joules and bits, counted on the tree that the generator runs.

A shared site works on a level of the tree as one batch and every user in it waits for the batch;
its joules are split equally over the nodes, and a node's over the users who have it in common. On
personal devices nothing is shared: equal steps of two users run twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from allocator.arrays import Floats
from allocator.diffusion.prefix_tree import Node, PrefixTree, prefix_tree
from allocator.edge.devices import Device, Payload
from allocator.edge.link import Link
from allocator.plan import DenoisingPlan, PlanError

Users = tuple[int, ...]


@dataclass(frozen=True)
class Air:
    """Each user's way between the sites, the same in both directions.

    snr (linear), tx_power_w (radiated) and bandwidth_hz are (N,), in the order of the plans, or
    one number for all.
    """

    link: Link
    snr: ArrayLike
    tx_power_w: ArrayLike
    bandwidth_hz: ArrayLike


@dataclass(frozen=True)
class Costs:
    """Costs of N users (rows) at the S `sites` (columns).

    seconds (N, S): what a user waits for work there and for sending from there.
    joules (N, S): the user's share of the energy spent there. bits (N, S): sent from there.
    busy_seconds (S,): how long the site computes, over all devices of a personal kind.
    loss_probability (N,): that something on the user's way does not arrive.
    """

    sites: tuple[str, ...]
    seconds: Floats
    joules: Floats
    bits: Floats
    busy_seconds: Floats
    loss_probability: Floats

    @property
    def user_seconds(self) -> Floats:
        """(N,) from the request to the finished picture in the user's hand."""
        total: Floats = self.seconds.sum(axis=1)
        return total

    @property
    def user_joules(self) -> Floats:
        """(N,) energy spent for each user, everywhere."""
        total: Floats = self.joules.sum(axis=1)
        return total

    @property
    def site_joules(self) -> Floats:
        """(S,) energy spent at each site, for everyone."""
        total: Floats = self.joules.sum(axis=0)
        return total


def cost_of(
    plans: Sequence[DenoisingPlan], *, devices: Mapping[str, Device], payload: Payload, air: Air
) -> Costs:
    """The costs of plans that start together, one plan a user.

    A plan that ends at a shared site also delivers its picture. Raises PlanError if a plan names
    a site without a profile, or a depth, for which profiles have no price.
    """
    _check(plans, devices)
    sites = tuple(dict.fromkeys(segment.site for plan in plans for segment in plan.segments))
    column = {site: index for index, site in enumerate(sites)}
    seconds, joules, busy = _computing(prefix_tree(plans), plans, devices, column)
    radio_seconds, radio_joules, bits, loss = _sending(plans, devices, payload, air, column)
    return Costs(sites, seconds + radio_seconds, joules + radio_joules, bits, busy, loss)


def _check(plans: Sequence[DenoisingPlan], devices: Mapping[str, Device]) -> None:
    if not plans:
        raise PlanError("there is nothing to price: the sequence of plans is empty")
    for segment in (segment for plan in plans for segment in plan.segments):
        if segment.site not in devices:
            known = ", ".join(sorted(devices))
            raise PlanError(f"site {segment.site!r} has no device profile; known are {known}")
        if segment.depth is not None:
            raise PlanError(f"profiles price steps of full depth only, got depth {segment.depth}")


def _computing(
    tree: PrefixTree,
    plans: Sequence[DenoisingPlan],
    devices: Mapping[str, Device],
    column: Mapping[str, int],
) -> tuple[Floats, Floats, Floats]:
    """Seconds (N, S), joules (N, S) and busy seconds (S,) of all denoising."""
    seconds = np.zeros((len(plans), len(column)))
    joules, busy = np.zeros_like(seconds), np.zeros(len(column))
    for (site, _), batch in _batches(tree, devices):
        device, users = devices[site], [user for node in batch for user in node]
        duration = device.step_seconds(len(batch))
        seconds[users, column[site]] += duration
        busy[column[site]] += duration
        for node in batch:
            share = device.power_w * duration / (len(batch) * len(node))
            joules[list(node), column[site]] += share
    for user, plan in enumerate(plans):
        for site in {segment.site for segment in plan.segments}:
            once = devices[site].seconds_per_picture
            seconds[user, column[site]] += once
            joules[user, column[site]] += devices[site].power_w * once
            busy[column[site]] += once
    return seconds, joules, busy


def _batches(
    tree: PrefixTree, devices: Mapping[str, Device]
) -> Iterator[tuple[tuple[str, str], list[Users]]]:
    """What runs at once: (site, model) and the users of each picture in the batch."""
    for level in tree.levels:
        together: dict[tuple[str, str], list[Node]] = defaultdict(list)
        for node in level:
            together[node.segment.site, node.segment.model].append(node)
        for place, nodes in together.items():
            if devices[place[0]].shared:
                yield place, [node.plans for node in nodes]
            else:
                yield from ((place, [user]) for node in nodes for user in _singly(node))


def _singly(node: Node) -> list[Users]:
    return [(user,) for user in node.plans]


def _sending(
    plans: Sequence[DenoisingPlan],
    devices: Mapping[str, Device],
    payload: Payload,
    air: Air,
    column: Mapping[str, int],
) -> tuple[Floats, Floats, Floats, Floats]:
    """Seconds, joules and bits (N, S) by the sending site, and loss probability (N,)."""
    seconds = np.zeros((len(plans), len(column)))
    joules, bits = np.zeros_like(seconds), np.zeros_like(seconds)
    arrives = np.ones(len(plans))
    crossings = [
        (user, sender, size)
        for user, plan in enumerate(plans)
        for sender, size in _crossings(plan, devices, payload)
    ]
    if not crossings:
        return seconds, joules, bits, 1 - arrives
    users, senders, sizes = (list(values) for values in zip(*crossings, strict=True))
    columns = [column[sender] for sender in senders]
    efficiency = np.array([devices[sender].amplifier_efficiency for sender in senders])
    sent = air.link.transfer(
        sizes,
        snr=_of_users(air.snr, plans)[users],
        tx_power_w=_of_users(air.tx_power_w, plans)[users],
        bandwidth_hz=_of_users(air.bandwidth_hz, plans)[users],
    )
    np.add.at(seconds, (users, columns), sent.seconds)
    np.add.at(joules, (users, columns), sent.joules / efficiency)
    np.add.at(bits, (users, columns), sent.bits)
    np.multiply.at(arrives, users, 1 - sent.loss_probability)
    return seconds, joules, bits, 1 - arrives


def _crossings(
    plan: DenoisingPlan, devices: Mapping[str, Device], payload: Payload
) -> Iterator[tuple[str, int]]:
    """The sending site and the bits of everything that crosses the air for this plan."""
    site = plan.segments[0].site
    for handoff, segment in plan.stages():
        if handoff is not None:
            yield site, payload.latent_values * int(handoff.quantiser_bits)
        site = segment.site
    if devices[site].shared:
        yield site, payload.picture_bits


def _of_users(quantity: ArrayLike, plans: Sequence[DenoisingPlan]) -> Floats:
    return np.broadcast_to(np.asarray(quantity, dtype=np.float64), (len(plans),))
