"""Makes `gymnasium.make("allocator/...")` work after `import allocator`, in any import order.

Gymnasium takes a tenth of a second to import, which `allocator --help` must not wait for. So the
scenarios are registered at once if Gymnasium is there already, else when it is first imported.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

SCENARIOS = {
    "allocator/SharedDenoising-v0": "allocator.scenarios.shared_denoising_env:SharedDenoisingEnv",
    "allocator/SharedDenoisingEasy-v0": "allocator.scenarios.shared_denoising_env:easy",
    "allocator/SharedDenoisingHard-v0": "allocator.scenarios.shared_denoising_env:hard",
}


def register_scenarios() -> None:
    """Tell Gymnasium every scenario's id and where it is; nothing else is imported."""
    from gymnasium.envs.registration import register, registry

    for name, entry_point in SCENARIOS.items():
        if name not in registry:
            register(id=name, entry_point=entry_point)


def register_scenarios_with_gymnasium() -> None:
    """Register now if Gymnasium is loaded, else as soon as it is."""
    if "gymnasium" in sys.modules:
        register_scenarios()
    else:
        sys.meta_path.insert(0, _AfterGymnasium())


class _AfterGymnasium(MetaPathFinder):
    """Finds Gymnasium as usual, once, and registers the scenarios right after it has loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_register(module: ModuleType) -> None:
            load(module)
            register_scenarios()

        spec.loader.exec_module = load_and_register  # type: ignore[method-assign]
        return spec
