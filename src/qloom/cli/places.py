"""Where processes run: on this machine, or on a cluster of Ray."""

from __future__ import annotations

from qloom.errors import ConfigError

HERE, RAY = "here", "ray"
ON_HELP = "Where workers run: here, or ray, the cluster of RAY_ADDRESS or a local one."


def check_place(name: str) -> str:
    """The name.

    Raises:
        ConfigError: for one that is none.
    """
    if name not in (HERE, RAY):
        raise ConfigError(f"--on is {name!r}, expected {HERE} or {RAY}; choose one of them")
    return name
