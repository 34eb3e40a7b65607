"""The circuit of the comparison, gate by gate, for peers that build theirs so."""


def gates(n, n_layers, reuploading=False):
    """(name, qubits, angle): the angle is ("input", q), ("weight", index) or None.

    RY(x_q) on every qubit, then n_layers times RZ RY RZ on every qubit and a ring of CNOTs.
    """
    index = 0
    for layer in range(n_layers):
        if layer == 0 or reuploading:
            for q in range(n):
                yield "ry", (q,), ("input", q)
        for q in range(n):
            for name in ("rz", "ry", "rz"):
                yield name, (q,), ("weight", index)
                index += 1
        for q in range(n):
            yield "cx", (q, (q + 1) % n), None


def size_of(problem):
    """n, B, L of a problem."""
    batch, n = problem["inputs"].shape
    return n, batch, problem["weights"].size // (3 * n)


def numbers(problem, sample=0):
    """(name, qubits, angle or None) with the numbers of one sample put in."""
    n, _, n_layers = size_of(problem)
    values = {"input": problem["inputs"][sample], "weight": problem["weights"]}
    for name, qubits, angle in gates(n, n_layers):
        yield name, qubits, None if angle is None else float(values[angle[0]][angle[1]])
