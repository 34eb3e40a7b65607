"""Recurrent layers whose gates are circuits: LSTM and GRU, with the arguments and shapes of torch's."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable
from itertools import repeat
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout as dropped
from torch.nn.utils.rnn import PackedSequence

from qloom.ansatze import strongly_entangling
from qloom.checks import checked_count, is_real
from qloom.circuits.circuit import Circuit
from qloom.encoders import angle
from qloom.engines.base import Engine
from qloom.errors import ConfigError, ShapeError
from qloom.nn.initialization import derived_seeds, seeded_linear
from qloom.nn.layer import QuantumLayer

# Of a cell: h for a GRU; h and c for an LSTM. Shapes: (B, H) each.
State = tuple[Tensor, ...]


class QuantumCell(nn.Module):
    """What the cells of LSTM and GRU share: one layer in one direction.

    What a step takes in and the state before it are mapped to one angle a qubit; each gate is a circuit on these
    angles, and a linear map of its expectation values.

    Args:
        input_size, hidden_size: F, H.
        circuit: of n inputs, the angles, and with Z of every qubit measured.
        engine, dtype, seed: of the gates' `QuantumLayer`; the seed is that of the linear maps too.
    """

    gates: tuple[str, ...] = ()
    n_states = 1

    def __init__(
        self, input_size: int, hidden_size: int, circuit: Circuit, engine: Engine | None, dtype: torch.dtype | None,
        seed: int | None,
    ):  # fmt: skip
        super().__init__()
        n, seeds = circuit.n_qubits, iter(derived_seeds(seed, 2 + 2 * len(self.gates)))
        self.from_input = seeded_linear(input_size, n, dtype=dtype, seed=next(seeds))
        self.from_state = seeded_linear(hidden_size, n, bias=False, dtype=dtype, seed=next(seeds))
        self.circuits = nn.ModuleDict(
            {name: QuantumLayer(circuit, engine=engine, dtype=dtype, seed=next(seeds)) for name in self.gates}
        )
        self.to_hidden = nn.ModuleDict(
            {name: seeded_linear(n, hidden_size, dtype=dtype, seed=next(seeds)) for name in self.gates}
        )

    def gate(self, name: str, angles: Tensor) -> Tensor:
        """What a gate says before its own non-linearity: angles (B, n) -> (B, H)."""
        return self.to_hidden[name](self.circuits[name](angles))

    @abstractmethod
    def step(self, angles: Tensor, state: State) -> State:
        """The next state from the input's part of the angles (B, n) and the state before."""

    def forward(self, data: Tensor, sizes: list[int], state: State, backwards: bool = False) -> tuple[Tensor, State]:
        """A walk through time, or back.

        The map of the inputs is taken for all times at once; the circuits of a step for all sequences at once, since
        each step waits for the one before.

        Args:
            data: rows of all times, (sum of sizes, F): of each time those of the sequences that are as long, in order.
            sizes: how many those are.
            state: before, (B, H) each.
        """
        times = list(enumerate(self.from_input(data).split(sizes)))
        outputs: list[Any] = [None] * len(times)
        for t, angles in reversed(times) if backwards else times:
            now = self.step(angles, tuple(part[: sizes[t]] for part in state))
            outputs[t] = now[0]
            # Sequences that are over keep the state they ended with; walking back, longer ones begin before others.
            state = now if len(angles) == len(state[0]) else tuple(map(_over_first, now, state))
        return torch.cat(outputs), state


def _over_first(new: Tensor, old: Tensor) -> Tensor:
    return torch.cat([new, old[len(new) :]])


class LSTMCell(QuantumCell):
    """One layer of a `QuantumLSTM`."""

    gates = ("forget", "take", "propose", "show")
    n_states = 2

    def step(self, angles: Tensor, state: State) -> State:
        h, c = state
        angles = angles + self.from_state(h)
        forget, take, show = (torch.sigmoid(self.gate(name, angles)) for name in ("forget", "take", "show"))
        c = forget * c + take * torch.tanh(self.gate("propose", angles))
        return show * torch.tanh(c), c


