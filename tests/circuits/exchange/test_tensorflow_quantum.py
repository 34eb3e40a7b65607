"""Messages of TensorFlow Quantum, made with protobuf from the format's own definition, beside Cirq's matrices."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.circuits import Circuit
from qloom.circuits.exchange import from_tfq
from qloom.errors import CircuitError, UnsupportedError
from tests.circuits.dense import circuit_matrix

pytest.importorskip("google.protobuf", reason="protobuf is not installed")
descriptor_pb2 = pytest.importorskip("google.protobuf.descriptor_pb2")
descriptor_pool = pytest.importorskip("google.protobuf.descriptor_pool")
message_factory = pytest.importorskip("google.protobuf.message_factory")

TYPES = {"double": 1, "float": 2, "bool": 8, "string": 9}
MESSAGES = {
    "Language": {"gate_set": (1, "string"), "arg_function_language": (2, "string")},
    "Program": {"language": (1, "Language"), "circuit": (2, "Circuit")},
    "Circuit": {"moments": (2, "*Moment")},
    "Moment": {"operations": (1, "*Operation")},
    "Operation": {"gate": (1, "Gate"), "args": (2, "*Entry"), "qubits": (3, "*Qubit")},
    "Entry": {"key": (1, "string"), "value": (2, "Arg")},  # what a map is
    "Gate": {"id": (1, "string")},
    "Qubit": {"id": (2, "string")},
    "Arg": {"arg_value": (1, "ArgValue"), "symbol": (2, "string"), "func": (3, "ArgFunction")},
    "ArgValue": {"float_value": (1, "float"), "string_value": (3, "string"), "double_value": (4, "double")},
    "ArgFunction": {"type": (1, "string"), "args": (2, "*Arg")},
}


def program_class():
    file = descriptor_pb2.FileDescriptorProto(name="program.proto", package="tfq", syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            plain = kind.lstrip("*")
            added = message.field.add(name=field, number=number, label=3 if kind.startswith("*") else 1)
            added.type = TYPES.get(plain, 11)
            if plain not in TYPES:
                added.type_name = f".tfq.{plain}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file) if hasattr(pool, "Add") else pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tfq.Program"))


Program = program_class()


def serialized(*ops) -> bytes:
    """Operations (gate, qubits, arguments): numbers, "$name" for symbols, other text as such."""
    program = Program()
    program.language.gate_set = "tfq_gate_set"
    for gate, qubits, arguments in ops:
        op = program.circuit.moments.add().operations.add()
        op.gate.id = gate
        for name, value in arguments.items():
            entry = op.args.add(key=name)
            if isinstance(value, str) and value.startswith("$"):
                entry.value.symbol = value[1:]
            elif isinstance(value, str):
                entry.value.arg_value.string_value = value
            else:
                entry.value.arg_value.float_value = value
        for qubit in qubits:
            op.qubits.add(id=qubit)
    return program.SerializeToString()


def power(exponent, factor=1.0, shift=0.0, **more):
    return {"exponent": exponent, "exponent_scalar": factor, "global_shift": shift} | more


POWERS = {
    "XP": "XPowGate", "YP": "YPowGate", "ZP": "ZPowGate", "HP": "HPowGate", "XXP": "XXPowGate", "YYP": "YYPowGate",
    "ZZP": "ZZPowGate", "CZP": "CZPowGate", "CNP": "CXPowGate", "SP": "SwapPowGate", "ISP": "ISwapPowGate",
}  # fmt: skip


@pytest.mark.parametrize("name", POWERS)
def test_powers_are_cirqs(name):
    cirq = pytest.importorskip("cirq", reason="the extra 'exchange' is not installed")
    kind = getattr(cirq, POWERS[name])
    width = cirq.num_qubits(kind())
    q, names = cirq.GridQubit.rect(1, width), [f"0_{k}" for k in range(width)]
    for exponent, shift in ((1.0, 0.0), (0.5, -0.5), (0.25, 0.5)):
        ours = from_tfq(serialized((name, names[::-1], power(exponent, 1.0, shift))))
        expected = cirq.Circuit(kind(exponent=exponent, global_shift=shift).on(*q[::-1]))
        assert np.abs(circuit_matrix(ours) - cirq.unitary(expected)).max() < 1e-10
    slots = from_tfq(serialized((name, names, power("$a", 0.5, 0.25))))
    expected = cirq.Circuit(kind(exponent=0.5 * 0.7, global_shift=0.25).on(*q))
    assert np.abs(circuit_matrix(slots, (), [0.7]) - cirq.unitary(expected)).max() < 1e-10


def test_other_gates_are_cirqs():
    cirq = pytest.importorskip("cirq", reason="the extra 'exchange' is not installed")
    q = cirq.GridQubit.rect(1, 3)
    phased = {"phase_exponent": 0.25, "phase_exponent_scalar": 0.5} | power(0.75, -1.0)
    fsim = {"theta": "$t", "theta_scalar": 2.0, "phi": 0.5, "phi_scalar": 1.0}
    ours = from_tfq(serialized(
        ("PXP", ["0_1"], phased), ("PISP", ["0_2", "0_0"], phased), ("FSIM", ["0_0", "0_1"], fsim),
        ("I", ["0_2"], {}), ("XP", ["0_0"], power("$s", control_qubits="0_2,0_1", control_values="1,0")),
    ))  # fmt: skip
    expected = cirq.Circuit(
        cirq.PhasedXPowGate(phase_exponent=0.125, exponent=-0.75)(q[1]),
        cirq.PhasedISwapPowGate(phase_exponent=0.125, exponent=-0.75)(q[2], q[0]),
        cirq.FSimGate(2 * 0.3, 0.5)(q[0], q[1]),
        (cirq.X**0.4)(q[0]).controlled_by(q[2], q[1], control_values=[1, 0]),
    )
    assert [block.name for block in ours.weight_slots] == ["t", "s"]
    assert np.abs(circuit_matrix(ours, (), [0.3, 0.4]) - cirq.unitary(expected)).max() < 1e-10


def test_channels_symbols_and_qubits():
    ours = from_tfq(serialized(
        ("DP", ["0_10"], {"p": 0.25}), ("ADP", ["0_2"], {"p_x": 0.125, "p_y": 0.25, "p_z": 0.5}),
        ("GAD", ["0_2"], {"p": 0.75, "gamma": 0.5}), ("AD", ["0_2"], {"gamma": 0.5}), ("PD", ["0_2"], {"gamma": 0.5}),
        ("PF", ["0_2"], {"p": 0.5}), ("RST", ["0_2"], {}), ("XP", ["0_2"], power("$x", 0.5)),
    ), inputs=["x"])  # fmt: skip
    expected = Circuit(2)
    x = expected.inputs(name="x").item()
    expected.depolarizing(0.25, 1).pauli_channel((0.125, 0.25, 0.5), 0).generalized_amplitude_damping(0.5, 0.25, 0)
    expected.amplitude_damping(0.5, 0).phase_damping(0.5, 0).phase_flip(0.5, 0).reset(0)
    expected.rx(0.5 * x * np.pi, 0).global_phase(0.5 * x * np.pi * 0.5)
    assert ours == expected
    wide = from_tfq(serialized(("XP", ["0_2"], power(1.0))), qubits=["0_0", "0_1", "0_2"])
    assert wide == Circuit(3).x(2)


def test_bytes_that_are_no_message_are_refused():
    good = serialized(("XP", ["0_0"], power(1.0)))
    for wrong in (b"", b"abc", good[:-3], b"\xff" * 20):
        with pytest.raises(CircuitError, match="no circuit of TensorFlow Quantum"):
            from_tfq(wrong)
    with pytest.raises(CircuitError, match="expected bytes"):
        from_tfq("text")
    with pytest.raises(UnsupportedError, match="'ABC'"):
        from_tfq(serialized(("ABC", ["0_0"], {})))
    with pytest.raises(CircuitError, match="lacks '0_0'"):
        from_tfq(good, qubits=["0_1"])
