"""The command line: `qloom train`, `init`, `predict`, `evaluate`, `report`, `doctor`."""

from qloom.cli.main import main

__all__ = ["main"]