class GRUCell(QuantumCell):
    """One layer of a `QuantumGRU`."""

    gates = ("reset", "keep", "propose")

    def step(self, angles: Tensor, state: State) -> State:
        (h,) = state
        both = angles + self.from_state(h)
        reset, keep = (torch.sigmoid(self.gate(name, both)) for name in ("reset", "keep"))
        proposed = torch.tanh(self.gate("propose", angles + self.from_state(reset * h)))
        return ((1 - keep) * proposed + keep * h,)


class QuantumRecurrent(nn.Module):
    """What LSTM and GRU share; use `QuantumLSTM` or `QuantumGRU`.

    Args:
        input_size: F.
        hidden_size: H.
        n_qubits: n.
        n_layers: of the ansatz.
        ansatz: (n, L) -> a trainable circuit; strongly entangling by default.
        engine, dtype, seed: of the gates' `QuantumLayer`; the seed is that of the linear maps too.
        num_layers: K, each on the outputs of the one before.
        batch_first: whether sequences come as (B, T, F), the default here, or (T, B, F) as torch's own have it.
        dropout: share of the outputs between layers that training leaves out.
        bidirectional: D = 2 ways through time side by side instead of one.

    Shapes: x (B, T, F), (T, F) or a PackedSequence -> outputs (B, T, D H), (T, D H) or packed, and the last state
    (K D, B, H) or (K D, H).

    Attributes:
        cells: K D of them, those of a layer side by side.
    """

    cell: type[QuantumCell]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        n_qubits: int = 4,
        n_layers: int = 1,
        ansatz: Callable[[int, int], Circuit] | None = None,
        engine: Engine | None = None,
        dtype: torch.dtype | None = None,
        seed: int | None = None,
        *,
        num_layers: int = 1,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ):
        super().__init__()
        self.input_size, self.hidden_size = input_size, checked_count("hidden_size", hidden_size)
        self.num_layers, self.batch_first = checked_count("num_layers", num_layers), batch_first
        self.dropout, self.bidirectional = _checked_share(dropout, num_layers), bidirectional
        circuit = angle(n_qubits) + (ansatz or strongly_entangling)(n_qubits, n_layers)
        ways = 2 if bidirectional else 1
        sizes = [input_size] * ways + [ways * hidden_size] * (ways * (num_layers - 1))
        seeds = derived_seeds(seed, len(sizes))
        self.cells = nn.ModuleList(
            self.cell(size, hidden_size, circuit, engine, dtype, s) for size, s in zip(sizes, seeds, strict=True)
        )

    def forward(self, x: Tensor | PackedSequence, state: Any = None) -> tuple[Any, Any]:
        if isinstance(x, PackedSequence):
            return self._forward_packed(x, state)
        self._check(x)
        # Times first: (T, B, F).
        timed = x.unsqueeze(1) if x.dim() == 2 else x.transpose(0, 1) if self.batch_first else x
        if state is not None and x.dim() == 2:
            state = self._mapped(lambda part: part.unsqueeze(1), state)
        n_times, n_sequences = timed.shape[:2]
        rows, state = self._run(timed.flatten(0, 1), [n_sequences] * n_times, self._first(state, n_sequences))
        outputs = rows.unflatten(0, (n_times, n_sequences))
        if x.dim() == 2:
            return outputs.squeeze(1), self._mapped(lambda part: part.squeeze(1), state)
        return (outputs.transpose(0, 1) if self.batch_first else outputs), state

    def _forward_packed(self, x: PackedSequence, state: Any) -> tuple[PackedSequence, Any]:
        sizes = x.batch_sizes.tolist()
        if x.data.dim() != 2 or x.data.shape[-1] != self.input_size:
            raise ShapeError(f"packed rows have shape {tuple(x.data.shape)}, expected (rows, {self.input_size})")
        order, back = x.sorted_indices, x.unsorted_indices
        if state is not None and order is not None:
            state = self._mapped(lambda part: part.index_select(1, order), state)
        rows, state = self._run(x.data, sizes, self._first(state, sizes[0]))
        if back is not None:
            state = self._mapped(lambda part: part.index_select(1, back), state)
        return PackedSequence(rows, x.batch_sizes, order, back), state

    def _run(self, rows: Tensor, sizes: list[int], state: State) -> tuple[Tensor, Any]:
        """All layers. Shapes: rows (sum of sizes, F), state (K D, B, H) each -> rows (sum of sizes, D H) and state."""
        ways, last = 2 if self.bidirectional else 1, []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                rows = dropped(rows, self.dropout, self.training)
            outputs = []
            for way in range(ways):
                k = ways * layer + way
                found, now = self.cells[k](rows, sizes, tuple(part[k] for part in state), backwards=way == 1)
                outputs.append(found)
                last.append(now)
            rows = torch.cat(outputs, dim=-1) if ways == 2 else outputs[0]
        return rows, self._public(tuple(torch.stack(parts) for parts in zip(*last, strict=True)))

    def _first(self, state: Any, n_sequences: int) -> State:
        """The state before, zeros (K D, B, H) by default."""
        shape = (len(self.cells), n_sequences, self.hidden_size)
        if state is None:
            zeros = next(self.parameters()).new_zeros(shape)
            return tuple(repeat(zeros, self.cell.n_states))
        parts = state if isinstance(state, tuple) else (state,)
        if len(parts) != self.cell.n_states or any(tuple(part.shape) != shape for part in parts):
            given = ", ".join(str(tuple(part.shape)) for part in parts)
            raise ShapeError(f"state has shape {given}, expected {self.cell.n_states} of {shape}: (layers, B, H)")
        return parts

    def _mapped(self, change: Callable[[Tensor], Tensor], state: Any) -> Any:
        return tuple(map(change, state)) if isinstance(state, tuple) else change(state)

    def _public(self, state: State) -> Any:
        return state if self.cell.n_states > 1 else state[0]

    def _check(self, x: Tensor) -> None:
        times = 0 if x.dim() == 2 or not self.batch_first else 1
        if x.dim() not in (2, 3) or x.shape[-1] != self.input_size or x.shape[times] == 0:
            batched = "(B, T, {})" if self.batch_first else "(T, B, {})"
            raise ShapeError(
                f"x has shape {tuple(x.shape)}, expected {batched.format(self.input_size)} or (T, {self.input_size}) "
                "with T of at least 1"
            )

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        # Before there were several layers, their one cell's parameters stood here.
        parts = tuple(prefix + name for name in ("from_input.", "from_state.", "circuits.", "to_hidden."))
        for key in [key for key in state_dict if key.startswith(parts)]:
            state_dict[f"{prefix}cells.0.{key[len(prefix) :]}"] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, *rest)


