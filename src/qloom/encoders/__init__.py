"""Encoders: circuits that take features in. Each returns a Circuit whose inputs it documents."""

from qloom.encoders.amplitude import amplitude, normalize
from qloom.encoders.angle import angle
from qloom.encoders.basis import basis
from qloom.encoders.iqp import iqp, iqp_inputs
from qloom.encoders.reuploading import reuploading, scaled_inputs

__all__ = ["amplitude", "angle", "basis", "iqp", "iqp_inputs", "normalize", "reuploading", "scaled_inputs"]
