"""Circuits for devices: gates written in theirs, places on their qubits."""
