"""Toy kernels on the host: barriers, shuffles, errors, and what sanitizers find in wrong ones."""

from __future__ import annotations

import copy
import ctypes
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from math import isnan
from pathlib import Path

import pytest
import torch

from qloom.engines.gpu.machine import Call, Variant
from tests.engines.gpu.host import HostMachine, build, load
from tests.engines.test_sanitizers import runtime

TOYS = Path(__file__).with_name("toys.cu")
SINGLE, DOUBLE = Variant("float", 2, 4), Variant("double", 1, 3)
DEFINES = tuple(f"-D{name}={value}" for name, value in SINGLE.defines.items())


@pytest.fixture(scope="module")
def machine():
    return HostMachine(TOYS)


def launched(machine, kernel, blocks, threads, shared=0, n_values=None, variant=SINGLE, **fields):
    """What a kernel makes of 0, 1, 2, ..., an input a thread."""
    dtype = torch.float32 if variant.real == "float" else torch.float64
    inputs = torch.arange(blocks * threads, dtype=dtype)
    values = torch.zeros(n_values or blocks * threads, dtype=dtype)
    call = Call(inputs=inputs.data_ptr(), values=values.data_ptr(), **fields)
    machine.launch(kernel, variant, blocks, threads, shared, call)
    return values


def test_a_call_is_the_same_in_both_languages():
    library = load(build(TOYS, ("-shared", *DEFINES)))
    assert library.qloom_call_size() == ctypes.sizeof(Call)


@pytest.mark.parametrize(("variant", "size"), [(SINGLE, 4), (DOUBLE, 8)])
def test_a_barrier_orders_the_threads_of_a_block(machine, variant, size):
    found = launched(machine, "mirror", 3, 96, 96 * size, variant=variant)
    assert torch.equal(found.view(3, 96), torch.arange(3 * 96, dtype=found.dtype).view(3, 96).flip(1))


def test_a_barrier_of_a_warp_orders_its_threads(machine):
    found = launched(machine, "mirror_in_warps", 1, 128, 512)
    assert torch.equal(found.view(4, 32), torch.arange(128.0).view(4, 32).flip(1))


def test_many_barriers(machine):
    found = launched(machine, "rotate", 1, 512, 2048, n_inputs=150)
    assert torch.equal(found, torch.arange(512.0).roll(-150))


def test_shuffles(machine):
    sums, pairs, thirds = launched(machine, "shuffle", 2, 64, n_values=384).view(-1, 3).T
    threads = torch.arange(128)
    assert torch.equal(sums, torch.arange(128.0).view(4, 32).sum(1).repeat_interleave(32))
    assert torch.equal(pairs, (threads ^ 1).float())
    assert torch.equal(thirds, (threads % 64 // 8 * 8 + 3).float())


def test_threads_that_have_ended_are_not_waited_for(machine):
    found = launched(machine, "shuffle_of_the_lower_half", 1, 64).view(2, 32)
    assert torch.equal(
        found[:, :16], (torch.arange(16.0)[None] + torch.tensor([[0], [32]])).view(2, 2, 8).flip(1).flatten(1)
    )
    assert not found[:, 16:].any()


@pytest.mark.parametrize(("kernel", "error"), [
    ("end_before_a_barrier", r"block 0: thread 0 at __syncthreads in toys\.cu:\d+, thread 5 finished"),
    ("part_at_barriers", "^threads part at a barrier .*: thread 0 at __syncthreads .*, thread 16 at __syncwarp"),
    ("part_at_equal_barriers", "^threads part at a barrier .*: thread 0 at __syncthreads .*, thread 16 at __sync"),
    ("part_in_block_two", "^threads part at a barrier in part_in_block_two, block 2: thread 1 .*, thread 0 finished"),
    ("shuffle_with_who_has_ended", "thread 0 at a shuffle in toys.cu:.* reads lane 16, which takes no part"),
    ("shuffle_outside_the_mask", "thread 16 at a shuffle .* has a mask that leaves it out"),
    ("no_such_kernel", "^there is no kernel no_such_kernel$"),
])  # fmt: skip
def test_what_a_gpu_would_not_forgive_is_an_error(machine, kernel, error):
    with pytest.raises(RuntimeError, match=error):
        launched(machine, kernel, 4, 64, 256)
    assert launched(machine, "mirror", 1, 64, 256)[0] == 63  # and the machine is as before


def test_blocks_before_an_error_are_done(machine):
    values = torch.zeros(4)
    with pytest.raises(RuntimeError):
        machine.launch("part_in_block_two", SINGLE, 4, 64, 0, Call(values=values.data_ptr()))
    assert values.tolist() == [1, 1, 0, 0]


def test_sizes(machine):
    with pytest.raises(RuntimeError, match="a block of 1024 threads, expected 1 to 512"):
        launched(machine, "mirror", 1, 1024)
    with pytest.raises(RuntimeError, match=r"^256 bytes of shared memory, expected at most 255$"):
        launched(HostMachine(TOYS, most_shared=255), "mirror", 1, 64, 256)
    machine.launch("mirror", SINGLE, 0, 64, 256, Call())  # no blocks: nothing is read or written


def test_shared_memory_is_nan_before_each_block(machine):
    assert all(map(isnan, launched(machine, "read_unwritten", 3, 32, 128).tolist()))


def test_words_of_cuda(machine):
    values = torch.zeros(15, dtype=torch.int64)
    machine.launch("count_bits", SINGLE, 1, 1, 0, Call(values=values.data_ptr()))
    one, reversed_one = 0x3FF0000000000000, 1 << 31
    expected = [8, 64, 4, 0, 31, 63, reversed_one, 3, 0x3F800000, one, 1, 41, 32, 1 << 62, 1]
    assert values.tolist() == expected


def test_a_copy_runs_the_same(machine):
    assert torch.equal(launched(copy.deepcopy(machine), "mirror", 1, 8, 32), torch.arange(8.0).flip(0))


def test_threads_may_launch_at_once(machine):
    def run(_):
        return launched(machine, "rotate", 2, 64, 256, n_inputs=8)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, range(16)))
    assert all(torch.equal(values, found[0]) for values in found)
    assert torch.equal(found[0].view(2, 64), torch.arange(128.0).view(2, 64).roll(-8, 1))


