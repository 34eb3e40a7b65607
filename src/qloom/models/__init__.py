"""Models: hybrid networks for tables with a scikit-learn face, their controls and baselines."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.models.alignment import Alignment, align_kernel, ideal_kernel, kernel_alignment
    from qloom.models.architecture import Architecture
    from qloom.models.choices import ANSATZE, LAYERS
    from qloom.models.circuit_centric import CircuitCentricClassifier
    from qloom.models.dressed import DressedCircuitClassifier
    from qloom.models.estimators import HybridClassifier, HybridRegressor, load_model
    from qloom.models.feature_selector import QuadraticFeatureSelector
    from qloom.models.fitting import Fit, Recipe
    from qloom.models.hybrid import HybridNetwork
    from qloom.models.iqp import IQPVariationalClassifier
    from qloom.models.kernel_machines import QuantumGaussianProcess, QuantumKernelRidge, QuantumSVC
    from qloom.models.kernels import fidelity_kernel, projected_features, projected_kernel
    from qloom.models.kitchen_sinks import QuantumKitchenSinks
    from qloom.models.landmarks import QuantumLandmarks
    from qloom.models.metric_learner import QuantumMetricLearner
    from qloom.models.qcnn import QCNNClassifier
    from qloom.models.quantum_kernel import QuantumKernel
    from qloom.models.quanvolutional import QuanvolutionalClassifier
    from qloom.models.reuploading import ReuploadingClassifier
    from qloom.models.separable import SeparableVariationalClassifier
    from qloom.models.together import fit_together
    from qloom.models.tree import TreeTensorClassifier

__all__ = [
    "ANSATZE",
    "LAYERS",
    "Alignment",
    "Architecture",
    "CircuitCentricClassifier",
    "DressedCircuitClassifier",
    "Fit",
    "HybridClassifier",
    "HybridNetwork",
    "HybridRegressor",
    "IQPVariationalClassifier",
    "QCNNClassifier",
    "QuadraticFeatureSelector",
    "QuantumGaussianProcess",
    "QuantumKernel",
    "QuantumKernelRidge",
    "QuantumKitchenSinks",
    "QuantumLandmarks",
    "QuantumMetricLearner",
    "QuantumSVC",
    "QuanvolutionalClassifier",
    "Recipe",
    "ReuploadingClassifier",
    "SeparableVariationalClassifier",
    "TreeTensorClassifier",
    "align_kernel",
    "fidelity_kernel",
    "fit_together",
    "ideal_kernel",
    "kernel_alignment",
    "load_model",
    "projected_features",
    "projected_kernel",
]

__getattr__ = exported_by(__name__)


def __dir__() -> list[str]:
    return __all__
