"""Packages that only some need."""

from __future__ import annotations


class MissingPackageError(RuntimeError):
    """A package is not installed; says how to install it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: pip install 'persona-qoe[{extra}]'")
