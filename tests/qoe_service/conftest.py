"""A real scorer (the pixel judge, three personas), and a real server around it."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.persona_writing import write_persona
from qoe_service.personas import Persona, Registry
from qoe_service.schemas import Traits
from qoe_service.scoring import Scorer
from qoe_service.serving import listen, server
from qoe_service.settings import Settings

TRAITS_BY_ID = {
    "amelia": (1.5, 0.2, 0.8, 0.5, -0.6),
    "bo": (-1.2, 1.0, -0.9, 0.1, 0.7),
    "chidi": (0.1, -1.4, 0.3, -1.1, 1.6),
}


def make_persona(name: str) -> Persona:
    o, c, e, a, n = TRAITS_BY_ID[name]
    traits = Traits(openness=o, conscientiousness=c, extraversion=e, agreeableness=a, neuroticism=n)
    return Persona(
        id=name, name=name.title(), about="Someone.", traits=traits, norm="sapa-bfi25-adults"
    )


@pytest.fixture(scope="session")
def persona_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("personas")
    for name in TRAITS_BY_ID:
        write_persona(make_persona(name), folder)
    return folder


@pytest.fixture(scope="session")
def pixel_scorer(persona_folder: Path) -> Iterator[Scorer]:
    with Scorer(Ladder([PixelJudge()]), Registry(persona_folder)) as scorer:
        yield scorer


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings(tiers=("pixel",), cache=None, max_body_bytes=2**20)


@contextlib.contextmanager
def running(scorer: Scorer, settings: Settings) -> Iterator[str]:
    """The address of a uvicorn server in a thread of its own."""
    with listen("127.0.0.1", 0) as listener:
        uvicorn_server = server(scorer, settings)
        thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not uvicorn_server.started and thread.is_alive():
                time.sleep(0.005)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            uvicorn_server.should_exit = True
            thread.join(timeout=20)


@pytest.fixture(scope="session")
def serve():
    """`with serve(scorer, settings) as url:`"""
    return running


@pytest.fixture(scope="session")
def service_url(pixel_scorer: Scorer, settings: Settings) -> Iterator[str]:
    with running(pixel_scorer, settings) as url:
        yield url


@pytest.fixture
def pictures() -> np.ndarray:
    """Four different pictures, uint8 (4, 32, 48, 3)."""
    return np.random.default_rng(7).integers(0, 256, (4, 32, 48, 3), dtype=np.uint8)


@pytest.fixture
def png_bytes(pictures: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pictures[0]).save(file, "PNG")
    return file.getvalue()
