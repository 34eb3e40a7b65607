"""The models of every fine-tuning: what each is called, where it is kept, and what it is there for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qloom.models.tables.competitors import UNDER_TEST, Competitor

WORDS = "words"

MODELS: Mapping[str, Competitor] = {
    each.key: each
    for each in (
        Competitor(
            UNDER_TEST, "quantum adapter", "hybrid", "adapter", Path("model"),
            "The model under test: the pretrained model with the adapter, and a linear head.", None,
        ),
        Competitor(
            "hybrid_separable", "adapter without entanglement", "control", "separable", Path("controls", "separable"),
            "The same adapter without what couples its qubits or axes: does entanglement matter?",
            "the same adapter without entanglement",
        ),
        Competitor(
            "hybrid_classical", "classical adapter of equal size", "control", "classical",
            Path("controls", "classical"),
            "As many numbers, at fixed random places of the factors, in place of the circuits: do circuits matter?",
            "as many classical numbers in its place",
        ),
        Competitor(
            "hybrid_random", "adapter of random circuits", "control", "random", Path("controls", "random"),
            "The same number of angles in random circuits: does the design matter?", "random circuits in its place",
        ),
        Competitor(
            "lora", "LoRA", "baseline", "lora", Path("baselines", "lora"),
            "What one would use without a quantum computer.", "LoRA",
        ),
        Competitor(
            "linear", "linear model on frozen features", "baseline", None, Path("baselines", "linear"),
            "Is anything beyond the pretrained model as it is needed?", "a linear model on frozen features",
        ),
        Competitor(
            "boosting", "gradient boosting on frozen features", "baseline", None, Path("baselines", "boosting"),
            "The same features, another classical model.", "gradient boosting on frozen features",
        ),
        Competitor(
            WORDS, "linear model on words", "baseline", None, Path("baselines", "words"),
            "Is a pretrained model needed at all?", "a linear model on words",
        ),
    )
}  # fmt: skip
OF_IMAGES = {key: each for key, each in MODELS.items() if key != WORDS}
