"""A plan as people read it."""

from __future__ import annotations

from qloom.correction.planning import CorrectionPlan

_UNITS = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"), (1e-3, "ms"), (1e-6, "µs"))


def plan_text(plan: CorrectionPlan) -> str:
    """One line for each thing that costs."""
    rotations, states, code = plan.failure
    per_round = plan.rate.per_round(plan.noise, plan.distance)
    rows = [
        ("target", f"fails in at most {plan.target:g} of all runs, physical error {plan.noise:.3g}"),
        ("rotations", _rotations(plan)),
        ("T gates", f"{plan.t_gates:,}"),
        ("code", f"rotated surface code, distance {plan.distance}, {per_round:.2g} errors a round and patch"),
        ("data", f"{plan.n_qubits} logical qubits in {plan.patches} patches of 2 d^2 - 1: {plan.data_qubits:,} qubits"),
        ("factories", _factories(plan)),
        ("qubits", f"{plan.physical_qubits:,} physical"),
        ("time", f"{plan.cycles:,} rounds of {duration(plan.cycle_time)}: {duration(plan.seconds)} a run"),
        ("failures", f"rotations {rotations:.2g}, T states {states:.2g}, code {code:.2g}: {sum(plan.failure):.2g}"),
        ("from", plan.rate.source),
    ]  # fmt: skip
    return "\n".join(f"{name:10s} {text}" for name, text in rows)


def _rotations(plan: CorrectionPlan) -> str:
    if plan.precision is None:
        return "none to approximate"
    return f"{plan.rotations:,}, each to {plan.precision:.2g}"


def _factories(plan: CorrectionPlan) -> str:
    if plan.factory is None:
        return "none, there are no T gates"
    factory = plan.factory
    return (
        f"{plan.n_factories} of {factory.name}: {plan.factory_qubits:,} qubits, states of error {factory.error:.2g} "
        f"(worked out for {factory.noise:g})"
    )


def duration(seconds: float) -> str:
    """In the largest unit of which it is one or more."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
