"""Measuring: an engine that wraps another, samplers of bits, classical shadows."""