def ran(sanitizers, library, kernel, blocks, threads, shared, elements):
    """A kernel in a process of its own: how it ended, and what it said."""
    runtime(library)
    program = build(TOYS, (f"-fsanitize={sanitizers}", "-g", "-DSTANDALONE", *DEFINES))
    command = [str(program), kernel, *map(str, (blocks, threads, shared, elements))]
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"})
    return ended.returncode, ended.stdout + ended.stderr


ADDRESS, THREAD = ("address,undefined", "libasan.so"), ("thread", "libtsan.so")
RIGHT = [
    ("mirror", 2, 64, 256, 128), ("mirror_in_warps", 2, 64, 256, 128), ("rotate", 2, 64, 256, 128),
    ("shuffle", 2, 64, 0, 384), ("shuffle_of_the_lower_half", 1, 64, 0, 64), ("write_own_words", 3, 64, 0, 192),
    ("write_one_word", 1, 64, 0, 1),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("sanitizers", "library"), [ADDRESS, THREAD])
@pytest.mark.parametrize("launch", RIGHT, ids=lambda launch: launch[0])
def test_sanitizers_find_nothing_in_right_kernels(sanitizers, library, launch):
    code, said = ran(sanitizers, library, *launch)
    assert (code, said.splitlines()[-1 if library == THREAD[1] else 0]) == (0, "done"), said
    assert "Sanitizer" not in said
    assert "runtime error" not in said


@pytest.mark.slow
@pytest.mark.parametrize(("launch", "found"), [
    (("read_beyond_shared", 1, 64, 256, 128), "heap-buffer-overflow"),
    (("read_beyond_inputs", 1, 64, 0, 64), "heap-buffer-overflow"),
    (("write_beyond_registers", 1, 4, 0, 4), "stack-buffer-overflow"),
], ids=lambda value: value[0] if isinstance(value, tuple) else value)  # fmt: skip
def test_reads_and_writes_beyond_an_end_are_found(launch, found):
    code, said = ran(*ADDRESS, *launch)
    assert code != 0
    assert f"ERROR: AddressSanitizer: {found}" in said, said
    assert "toys.cu" in said
    assert f"in {launch[0]}" in said, said


@pytest.mark.slow
@pytest.mark.parametrize("launch", [
    ("mirror_without_a_barrier", 1, 64, 256, 64),
    ("mirror_across_warps", 1, 64, 256, 64),
    ("rotate_with_half_the_barriers", 1, 64, 256, 64),
    ("write_one_word", 2, 64, 0, 1),
    ("write_one_word", 2, 256, 0, 1),
], ids=lambda launch: f"{launch[0]}-{launch[2]}")  # fmt: skip
def test_races_are_found(launch):
    code, said = ran(*THREAD, *launch)
    assert code != 0
    assert f"data race {TOYS}" in said, said
    assert f"in {launch[0]}" in said, said
