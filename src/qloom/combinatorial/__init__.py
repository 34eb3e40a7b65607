"""Combinatorial optimization: models, problems and their files, quantum and quantum-inspired searches, certificates."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Where each name lives; imported where it is first used, so that a search does not bring what a schedule needs.
_PLACES = {
    "model": ["Model"],
    "quadratic": ["Quadratic"],
    "binary_form": ["BinaryForm"],
    "certificates": ["Certificate", "certify_model", "conflict"],
    "reductions": ["reduce_quadratic", "roof_dual"],
    "exchange": ["model_from_dimod", "model_to_dimod", "quadratic_from_dimod", "quadratic_to_dimod"],
    "program_files": ["read_program", "write_program"],
    "solving": ["solve"],
    "solved": ["Solved", "Stage"],
    "problems.base": ["Problem"],
    "problems.formats": ["FORMATS", "read_problem"],
    "problems.given": ["GivenModel"],
    "problems.max_cut": ["MaxCut", "read_max_cut"],
    "problems.qubo": ["read_qubo"],
    "problems.generalized_assignment": ["GeneralizedAssignment", "read_generalized_assignment"],
    "problems.job_shop": ["JobShop", "read_job_shop"],
    "problems.flexible_job_shop": ["FlexibleJobShop", "read_flexible_job_shop"],
    "problems.project_scheduling": ["ProjectScheduling", "read_project_scheduling"],
    "problems.facility_location": ["FacilityLocation", "read_facility_location"],
    "problems.quadratic_assignment": ["QuadraticAssignment", "read_quadratic_assignment"],
    "problems.travelling_salesman": ["TravellingSalesman", "read_travelling_salesman"],
    "problems.vehicle_routing": ["VehicleRouting", "read_vehicle_routing"],
    "problems.autocorrelation": ["LowAutocorrelation"],
    "problems.knapsack": ["Knapsack", "read_knapsack"],
    "problems.portfolio": ["Portfolio", "read_portfolio"],
    "problems.tangents": ["FrontierPoint", "frontier"],
    "problems.graph_colouring": ["GraphColouring", "read_graph_colouring"],
    "problems.graph_partition": ["GraphPartition", "read_graph_partition"],
    "problems.feature_selection": ["FeatureSelection"],
    "problems.configuration": ["SettingChoice"],
    "surrogate": ["FactorizationMachine", "fit_factorization_machine"],
    "sampler": ["QuadraticSurrogateSampler"],
    "solvers": [
        "Found", "MemeticAnnealing", "MemeticTabu", "ParallelTempering", "SimulatedAnnealing", "SimulatedBifurcation",
        "SimulatedQuantumAnnealing", "Solver", "TabuSearch", "descend",
    ],
    "wide": ["BlockSearch", "Enumeration", "LightCone", "PauliCorrelation", "light_cone_value"],
    "qaoa": [
        "CVaR", "Gibbs", "Mean", "Polynomial", "QAOA", "RecursiveQAOA", "VariationalSearch", "WarmStart", "XYRing",
        "relax",
    ],
}  # fmt: skip
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}

__all__ = sorted(_PLACE_OF)


def __getattr__(name: str) -> Any:
    if name not in _PLACE_OF:
        raise AttributeError(f"module 'qloom.combinatorial' has no attribute {name!r}")
    return getattr(import_module(f"qloom.combinatorial.{_PLACE_OF[name]}"), name)
