"""What is common to machines: variants, and a call as C++ has it."""

from __future__ import annotations

import ctypes

import pytest

from qloom.engines.gpu.machine import Call, Variant, digest, read_fields, source_files

HEADER = """
struct Call {
    const T* inputs;  // (B, n_inputs)
    u64 n_inputs;

    // A line of its own.
    u32 first;
};
"""


def test_fields_are_read():
    fields = [("inputs", ctypes.c_void_p), ("n_inputs", ctypes.c_uint64), ("first", ctypes.c_uint32)]
    assert read_fields(HEADER) == fields


@pytest.mark.parametrize("line", ["int first;", "u32 first, second;", "T first;", "u32 first[2];"])
def test_other_fields_are_refused(line):
    with pytest.raises(TypeError, match=r"^call.h has the field .*, expected a pointer or one of u32, u64, double$"):
        read_fields(HEADER.replace("u32 first;", line))


def test_a_header_without_a_call_is_refused():
    with pytest.raises(TypeError, match="no struct Call"):
        read_fields("struct Other {\n};\n")


def test_the_call_has_fields_of_the_header():
    call = Call(inputs=16, n_inputs=3)
    assert (call.inputs, call.n_inputs, call.weights) == (16, 3, None)


def test_variants_are_macros():
    expected = {"QLOOM_T": "double", "COMPONENTS": "1", "REGISTER_BITS": "3"}
    assert Variant("double", 1, 3).defines == expected


def test_a_digest_is_of_names_contents_and_options(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("ab")
    other.write_text("c")
    found = {digest(one, other), digest(other, one), digest(one), digest(one, options=("-O1",))}
    one.write_text("abc")
    other.write_text("")
    found.add(digest(one, other))
    assert len(found) == 5


def test_sources_are_found():
    assert {path.name for path in source_files(".h")} >= {"call.h", "program.h", "portable.h"}
    assert "host.hpp" not in {path.name for path in source_files(".cu", ".h")}
