"""Finished runs in the records of other systems."""
