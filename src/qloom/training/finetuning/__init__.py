"""Runs of `qloom finetune`: an adapter of a pretrained model beside its controls, LoRA and classical models."""
