"""A trained model and rows that came later: what has moved, what to do about it, what it is worth over time."""