class QuantumLSTM(QuantumRecurrent):
    """Long short-term memory whose four gates are circuits; called as nn.LSTM. The state is (h, c).

    Args:
        input_size: F.
        hidden_size: H.
        n_qubits: n, of each gate's circuit.
        n_layers: of the ansatz.
        ansatz: (n, L) -> a trainable circuit; strongly entangling by default.
        engine, dtype, seed: of the gates' `QuantumLayer`; the seed is that of the linear maps too.
        num_layers: K, each on the outputs of the one before.
        batch_first: whether sequences come as (B, T, F), the default here, or (T, B, F) as torch's own have it.
        dropout: share of the outputs between layers that training leaves out.
        bidirectional: D = 2 ways through time side by side instead of one.

    Shapes: x (B, T, F), (T, F) or a PackedSequence -> outputs (B, T, D H), (T, D H) or packed, and the last state, h
    and
    c (K D, B, H) or (K D, H) each.

    Raises:
        CircuitError: for numbers of layers or qubits below 1.
        ConfigError: for a dropout that is no share.
        ShapeError: for sequences or states of another shape.

    Source: Chen, Yoo, Fang 2022, ICASSP, 8622 (arXiv 2009.01783).
    """

    cell = LSTMCell


class QuantumGRU(QuantumRecurrent):
    """Gated recurrent unit whose three gates are circuits; called as nn.GRU. The state is h.

    Arguments, shapes and errors are those of `QuantumLSTM`.

    Source: Cho et al. 2014, arXiv 1406.1078, with circuits as in `QuantumLSTM`.
    """

    cell = GRUCell


def _checked_share(dropout: Any, num_layers: int) -> float:
    if not is_real(dropout) or not 0 <= dropout <= 1:
        raise ConfigError(f"dropout={dropout!r}, expected a share from 0 to 1")
    if dropout and num_layers == 1:
        warnings.warn(
            f"dropout={dropout} has no effect with num_layers=1, it acts between layers; take more", stacklevel=4
        )
    return float(dropout)
