"""QAOA as a search: schedules to start from, mixers by name, depth reached layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.checks import finite, whole
from qloom.circuits import Circuit
from qloom.combinatorial.qaoa.angles import field, interpolated, linear_ramp, with_a_wave_more
from qloom.combinatorial.qaoa.circuit import qaoa_circuit
from qloom.combinatorial.qaoa.cost import Polynomial
from qloom.combinatorial.qaoa.grover import GroverLandscape
from qloom.combinatorial.qaoa.landscape import CircuitLandscape, Landscape, check_width
from qloom.combinatorial.qaoa.mixers import Mixer, TransverseField
from qloom.combinatorial.qaoa.objectives import Objective
from qloom.combinatorial.qaoa.search import CircuitSearch
from qloom.combinatorial.qaoa.symmetry import EvenLandscape, is_even
from qloom.combinatorial.qaoa.tree import tree_angles
from qloom.errors import ProblemError

LONGER = {"interpolation": interpolated, "fourier": with_a_wave_more}
STARTS = ("ramp", "tree", "random", *LONGER)
# Of trees; schedules of more layers take a second and more and hardly differ from these, drawn out.
MOST_TREE_LAYERS = 6


class QAOA(CircuitSearch):
    """Layers of the cost and of a mixer, their angles descended on by adjoint gradients. At most 26 variables.

    Args:
        n_layers: p, at least 1.
        mixer: "x", "grover", or a `Mixer` such as `XYRing(groups)` or `WarmStart(relaxed)`.
        objective: `Mean()`, `CVaR(alpha)` or `Gibbs(eta)`; None for the mean.
        start: of the first descent: "ramp"; "tree", the best angles of trees with as many neighbours as the cost's
            spins have, those of 6 layers drawn out to more; "interpolation" and "fourier", descents from one layer up;
            "random"; or angles (W,). Other descents start from these, each angle times a random factor, or from random
            angles.
        multi_angle: an angle for each term and each part of the mixer.
        shots: states a round.
        n_starts: descents side by side.
        n_steps: of each descent, at most; 0 takes the angles as they are.
        dtype: of the simulation, float64 or float32.
        threads: None for all processors; results do not depend on them.

    Raises:
        ProblemError: for an unknown mixer or start, a combination that has no meaning, or numbers that cannot be.

    Source: Farhi, Goldstone, Gutmann 2014, arXiv 1411.4028.
    """

    def __init__(
        self, n_layers: int = 3, mixer: str | Mixer = "x", objective: Objective | None = None, start: Any = "ramp",
        multi_angle: bool = False, shots: int = 1024, n_starts: int = 4, n_steps: int = 200,
        dtype: Any = np.float64, threads: int | None = None,
    ):  # fmt: skip
        super().__init__(objective, shots, n_starts, n_steps, dtype, threads)
        whole(1, n_layers=n_layers)
        if not (mixer in ("x", "grover") if isinstance(mixer, str) else isinstance(mixer, Mixer)):
            raise ProblemError(f"mixer={mixer!r}, expected 'x', 'grover' or a Mixer such as XYRing(groups)")
        self.start = start if isinstance(start, str) else finite("start", start).ravel()
        if isinstance(start, str) and start not in STARTS:
            raise ProblemError(f"start={start!r}, expected angles or one of {', '.join(STARTS)}")
        if multi_angle and (mixer == "grover" or self._climbs):
            raise ProblemError("multi_angle=True, expected a mixer of parts and a start other than layer by layer")
        self.n_layers, self.mixer, self.multi_angle = n_layers, mixer, multi_angle

    def landscape(self, cost: Polynomial, n_layers: int | None = None) -> Landscape:
        """The objective; of another number of layers, if given."""
        check_width(cost.n)
        p = self.n_layers if n_layers is None else n_layers
        if self.mixer == "grover":
            return GroverLandscape(cost, p, self.objective)
        options = self.objective, self.dtype, self.threads
        if self.mixer == "x" and not self.multi_angle and is_even(cost):
            return EvenLandscape(cost, p, *options)
        return CircuitLandscape(self.circuit(cost, p), cost, *options)

    def circuit(self, cost: Polynomial, n_layers: int | None = None) -> Circuit:
        """On as many qubits as the cost has spins; of another number of layers, if given."""
        mixer = self.mixer if isinstance(self.mixer, Mixer) else None
        return qaoa_circuit(cost, self.n_layers if n_layers is None else n_layers, mixer, self.multi_angle)

    def starts(
        self, cost: Polynomial, n_angles: int, fresh: bool, random: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        if self._climbs:
            return self._climb(cost, self._scattered(self._ramp(cost, 1).ravel(), fresh, random))
        if isinstance(self.start, str) and self.start == "random":
            return self._random(cost, n_angles, random), 0
        base = self._base(cost) if isinstance(self.start, str) else self.start
        if base.shape != (n_angles,):
            raise ProblemError(f"start has {base.size} angles, expected {n_angles}")
        return self._scattered(base, fresh, random), 0

    @property
    def _climbs(self) -> bool:
        return isinstance(self.start, str) and self.start in LONGER

    def _climb(self, cost: Polynomial, points: np.ndarray) -> tuple[np.ndarray, int]:
        """From one layer up: descents, then schedules of the same shape for one layer more."""
        spent = 0
        for p in range(1, self.n_layers):
            descents = self.descents(cost, self.landscape(cost, p), points)
            descents.run(self.n_steps)
            spent += descents.n_evaluations
            points = np.array([LONGER[str(self.start)](one.reshape(2, -1)).ravel() for one in descents.points])
        return points, spent

    def _base(self, cost: Polynomial) -> np.ndarray:
        """The schedule of the first start, (W,)."""
        gammas, betas = self._ramp(cost, self.n_layers) if self.start == "ramp" else self._of_tree(cost)
        if self.multi_angle:
            mixer = self.mixer if isinstance(self.mixer, Mixer) else TransverseField()
            gammas, betas = np.repeat(gammas, len(cost.terms)), np.repeat(betas, mixer.n_parts(cost.n))
        return np.concatenate([gammas, betas])

    def _ramp(self, cost: Polynomial, n_layers: int) -> np.ndarray:
        ramp = linear_ramp(n_layers, self._energy(cost))
        # Its B has eigenvalues 0 and 1 alone.
        return ramp * [[1], [4]] if self.mixer == "grover" else ramp

    def _energy(self, cost: Polynomial) -> float:
        """What gammas are measured against: the field of one spin, where all move at once the spread of energies."""
        return field(cost) * (np.sqrt(cost.n) if self.mixer == "grover" else 1.0)

    def units(self, cost: Polynomial, n_angles: int) -> np.ndarray:
        gammas = len(cost.terms) * self.n_layers if self.multi_angle else n_angles // 2
        return np.repeat([1 / self._energy(cost), 1.0], [gammas, n_angles - gammas])

    def _of_tree(self, cost: Polynomial) -> np.ndarray:
        """Angles of the tree with the mean number of neighbours, in units of the cost's field."""
        pairs = sum(len(term) == 2 for term in cost.terms)
        degree = max(2, round(2 * pairs / cost.n))
        angles = tree_angles(degree, min(self.n_layers, MOST_TREE_LAYERS))
        while angles.shape[1] < self.n_layers:
            angles = interpolated(angles)
        return angles * [[np.sqrt(degree) / 2 / field(cost)], [1]]

    def _scattered(self, base: np.ndarray, fresh: bool, random: np.random.Generator) -> np.ndarray:
        """The base, as it is in a first round, and angles from half of it to half as much again. (n_starts, W)"""
        factors = random.uniform(0.5, 1.5, (self.n_starts, len(base)))
        factors[: int(fresh)] = 1.0
        return base * factors

    def _random(self, cost: Polynomial, n_angles: int, random: np.random.Generator) -> np.ndarray:
        """All up to pi / 2, in units. (n_starts, W)"""
        return random.uniform(0, np.pi / 2, (self.n_starts, n_angles)) * self.units(cost, n_angles)
