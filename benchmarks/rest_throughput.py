"""Judging through REST against the bare forward: `python benchmarks/rest_throughput.py`.

One round draws a batch of pictures nobody has seen and times, one after the other and never at
the same time, (a) the bare batched forward of the CLIP's picture tower on them in this process
and (b) one request that has them judged by a panel, from the client's call to the parsed reply.
Which of the two goes first alternates. Both processes have the same number of torch threads. The
ratio (a) / (b) is the share of the bare forward's throughput that is left through REST; it is
taken round by round, so that a machine that is busy with other work slows both sides of it.

What is in (b): encoding the request (npy, or base64 of ready PNG files), HTTP on loopback,
decoding, hashing, the cache, the forward, a panel's opinions, and the reply. Prompts come from a
catalogue, as in training, so their vectors are known after the first request; (a) has no texts.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from service_process import running_service

from qoe_service.client import QoEClient
from qoe_service.judges.encoder import Encoder, load_encoder
from qoe_service.schemas import RewardItem, RewardsReply, RewardsRequest
from tinyworld.captions import plain_caption
from tinyworld.drawing import draw_scene
from tinyworld.scenes import Scene, sample_scene

BATCH = 64
PROMPTS = 16


@dataclass(frozen=True)
class Subject:
    """One CLIP that is measured, with the pictures' side and the targets for npy and PNG."""

    clip: str
    side: int
    rounds: int
    target_npy: float
    target_png: float


SUBJECTS = {
    "tinyworld": Subject("tinyworld", 64, 25, 0.75, 0.50),
    "vit": Subject("ViT-B-32/random", 224, 3, 0.90, 0.90),
}


class Batches:
    """Batches of pictures that were never drawn before, and their prompts."""

    def __init__(self, side: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        scenes = [sample_scene(self._rng) for _ in range(PROMPTS)]
        self._scenes: Sequence[Scene] = (scenes * BATCH)[:BATCH]
        self._side = side
        self.prompts = [plain_caption(scene) for scene in self._scenes]

    def draw(self) -> np.ndarray:
        """uint8 (64, side, side, 3)."""
        return np.stack([np.asarray(self._picture(scene)) for scene in self._scenes])

    def _picture(self, scene: Scene) -> Image.Image:
        picture = draw_scene(scene, self._rng)
        return picture.resize((self._side, self._side), Image.Resampling.BICUBIC)


def png_request(pictures: np.ndarray, prompts: Sequence[str], panel: int) -> RewardsRequest:
    """A request whose pictures are PNG files, as a caller holds them."""
    items = zip(pictures, prompts, strict=True)
    return RewardsRequest(
        items=tuple(RewardItem(image=_png(picture), prompt=prompt) for picture, prompt in items),
        panel=panel,
    )


def ratios(
    encoder: Encoder,
    batches: Batches,
    rounds: int,
    ask: Callable[[np.ndarray], Callable[[], object]],
) -> list[tuple[float, float]]:
    """Seconds of the bare forward and of the request, round by round, after one warm-up."""
    found = []
    for turn in range(rounds + 1):
        pictures = batches.draw()
        request = ask(pictures)
        forward = lambda pictures=pictures: encoder.pictures(pictures)  # noqa: E731
        if turn % 2:
            found.append((_seconds(forward), _seconds(request)))
        else:
            request_s = _seconds(request)
            found.append((_seconds(forward), request_s))
    return found[1:]


def measure(subject: Subject, *, rounds: int, panel: int, threads: int, seed: int) -> None:
    """Measure one CLIP both ways and print."""
    torch.set_num_threads(threads)
    print(f"{subject.clip}: {BATCH} pictures of {subject.side}x{subject.side}, panel of {panel}")
    encoder = load_encoder(subject.clip, "cpu")
    batches = Batches(subject.side, seed)
    with tempfile.TemporaryDirectory() as cache:
        settings = {"QOE_CLIP": subject.clip, "QOE_TIERS": "clip", "QOE_CACHE": cache}
        with running_service(settings, threads=threads) as url, QoEClient(url) as client:
            ways = {
                "npy": (subject.target_npy, _by_npy(client, batches, panel)),
                "PNG": (subject.target_png, _by_png(client, batches, panel)),
            }
            for name, (target, ask) in ways.items():
                _report(name, target, ratios(encoder, batches, rounds, ask))


def _by_npy(client: QoEClient, batches: Batches, panel: int) -> Callable[..., Callable[[], object]]:
    def ask(pictures: np.ndarray) -> Callable[[], object]:
        return lambda: _checked(client.rewards(pictures, batches.prompts, panel=panel))

    return ask


def _by_png(client: QoEClient, batches: Batches, panel: int) -> Callable[..., Callable[[], object]]:
    def ask(pictures: np.ndarray) -> Callable[[], object]:
        request = png_request(pictures, batches.prompts, panel)
        return lambda: _checked(client.rewards_of_files(request))

    return ask


def _checked(reply: RewardsReply) -> RewardsReply:
    """A request that was answered from a cache, or not by the CLIP, measures something else."""
    assert reply.usage.cached == 0, "pictures were not fresh"
    assert None not in reply.rewards, f"not judged: {set(reply.statuses)}"
    return reply


def _report(name: str, target: float, seconds: list[tuple[float, float]]) -> None:
    forward_ms, request_ms = (1000 * statistics.median(column) for column in zip(*seconds))  # noqa: B905
    low, middle, high = statistics.quantiles([a / b for a, b in seconds], n=4)
    verdict = "reached" if middle >= target else "missed"
    print(
        f"  {name}: forward {forward_ms:.1f} ms, request {request_ms:.1f} ms, ratio {middle:.0%}"
        f" (quartiles {low:.0%} to {high:.0%}, {len(seconds)} rounds),"
        f" target {target:.0%} {verdict}"
    )


def _seconds(work: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    work()
    return time.perf_counter() - start_s


def _png(picture: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return b64encode(file.getvalue()).decode("ascii")


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("subjects", nargs="*", help=f"of {', '.join(SUBJECTS)}; default: all")
    parser.add_argument("--rounds", type=int, help="default: 25 for tinyworld, 3 for vit")
    parser.add_argument("--panel", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if unknown := set(arguments.subjects) - set(SUBJECTS):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    for name in arguments.subjects or SUBJECTS:
        measure(
            SUBJECTS[name],
            rounds=arguments.rounds or SUBJECTS[name].rounds,
            panel=arguments.panel,
            threads=arguments.threads,
            seed=arguments.seed,
        )


if __name__ == "__main__":
    main()
