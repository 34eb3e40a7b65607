"""Training: one loop for any module, any objective and any batches."""
