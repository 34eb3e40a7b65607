"""What a hybrid network can be made of, by name; nothing here needs torch."""

from __future__ import annotations

from collections.abc import Callable

from qloom import ansatze
from qloom.circuits import Circuit

ANSATZE: dict[str, Callable[[int, int], Circuit]] = {
    "strongly_entangling": ansatze.strongly_entangling,
    "hardware_efficient": ansatze.hardware_efficient,
    "basic_entangler": ansatze.basic_entangler,
}
LAYERS = ("quantum", "separable", "classical")
REFITS = ("linear", "boosting")
