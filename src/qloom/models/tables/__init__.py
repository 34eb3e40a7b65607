"""Hybrid models for tables: networks, their training, their controls and baselines, scores, what predicts."""
