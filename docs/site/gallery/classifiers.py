"""Entries of classifiers: what `python -m benchmarks.published` finds again."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.published import mnist_3_6, qcnn, qml_kernels, qml_variational, reuploading
from docs.site.gallery.entry import Entry, Line, Rows, begins, is_true, newest_of, total
from docs.site.gallery.sources import BOWLES, HENDERSON, HUR, MNIST_TUTORIAL, PEREZ_SALINAS, TENSORFLOW_QUANTUM
from qloom.models import (
    CircuitCentricClassifier,
    DressedCircuitClassifier,
    IQPVariationalClassifier,
    QuantumKitchenSinks,
    QuantumMetricLearner,
    QuanvolutionalClassifier,
    ReuploadingClassifier,
    SeparableVariationalClassifier,
    TreeTensorClassifier,
)

MODELS = (
    DressedCircuitClassifier, ReuploadingClassifier, CircuitCentricClassifier, IQPVariationalClassifier,
    SeparableVariationalClassifier, TreeTensorClassifier, QuantumMetricLearner, QuantumKitchenSinks,
)  # fmt: skip
OF_IMAGES = [name for name, family in qml_variational.FAMILIES.items() if family.data == qml_variational.IMAGES]
OTHERS = [name for name in qml_variational.FAMILIES if name not in OF_IMAGES]

QML_DATA = "the data sets and scores of XanaduAI/qml-benchmarks (commit 0bbf848), in `data/qml_benchmarks`"
MNIST = "MNIST, in `data/mnist`"
FITTING = (
    "The published setting of each model and data set is taken as it is; the search for it is not repeated. Every seed "
    "is trained on all training rows and scored on the test rows."
)
VERDICT = (
    "The paper's own verdict, over all of its models and data sets: classical models as they come outperform the "
    "quantum ones, and a quantum model without its entanglement is often as good or better."
)


def found_again(*words: str) -> Callable[[], Rows]:
    """Rows of published.csv whose names begin so."""
    return newest_of("published", "name", only=begins("name", *words))


def models(*names: str) -> Callable[[], Rows]:
    """Rows of published models."""
    return found_again(*(f"{name}," for name in names))


def lines(rows: Rows) -> list[Line]:
    return [Line(row["name"], row["expected"], row["measured"], is_true(row["met"])) for row in rows]


ENTRIES = (
    Entry(
        slug="qml-kernels",
        title="Quantum kernels on two families of data sets",
        what="Accuracies of three quantum kernels with support vectors, beside those in the paper's repository.",
        sources=(BOWLES,),
        command="benchmarks.published.qml_kernels",
        data=QML_DATA,
        protocol=(qml_kernels, qml_kernels.published_iqp, qml_kernels.separable, qml_kernels.heisenberg),
        rows=models(*qml_kernels.MODELS),
        lines=lines,
        took=total("seconds"),
        control="The separable kernel is the control without entanglement: a product over qubits, cheap on any "
        f"computer. No classical kernel is run here. {VERDICT}",
    ),
    Entry(
        slug="qml-trained-classifiers",
        title="Trained quantum classifiers",
        what="Mean test accuracies of trained classifiers over five seeds, beside the published means.",
        sources=(BOWLES,),
        command=f"benchmarks.published.qml_variational {' '.join(OTHERS)}",
        data=QML_DATA,
        protocol=(qml_variational, FITTING, *MODELS, qml_variational.PublishedIQP),
        rows=models(*OTHERS),
        lines=lines,
        took=total("seconds"),
        control="The separable classifier is the control without entanglement. No classical model is trained here. "
        f"{VERDICT}",
    ),
    Entry(
        slug="quanvolution",
        title="Quanvolution beside a convolution",
        what="A quanvolutional network and a convolutional one of its form on small images, beside published means.",
        sources=(BOWLES, HENDERSON),
        command=f"benchmarks.published.qml_variational {' '.join(OF_IMAGES)}",
        data=f"{QML_DATA}, and {MNIST}",
        protocol=(qml_variational, FITTING, QuanvolutionalClassifier),
        rows=models(*OF_IMAGES),
        lines=lines,
        took=total("seconds"),
        control="The convolutional network is the control. By the published means on MNIST, 3 against 5, it is the "
        "better one: .812 and .964 at 4 x 4 and 8 x 8 pixels, the quanvolutional one .752 and .914.",
    ),
    Entry(
        slug="mnist-3-6",
        title="MNIST 3 against 6 in 16 pixels",
        what="The network of 32 angles of TensorFlow Quantum's tutorial on tiny black and white images.",
        sources=(MNIST_TUTORIAL, TENSORFLOW_QUANTUM),
        command="benchmarks.published.mnist_3_6",
        data=MNIST,
        protocol=(mnist_3_6, mnist_3_6.without_contradictions, mnist_3_6.model, mnist_3_6.train),
        rows=found_again("MNIST 3 against 6"),
        lines=lines,
        took=total("seconds"),
        control="The tutorial's own control is a classical network of 37 parameters on the same images. Two recorded "
        "runs of it reached .8720 and .9162. No control is run here.",
    ),
    Entry(
        slug="qcnn",
        title="Quantum convolutional networks on MNIST 0 against 1",
        what="Mean accuracies of three circuits with few weights on principal components of images.",
        sources=(HUR,),
        command="benchmarks.published.qcnn",
        data=MNIST,
        protocol=(qcnn, qcnn.chain, qcnn.train),
        rows=found_again("MNIST 0 against 1"),
        lines=lines,
        took=total("seconds"),
        control="Published beside them: a classical convolutional network of 26 parameters on eight components, "
        ".910 +- .127, of whose runs some diverge. No control is run here. Linear models tell zeros from ones too, so "
        "nothing follows from these accuracies but that the circuits are the published ones.",
    ),
    Entry(
        slug="reuploading",
        title="Re-uploading on one qubit: inside or outside of a circle",
        what="Accuracy of one qubit that is given each point several times, by the number of times.",
        sources=(PEREZ_SALINAS,),
        command="benchmarks.published.reuploading",
        data="",
        protocol=(reuploading, reuploading.points, reuploading.Model),
        rows=found_again("re-uploading on one qubit"),
        lines=lines,
        took=total("seconds"),
        control="No control is run. The task asks whether a sum of two squares is below 2/pi: linear models of the "
        "squares have the exact boundary among them.",
    ),
)
