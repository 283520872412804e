import pytest

from allocator.scenarios.settings import EASY
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience


@pytest.fixture(scope="session")
def experience():
    return synthetic_experience()


@pytest.fixture
def scenario(experience):
    return SharedDenoising(experience, EASY)
