#!/bin/sh
# <Z> of every qubit, asked for with its qubits named and without: only the first has the readout noise of Braket's noise model.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet amazon-braket-sdk==1.127.5
cd "$folder"
environment/bin/python - <<'PYTHON'
import numpy as np
from braket.circuits import Circuit, Noise, Observable
from braket.circuits.noise_model import NoiseModel, ObservableCriteria
from braket.devices import LocalSimulator

noise = NoiseModel()
noise.add_noise(Noise.BitFlip(0.2), ObservableCriteria())


def means(circuit):
    return np.ravel(LocalSimulator("braket_dm").run(noise.apply(circuit), shots=0).result().values).round(6).tolist()


def flipped():
    return Circuit().x(0).x(1)


named = means(flipped().expectation(Observable.Z(), 0).expectation(Observable.Z(), 1))
unnamed = means(flipped().expectation(Observable.Z()))
print(f"amazon-braket-sdk 1.127.5, a bit flip with 0.2 for all observables and qubits: <Z> of qubits 0 and 1 named {named}, of all {unnamed}")
assert named == [-0.6, -0.6]
assert unnamed == [-1.0, -1.0], "an observable of all qubits has the noise now"
PYTHON
