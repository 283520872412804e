"""Train the writing detector and write its weights.

    python -m qoe_service.judges.overlay_training [--count 12000] [--steps 2000] [--seed 0]

Run it again when the drawings change much. `python benchmarks/text_overlay.py` measures it on
pictures, words and typefaces that it has not seen.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional

from qoe_service.judges.evidence import FOLDER
from qoe_service.judges.overlay import PLACES, WEIGHTS_FILE, Layer, WritingDetector
from qoe_service.judges.overlay_pictures import UNDECIDED, Examples, draw_examples
from qoe_service.judges.reference_set import ReferenceSet, draw_reference_set

logger = logging.getLogger(__name__)

BATCH = 64
LEARNING_RATE = 4e-3

FALSE_ALARMS = 0.005
"""Share of drawings, sound and damaged, that may be flagged where the threshold is chosen."""


LARGER_SIDES, LARGER_EVERY = (128, 192, 256), 2
"""Sides that drawings are enlarged to, and which of them are: looking at these takes longer."""


class Network(nn.Module):
    """The detector while it learns; sees 27 rows and 35 columns around each place."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(3, 8, 5, stride=2, padding=2),
                nn.Conv2d(8, 12, 3, padding=1),
                nn.Conv2d(12, 16, 3, padding=1),
                nn.Conv2d(16, 16, (3, 5), padding=(1, 2)),
                nn.Conv2d(16, 1, 1),
            ]
        )

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, H / 4, W / 4) of pixels (N, 3, H, W) within half of one around 0."""
        first, second, *rest, last = self.layers
        maps = functional.max_pool2d(second(first(pixels).relu()).relu(), 2)
        for layer in rest:
            maps = layer(maps).relu()
        found: Tensor = last(maps)[:, 0]
        return found


def train(examples: Examples, *, steps: int, seed: int) -> Network:
    """A network that tells the places with writing, and the pictures."""
    torch.manual_seed(seed)
    chance = torch.Generator().manual_seed(seed)
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.1
    )
    for step in range(steps):
        rows = torch.randint(len(examples.pixels), (BATCH,), generator=chance).numpy()
        pixels = _recoloured(_centred(examples.pixels[rows]), chance)
        loss = _loss(network(pixels), examples, rows)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 200 == 0:
            logger.info("step %d: loss %.3f", step, loss.item())
    return network


def frozen(network: Network) -> WritingDetector:
    """The same in numpy, in the precision of the file, without thresholds yet."""
    layers = tuple(_layer(layer) for layer in network.layers if isinstance(layer, nn.Conv2d))
    return WritingDetector(layers, np.nan, np.nan)


def with_thresholds(
    detector: WritingDetector, drawings: ReferenceSet, false_alarms: float
) -> WritingDetector:
    """The detector that flags only this share of the drawings, and of enlarged ones."""
    pixels = np.stack([picture.pixels for picture in drawings.pictures])
    larger = [
        _enlarged(pixels[start :: len(LARGER_SIDES) * LARGER_EVERY], side)
        for start, side in enumerate(LARGER_SIDES)
    ]
    return replace(
        detector,
        threshold=_exceeded_by(detector.logits(pixels), false_alarms),
        threshold_larger=_exceeded_by(
            np.concatenate([detector.logits(stack) for stack in larger]), false_alarms
        ),
    )


def main() -> None:
    """Draw, train, choose the threshold, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=12_000, help="pictures to learn from")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    examples = draw_examples(options.count, options.seed)
    logger.info("drew %d pictures", options.count)
    detector = frozen(train(examples, steps=options.steps, seed=options.seed))
    unseen = draw_reference_set(options.count // 3, options.seed + 1)
    _write(with_thresholds(detector, unseen, FALSE_ALARMS), vars(options))


def _exceeded_by(logits: np.ndarray, share: float) -> float:
    return round(float(np.quantile(logits, 1 - share)), 3)


def _enlarged(pixels: np.ndarray, side: int) -> np.ndarray:
    images = [Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC) for one in pixels]
    return np.stack([np.asarray(image) for image in images])


def _write(detector: WritingDetector, options: dict[str, int]) -> None:
    tensors = {}
    for index, layer in enumerate(detector.layers):
        tensors[f"{index}.kernel"] = layer.kernel.astype(np.float16)
        tensors[f"{index}.bias"] = layer.bias.astype(np.float16)
    found = {name: getattr(detector, name) for name in ("threshold", "threshold_larger")}
    card = {name: str(value) for name, value in (found | options).items()}
    path = Path(str(FOLDER)) / WEIGHTS_FILE
    save_file(tensors, path, metadata=card)
    logger.info("wrote %s: %s", path.name, card)


def _loss(logits: Tensor, examples: Examples, rows: np.ndarray) -> Tensor:
    places = torch.from_numpy(examples.places[rows])
    pictures = torch.from_numpy(examples.pictures[rows])
    highest = logits.flatten(1).topk(PLACES, dim=1).values.mean(dim=1)
    return _cross_entropy(logits, places, weight=3.0) + 0.5 * _cross_entropy(highest, pictures)


def _cross_entropy(logits: Tensor, targets: Tensor, weight: float = 1.0) -> Tensor:
    decided = targets != UNDECIDED
    return functional.binary_cross_entropy_with_logits(
        logits[decided], targets[decided].float(), pos_weight=torch.tensor(weight)
    )


def _centred(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - 0.5


def _recoloured(pixels: Tensor, chance: torch.Generator) -> Tensor:
    """Channels swapped, negatives, other gains: what writing is does not depend on colours."""
    count = len(pixels)

    def draw() -> Tensor:
        return torch.rand((count, 1, 1, 1), generator=chance)

    order = torch.rand((count, 3), generator=chance).argsort(dim=1)
    order = torch.where(draw().view(count, 1) < 0.5, order, torch.arange(3))
    swapped = pixels.gather(1, order.view(count, 3, 1, 1).expand_as(pixels))
    sign = torch.where(draw() < 0.25, -1.0, 1.0)
    return (swapped * sign * (0.6 + 0.5 * draw()) + 0.15 * (draw() - 0.5)).clamp(-0.5, 0.5)


def _layer(layer: nn.Conv2d) -> Layer:
    kernel = layer.weight.detach().permute(2, 3, 1, 0).half().float().contiguous().numpy()
    bias = layer.bias
    assert bias is not None
    return Layer(kernel, bias.detach().half().float().numpy(), int(layer.stride[0]))


if __name__ == "__main__":
    main()
