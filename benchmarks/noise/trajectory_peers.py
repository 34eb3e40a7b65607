"""Trajectories of others, run in their interpreters: python trajectory_peers.py qsim|aer n layers rate N threads.

Prints <Z> of the first qubit and, last, seconds a trajectory. qsimcirq 0.22.1 (fused gates of up to three qubits, the
fastest of two, three and four); qiskit-aer 0.18.2, state vectors in single precision.
"""

import sys
import time

import numpy as np


def angles(n, layers):
    random = np.random.default_rng(0)
    return random.normal(size=n), random.normal(size=3 * n * layers)


def qsim(n, layers, rate, count, threads):
    import cirq
    import qsimcirq

    x, w = angles(n, layers)
    qubits, circuit, slot = cirq.LineQubit.range(n), cirq.Circuit(), iter(w)

    def add(gate, *places):
        circuit.append(gate(*(qubits[q] for q in places)))
        circuit.append(cirq.depolarize(rate)(qubits[q]) for q in places)

    for q in range(n):
        add(cirq.ry(x[q]), q)
    for _ in range(layers):
        for q in range(n):
            for rotation in (cirq.rz, cirq.ry, cirq.rz):
                add(rotation(next(slot)), q)
        for q in range(n):
            add(cirq.CNOT, q, (q + 1) % n)
    options = qsimcirq.QSimOptions(cpu_threads=threads, max_fused_gate_size=3, ev_noisy_repetitions=count)
    simulator = qsimcirq.QSimSimulator(options, seed=1)
    start = time.perf_counter()
    values = simulator.simulate_expectation_values(circuit, [cirq.Z(q) for q in qubits])
    return np.real(values[0]), (time.perf_counter() - start) / count


def aer(n, layers, rate, count, threads):
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import SparsePauliOp
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel, depolarizing_error

    x, w = angles(n, layers)
    model, error = NoiseModel(), depolarizing_error(4 * rate / 3, 1)
    model.add_all_qubit_quantum_error(error, ["ry", "rz"])
    model.add_all_qubit_quantum_error(error.tensor(error), ["cx"])
    circuit, slot = QuantumCircuit(n), iter(w)
    for q in range(n):
        circuit.ry(x[q], q)
    for _ in range(layers):
        for q in range(n):
            circuit.rz(next(slot), q)
            circuit.ry(next(slot), q)
            circuit.rz(next(slot), q)
        for q in range(n):
            circuit.cx(q, (q + 1) % n)
    for q in range(n):
        circuit.save_expectation_value(SparsePauliOp("Z"), [q], label=f"z{q}")
    simulator = AerSimulator(
        method="statevector", precision="single", noise_model=model, max_parallel_threads=threads, seed_simulator=1
    )
    start = time.perf_counter()
    result = simulator.run(circuit, shots=count).result()
    return result.data()["z0"], (time.perf_counter() - start) / count


if __name__ == "__main__":
    name, n, layers, rate, count, threads = sys.argv[1:]
    value, seconds = {"qsim": qsim, "aer": aer}[name](int(n), int(layers), float(rate), int(count), int(threads))
    print(value, seconds)
