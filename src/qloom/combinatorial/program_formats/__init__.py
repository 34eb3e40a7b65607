"""LP and MPS files: what they say, line by line, and what they mean as a model."""
