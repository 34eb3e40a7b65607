"""Encoders: circuits that take features in. Each returns a Circuit whose inputs it documents."""

from qloom.encoders.amplitude import amplitude, normalize
from qloom.encoders.angle import angle
from qloom.encoders.basis import basis, bits
from qloom.encoders.chebyshev import chebyshev, chebyshev_inputs
from qloom.encoders.dense_angle import dense_angle
from qloom.encoders.encoding import ENCODERS, Encoding, encoding, plan
from qloom.encoders.fourier import fourier
from qloom.encoders.hybrid_angle import hybrid_angle
from qloom.encoders.iqp import iqp, iqp_inputs, zz_inputs
from qloom.encoders.matrix_product import PreparedState, matrix_product
from qloom.encoders.reuploading import reuploading, scaled_inputs

__all__ = [
    "ENCODERS",
    "Encoding",
    "PreparedState",
    "amplitude",
    "angle",
    "basis",
    "bits",
    "chebyshev",
    "chebyshev_inputs",
    "dense_angle",
    "encoding",
    "fourier",
    "hybrid_angle",
    "iqp",
    "iqp_inputs",
    "matrix_product",
    "normalize",
    "plan",
    "reuploading",
    "scaled_inputs",
    "zz_inputs",
]
