"""Imaginary time: the states follow exp(-H t) as nearly as the circuit lets them, down to the ground state.

McLachlan's principle gives G d theta / dt = -grad E / 2 with the metric G of the states: natural gradient with a step
of half the time. The quantum Fisher information is 4 G.

Source: McArdle et al. 2019, npj Quantum Information 5, 75.
"""

from __future__ import annotations

from typing import Any

from qloom.engines import Engine
from qloom.optimizers.natural_gradient import NaturalGradient


class ImaginaryTime(NaturalGradient):
    """Steps of imaginary time for circuits whose loss is an energy <H>.

    Args:
        model: a module, or several, with QuantumLayers in it; the loss is their expectation value of H.
        time_step: in units of 1 / H; with small ones the energy never rises.
        damping: added to the scaled metric, whose diagonal is 1.
        engine: gives the states of the metric; None for each layer's own, which must give states.

    Raises:
        ConfigError: as `NaturalGradient`.

    Source: McArdle et al. 2019, npj Quantum Information 5, 75.
    """

    def __init__(self, model: Any, time_step: float = 0.05, damping: float = 1e-3, engine: Engine | None = None):
        super().__init__(model, lr=time_step / 2, damping=damping, longest=None, engine=engine)
