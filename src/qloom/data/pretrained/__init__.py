"""Pretrained models as they lie in folders, what they make of rows, and what was made of them on disk.

Text columns and `qloom.backbones` share it. Torch and transformers are imported where a model is first needed.
"""
