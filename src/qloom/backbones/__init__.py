"""Pretrained models as features for quantum heads: frozen and kept on disk, or trained with the head."""

from qloom.backbones.backbone import Backbone, TokenFeatures
from qloom.backbones.with_head import BackboneWithHead, with_head

__all__ = ["Backbone", "BackboneWithHead", "TokenFeatures", "with_head"]
