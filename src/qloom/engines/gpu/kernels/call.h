// What a launch is given, by value. `machine.py` reads the fields from these lines: a type and a name each.
#pragma once
#include "program.h"

namespace qloom_gpu {

typedef QLOOM_T T;

// One circuit of a batch of different ones.
struct Work {
    u64 program;  // where its head is in the buffer
    u64 numbers;  // where its own numbers start
};

struct Call {
    const u8* programs;     // heads are at the beginning, or where `work` says
    const Work* work;       // (C,) of different circuits, one sample each; null where all samples have one program
    const T* inputs;        // (B, n_inputs)
    const T* weights;       // (n_weights,), or (B, n_weights) at weight_stride = n_weights
    const double* numbers;  // of different circuits, their own
    const u64* flips;       // (B, n_flips): where bit r of a sample's is 1, rotation r turns the other way; or null
    const u8* trained;      // (n_weights,), 0 where a weight is frozen; or null
    const T* cotangents;    // (B, n_outputs)
    T* tables;        // (n_tables, 2^bits, 2), phases of diagonal rotations; or null where samples do not share them
    T* values;        // (B, n_outputs)
    T* kept;          // (B, kept_stride) final states, each (2^bits, COMPONENTS); or null
    T* d_inputs;      // (B, n_inputs), or null where not wanted
    T* d_weights;     // (rows, n_weights), or (B, n_weights) where samples have their own; or null where not wanted
    T* psi;           // (n_local, 2^bits, COMPONENTS), states in global memory
    T* adjoint;       // lambda, the same
    double* partial;  // (n_local, n_parts, n_columns), sums of parts of the work
    double* sums;     // (n_local, sums_stride), of all parts; columns from first_column on
    double* norms;    // (n_local, 2), squared: of a state as it started, and as it came out
    const double* table;    // (n_local, n_columns), probabilities added up
    i64* outcomes;          // (n_local, shots)
    double norm_tolerance;  // amplitudes whose squared norm is further from 1 give NaN; 0: none do
    u64 n_samples;
    u64 n_inputs;
    u64 n_weights;
    u64 weight_stride;
    u64 n_outputs;
    u64 n_flips;
    u64 kept_stride;
    u64 first_sample;  // of those in global memory
    u64 n_local;       // samples at once
    u64 n_parts;
    u64 n_columns;
    u64 first_column;
    u64 sums_stride;
    u64 shots;
    u64 key_low;  // of the random numbers, and which call's they are
    u64 key_high;
    u64 call_number;
    u32 thread_bits;  // 2^thread_bits threads work on a sample
    u32 most_bits;    // shared memory has room for states of so many bits
    u32 tile;         // which of the program's
};

}  // namespace qloom_gpu
