// A program as kernels read it: one buffer of plain structures, found from its head by offsets in bytes. The packer,
// cpp/gpu/, fills it; nothing here knows gates.
//
// A state of `bits` bits is worked on in tiles: blocks of 2^dims amplitudes, base ^ (span of the tile's columns), in
// shared memory, one block of threads each. Where the whole state is one tile, its columns are the unit vectors and its
// only base is 0. Within a tile, sweeps bring 2^REGISTER_BITS amplitudes to a thread's registers, base ^ (span of the
// sweep's columns), and do rotation after rotation on them: a rotation's x mask is in the span, so that partners meet
// in one thread.
#pragma once

namespace qloom_gpu {

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

constexpr u32 MOST_REGISTER_BITS = 4;
constexpr u32 MOST_TILE_BITS = 14;
// Rotations whose tangents are in shared memory at once.
constexpr u32 MOST_IN_STAGE = 64;
// Rotations of a sweep: norms are measured up at its end.
constexpr u32 MOST_IN_SWEEP = 16;
// Words measured in one walk over the state.
constexpr u32 MOST_IN_GROUP = 8;

constexpr u32 NONE = 0xFFFFFFFFu;

enum Source : u8 { NUMBER = 0, INPUT = 1, WEIGHT = 2, OWN_NUMBER = 3 };

// exp(-i a P / 2), up to its norm 1 + tan(a / 2) K, K = -i P. On amplitude j, (K psi)[j] = s (-1)^|j&z| f psi[j ^ x]: f
// is 1 where K is real, else -i. The sign s is in the angle.
struct Rotation {
    double scale, offset, turn;  // of the angle, s multiplied in: scale * slot + offset, and then turn
    u64 z_base;                  // mask on the state's index: the sign that a tile's base brings
    u32 z;                       // mask on an amplitude's place in the tile
    u32 index;                   // of the slot, or of the circuit's own number
    u32 number;                  // of the rotation in the program, by which flips and walks back know it
    u8 source, real;
    u8 m, z_register;      // its masks among the amplitudes that a thread holds
    u32 in_table, unused;  // whether its sweep has a table
};

// A sweep may have a table of phases instead, where weights are shared: an amplitude's is the product of its
// rotations', and their slopes are the Walsh-Hadamard transform of one number an amplitude. `tables` lists such sweeps.

// Rotations done while amplitudes are in registers, MOST_IN_SWEEP at most. `first` counts among the program's.
struct Sweep {
    u32 first, count;
    u32 pivots;                       // bits of places in the tile, REGISTER_BITS of them; bases are 0 there
    u32 columns[MOST_REGISTER_BITS];  // column k has the k-th lowest pivot, and no other
    u32 table;  // its number where all rotations are diagonal and all samples share them, else NONE
};

// What a stage's slopes are added to: slot (source, index) gets the sum over uses of scale * slope.
struct Slot {
    u32 index;
    u32 first, count;  // of its uses
    u32 is_weight;
};
struct Use {
    double scale;
    u32 rotation;  // counted from the stage's first
    u32 unused;
};

// Whole sweeps whose rotations are staged together, MOST_IN_STAGE at most.
struct Stage {
    u32 first_sweep, n_sweeps;
    u32 first, count;  // rotations
    u32 first_slot, n_slots;
};

struct Tile {
    u64 pivots;                   // bits of the state's index, dims of them; bases are 0 there
    u64 columns[MOST_TILE_BITS];  // column k has the k-th lowest pivot, and no other
    u32 dims;
    u32 first_stage, n_stages;
    u32 first, count;  // rotations
    u32 unused;
};

// Words of one x mask. On amplitude j, (P psi)[j] = (-1)^|j&z| f psi[j ^ x], f is -i where the words are odd in Y, else
// 1; the sign of i^|x&z| is in the coefficients.
struct Group {
    u64 x;
    u32 first, count;  // terms
    u32 odd, unused;
};
struct Term {
    double coefficient;
    u64 z;
    u32 output, unused;
};

enum Kind : u32 { TERMS = 0, OUTCOMES = 1, AMPLITUDES = 2 };

// Outcomes: 2^d of them are reached. Outcome c is that of amplitude XOR of lift[k] over the bits k of c, and of all
// those further by a sum of `null` vectors; its place among the outputs is flips ^ XOR of place[k]. Amplitude j has
// output flips ^ XOR of output[b] over the bits b of j.
struct Outcomes {
    u64 lift[64], place[64];  // d
    u64 null[64];             // bits - d
    u64 output[64];           // bits
    u64 flips;
    u32 d, unused;
};

// Amplitude j is number start ^ XOR of target[b] of the final state, times phase * i^q(j), q(j) = sum over bits b of j
// of quarter[b] + 2 |j & cross[b]|; cross[b] has bits below b alone.
struct Amplitudes {
    u64 start;
    u64 target[64], cross[64];
    double phase[2];
    u32 quarter[64];
    u32 split;  // all real parts, then all imaginary parts; else the two of each amplitude side by side
    u32 n_qubits;
};

// Where the state starts: basis state |0>; fixed amplitudes; or inputs. `place` are basis states of unit vectors: other
// starts than |0> have the unit vectors themselves.
enum Start : u32 { ZERO = 0, FIXED = 1, FROM_INPUTS = 2 };

struct Program {
    u32 bits;  // at least REGISTER_BITS: further bits than the program needs stay 0
    u32 is_real;
    u32 n_rotations, n_tiles, n_stages, n_sweeps, n_slots, n_uses, n_groups, n_terms;
    u32 kind, start;
    u32 real_column, imaginary_column;  // inputs with the first amplitudes; NONE where there are none
    u32 n_outputs;
    u32 n_tables;
    u32 n_diagonal;  // terms without an x mask: the first ones, by their z masks
    u32 used_bits;   // amplitudes from 2^used_bits on are 0
    // Offsets from the head, in bytes.
    u64 rotations, tiles, stages, sweeps, tables, slots, uses, groups, terms, outcomes, amplitudes, initial, end;
};

}  // namespace qloom_gpu
