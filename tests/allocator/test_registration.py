import subprocess
import sys

import pytest

MAKE = "print('allocator/SharedDenoising-v0' in gymnasium.registry)"


def answer(program):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("order", ["allocator, gymnasium", "gymnasium, allocator"])
def test_importing_the_package_registers_its_scenarios_in_any_order(order):
    assert answer(f"import {order}; {MAKE}") == "True"


def test_importing_the_package_alone_does_not_wait_for_heavy_libraries():
    heavy = "{'gymnasium', 'torch', 'stable_baselines3', 'matplotlib'} & set(sys.modules)"
    assert answer(f"import sys, allocator; print({heavy})") == "set()"


def test_an_unknown_name_is_an_attribute_error():
    import allocator

    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        allocator.Nonsense  # noqa: B018
