"""Generate a picture: `python -m tinyworld "a man walks in the park" --seed 1 --out park.png`."""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tinyworld", description=__doc__)
    parser.add_argument("prompt", help="in the words of tinyworld's captions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("picture.png"))
    arguments = parser.parse_args()

    import torch
    from PIL import Image

    from tinyworld.diffusion import load_diffusion
    from tinyworld.sampling import sample

    generator = torch.Generator().manual_seed(arguments.seed)
    picture = sample(load_diffusion(), [arguments.prompt], generator)[0]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(arguments.out)


if __name__ == "__main__":
    main()
