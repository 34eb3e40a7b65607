"""Models: hybrid networks for tables with a scikit-learn face, their controls and baselines."""

from qloom.models.architecture import ANSATZE, LAYERS, Architecture
from qloom.models.dressed import DressedCircuitClassifier
from qloom.models.estimators import HybridClassifier, HybridRegressor, load_model
from qloom.models.fitting import Fit, Recipe
from qloom.models.hybrid import HybridNetwork
from qloom.models.kernel_machines import QuantumGaussianProcess, QuantumKernelRidge, QuantumSVC
from qloom.models.kernels import fidelity_kernel, projected_features, projected_kernel
from qloom.models.reuploading import ReuploadingClassifier

__all__ = [
    "ANSATZE",
    "LAYERS",
    "Architecture",
    "DressedCircuitClassifier",
    "Fit",
    "HybridClassifier",
    "HybridNetwork",
    "HybridRegressor",
    "QuantumGaussianProcess",
    "QuantumKernelRidge",
    "QuantumSVC",
    "Recipe",
    "ReuploadingClassifier",
    "fidelity_kernel",
    "load_model",
    "projected_features",
    "projected_kernel",
]
