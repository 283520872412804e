"""Why one thread is the default: `python benchmarks/torch_threads.py [--rounds 10]`.

Gradient updates of G-DDPG per second with 1 and with 2 threads of PyTorch, for the networks that
are trained (userwise, standard scenario, batch 128) and the larger ones of `benchmarks/agents.py`.
Wall-clock, since a second thread cannot save processor time; rounds in turn, each a process of its
own that was started before, so that thread pools stay as they are.

A second thread pays only while its core is free: threads meet after every operation, and where one
waits for its turn on a busy core, so do the others. Trainings run as parallel processes, a seed
each, so that cores are never free: that case is measured with another process on each core.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import time
from multiprocessing.connection import Connection

import numpy as np
import torch

from benchmarks.agents import BATCH, FUSED, USERWISE_BATCH, learner, userwise_learners
from benchmarks.rounds import Quartiles

SECONDS = 0.5
"""Of one learner in a round."""

NETWORKS = {"userwise, width 32, batch 128": USERWISE_BATCH, "width 256, batch 512": BATCH}


def answer(orders: Connection, threads: int) -> None:
    """Updates and seconds of the network that is asked for, until there is no more."""
    from allocator.agents.gddpg import GDDPG

    torch.set_num_threads(threads)
    userwise, wide = NETWORKS
    learners = {
        userwise: userwise_learners()["G-DDPG, 5 steps, userwise"],
        wide: learner(GDDPG, denoising_steps=5, networks=FUSED),
    }
    for name in iter(orders.recv, None):
        updates, began, used = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - began < SECONDS:
            learners[name].train(gradient_steps=1, batch_size=NETWORKS[name])
            updates += 1
        orders.send(
            (updates / (time.perf_counter() - began), (time.process_time() - used) / updates)
        )


def spin() -> None:
    """Keep a core busy."""
    while True:
        pass


def measure(workers: dict[int, Connection], name: str, rounds: int) -> dict[int, np.ndarray]:
    """(rounds, 2) updates a second and processor seconds an update, by number of threads."""
    found: dict[int, list[tuple[float, float]]] = {threads: [] for threads in workers}
    for _ in range(rounds + 1):
        for threads, worker in workers.items():
            worker.send(name)
            found[threads].append(worker.recv())
    return {threads: np.array(each[1:]) for threads, each in found.items()}


def report(workers: dict[int, Connection], rounds: int) -> None:
    """A line for each network and number of threads, and the gain."""
    for name in NETWORKS:
        found = measure(workers, name, rounds)
        for threads, each in found.items():
            print(
                f"  {name}, {threads} thread{'s' * (threads > 1)}: "
                f"{Quartiles.of(each[:, 0]):.1f} updates/s, "
                f"{Quartiles.of(1e3 * each[:, 1]):.1f} ms of processor time each"
            )
        print(f"  2 threads do {Quartiles.of(found[2][:, 0] / found[1][:, 0]):.2f} x as many")


def main() -> None:
    """On the machine as it is, and with every core busy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    told = parser.parse_args()
    context = mp.get_context("spawn")
    workers: dict[int, Connection] = {}
    for threads in (1, 2):
        workers[threads], theirs = context.Pipe()
        context.Process(target=answer, args=(theirs, threads), daemon=True).start()
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0]
    print(f"{cores} cores, load {load:.1f} before, torch {torch.__version__}; as the machine is:")
    report(workers, told.rounds)
    others = [context.Process(target=spin, daemon=True) for _ in range(cores)]
    for other in others:
        other.start()
    print(f"with {cores} more processes that never rest:")
    report(workers, told.rounds)
    for other in others:
        other.kill()
    for worker in workers.values():
        worker.send(None)


if __name__ == "__main__":
    main()
