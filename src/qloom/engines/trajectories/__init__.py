"""Noise by random trajectories: unbiased estimates, batched and differentiable, without density matrices."""

from qloom.engines.trajectories.engine import TrajectoryEngine

__all__ = ["TrajectoryEngine"]
