"""What a hybrid network can be made of, by name; nothing here needs torch or a circuit."""

from __future__ import annotations

ANSATZE = ("strongly_entangling", "hardware_efficient", "basic_entangler")
"""Functions of `qloom.ansatze` that a hybrid network's circuit may be; the first is the default."""
LAYERS = ("quantum", "separable", "classical")
"""What the middle of a hybrid network may be: the circuit, its separable control, or a classical layer."""
REFITS = ("linear", "boosting")
# Of each task, what a loss's predictions stand for; the first is its default.
LOSSES = {
    "classification": {"cross_entropy": "probabilities of classes"},
    "regression": {
        "squared": "means of numbers",
        "absolute": "medians",
        "poisson": "means of counts and other numbers from 0 on",
        "quantile": "the quantile that `quantile` names",
    },
}
LOSS_NAMES = ("auto", *(name for names in LOSSES.values() for name in names))
# What models of one table share, of `goals.Goal`: parameters of the estimators, keys of the training section.
GOAL_FIELDS = ("loss", "quantile", "class_weight", "target_transformation", "threshold")
# Scores of decisions that a threshold may be chosen by.
CRITERIA = ("accuracy", "balanced_accuracy", "f1")
