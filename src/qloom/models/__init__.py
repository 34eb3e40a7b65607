"""Models: hybrid networks for tables with a scikit-learn face, their controls and baselines."""

from typing import TYPE_CHECKING

from qloom.exports import exported_by

if TYPE_CHECKING:
    from qloom.models.generative.boltzmann import QuantumBoltzmannMachine
    from qloom.models.generative.chow_liu import ChowLiuTree
    from qloom.models.generative.independent import IndependentBits
    from qloom.models.generative.iqp.model import IQPModel
    from qloom.models.generative.qcbm import QCBM
    from qloom.models.generative.qgan import QGAN
    from qloom.models.generative.restricted_boltzmann import RestrictedBoltzmannMachine
    from qloom.models.kernels.alignment import Alignment, align_kernel, ideal_kernel, kernel_alignment
    from qloom.models.kernels.kernel_machines import QuantumGaussianProcess, QuantumKernelRidge, QuantumSVC
    from qloom.models.kernels.kernels import fidelity_kernel, projected_features, projected_kernel
    from qloom.models.kernels.landmarks import QuantumLandmarks
    from qloom.models.kernels.quantum_kernel import QuantumKernel
    from qloom.models.published.circuit_centric import CircuitCentricClassifier
    from qloom.models.published.dressed import DressedCircuitClassifier
    from qloom.models.published.iqp import IQPVariationalClassifier
    from qloom.models.published.kitchen_sinks import QuantumKitchenSinks
    from qloom.models.published.metric_learner import QuantumMetricLearner
    from qloom.models.published.qcnn import QCNNClassifier
    from qloom.models.published.quanvolutional import QuantumFilter, QuanvolutionalClassifier
    from qloom.models.published.reuploading import ReuploadingClassifier
    from qloom.models.published.seeds import fit_seeds
    from qloom.models.published.separable import SeparableVariationalClassifier
    from qloom.models.published.tree import TreeTensorClassifier
    from qloom.models.saving import load_model
    from qloom.models.tables.architecture import Architecture
    from qloom.models.tables.choices import ANSATZE, LAYERS
    from qloom.models.tables.estimators import HybridClassifier, HybridRegressor
    from qloom.models.tables.feature_selector import QuadraticFeatureSelector
    from qloom.models.tables.fitting import Fit, Recipe
    from qloom.models.tables.hybrid import HybridNetwork
    from qloom.models.tables.together import fit_together

__all__ = [
    "ANSATZE",
    "LAYERS",
    "QCBM",
    "QGAN",
    "Alignment",
    "Architecture",
    "ChowLiuTree",
    "CircuitCentricClassifier",
    "DressedCircuitClassifier",
    "Fit",
    "HybridClassifier",
    "HybridNetwork",
    "HybridRegressor",
    "IQPModel",
    "IQPVariationalClassifier",
    "IndependentBits",
    "QCNNClassifier",
    "QuadraticFeatureSelector",
    "QuantumBoltzmannMachine",
    "QuantumFilter",
    "QuantumGaussianProcess",
    "QuantumKernel",
    "QuantumKernelRidge",
    "QuantumKitchenSinks",
    "QuantumLandmarks",
    "QuantumMetricLearner",
    "QuantumSVC",
    "QuanvolutionalClassifier",
    "Recipe",
    "RestrictedBoltzmannMachine",
    "ReuploadingClassifier",
    "SeparableVariationalClassifier",
    "TreeTensorClassifier",
    "align_kernel",
    "fidelity_kernel",
    "fit_seeds",
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
