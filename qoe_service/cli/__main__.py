"""`python -m qoe_service.cli`: the same as `qoe`."""

from qoe_service.cli import app

app()
