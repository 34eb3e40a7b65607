"""The command line: `qloom train`, `init`, `predict`, `evaluate`, `report`, `doctor`."""

from qloom.cli.main import app, main

__all__ = ["app", "main"]
