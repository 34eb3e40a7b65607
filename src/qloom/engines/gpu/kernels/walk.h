// Walks over a tile in shared memory: forward, and back with slopes.
#pragma once
#include "tables.h"

namespace qloom_gpu {

// What a sample's threads share beside its states.
struct Staging {
    Turn* turns;  // MOST_IN_STAGE
    T* norms;     // of sweeps, MOST_IN_STAGE
    T* slopes;    // MOST_IN_STAGE times the sample's warps
};

__device__ inline bool is_wanted(const Call& call, const Rotation& r) {
    if (r.source == INPUT) return call.d_inputs;
    return r.source == WEIGHT && call.d_weights && (!call.trained || call.trained[r.index]);
}

// A sweep's table; null where it has none, or samples do not share the weights that it is made of.
__device__ inline const Phase* table_of(const Call& call, const Parts& parts, const Sweep& sweep) {
    if (sweep.table == NONE || !call.tables) return nullptr;
    return (const Phase*)call.tables + ((u64)sweep.table << parts.head->bits);
}

// Angles of a stage's rotations into shared memory, a thread each.
__device__ inline void fill_stage(const Call& call, const Parts& parts, const Stage& stage, const Sample& sample,
                                  u64 base, const Place& place, const Staging& to, bool back) {
    for (u32 j = place.t; j < stage.count; j += place.count) {
        const Rotation& r = parts.rotations()[stage.first + j];
        if (!r.in_table || !call.tables) to.turns[j] = turn_of(r, sample, base, back && is_wanted(call, r));
        for (u32 w = 0; back && w < place.warps(); ++w) to.slopes[j * place.warps() + w] = 0;
    }
    Place::sync();
    for (u32 s = place.t; s < stage.n_sweeps; s += place.count) {
        const Sweep& sweep = parts.sweeps()[stage.first_sweep + s];
        if (table_of(call, parts, sweep)) continue;
        T norm = 1;
        for (u32 j = sweep.first - stage.first + sweep.count; j-- > sweep.first - stage.first;) {
            Turn& turn = to.turns[j];
            turn.weight *= norm * norm;
            if (!turn.at_once()) norm *= turn.cosine;
        }
        to.norms[s] = norm;
    }
    Place::sync();
}

// Where the amplitudes that a thread holds stand, as seen from its base.
__device__ __forceinline__ void member_places(const Sweep& sweep, u32 (&members)[HELD]) {
    members[0] = 0;
#pragma unroll
    for (u32 k = 0; k < REGISTER_BITS; ++k) {
        const u32 column = Shared::where(sweep.columns[k]);
#pragma unroll
        for (u32 r = 0; r < 1u << k; ++r) members[r | 1u << k] = members[r] ^ column;
    }
}

__device__ __forceinline__ void load(Held& held, const Shared& state, u32 base, const u32 (&members)[HELD]) {
    const u32 from = Shared::where(base) ^ state.turned;
#pragma unroll
    for (u32 r = 0; r < HELD; ++r) set_amplitude(held, r, state.numbers[from ^ members[r]]);
}

__device__ __forceinline__ void store(const Held& held, T factor, const Shared& state, u32 base,
                                      const u32 (&members)[HELD]) {
    const u32 from = Shared::where(base) ^ state.turned;
#pragma unroll
    for (u32 r = 0; r < HELD; ++r) state.numbers[from ^ members[r]] = factor * amplitude_of(held, r);
}

__device__ __forceinline__ void multiply(Held& held, T factor) {
#pragma unroll
    for (u32 c = 0; c < COMPONENTS; ++c)
#pragma unroll
        for (u32 r = 0; r < HELD; ++r) held.part[c][r] *= factor;
}

// A sweep's rotations on all amplitudes, and before them those of a table; null is none.
__device__ inline void sweep_forward(const Shared& psi, const Phase* table, const Sweep& sweep, const Turn* turns,
                                     T norm, const Place& place) {
    u32 members[HELD];
    member_places(sweep, members);
    for (u32 g = place.t; g < psi.size >> REGISTER_BITS; g += place.count) {
        const u32 base = spread(g, sweep.pivots);
        Held held;
        load(held, psi, base, members);
        if (table) turn_held(held, table, base, sweep, false);
        for (u32 j = 0; j < sweep.count; ++j) {
            const Turn turn = turns[j];
            TurnWork work{held, turn.tangent, turn.z_register(), parity(base & turn.z), turn.real()};
            for_mask(turn.m(), work);
            if (turn.at_once()) multiply(held, turn.cosine);
        }
        store(held, norm, psi, base, members);
    }
    Place::sync();
}

// A sweep undone on psi and lambda, and then the table before it; slopes of its rotations are added to their places,
// and what the table's are found from is in `waves`.
__device__ inline void sweep_back(const Shared& psi, const Shared& lambda, const InBanks<T>& waves, const Phase* table,
                                  const Sweep& sweep, const Turn* turns, T norm, T* slopes, const Place& place) {
    u32 members[HELD];
    member_places(sweep, members);
    for (u32 g = place.t; g < psi.size >> REGISTER_BITS; g += place.count) {
        const u32 base = spread(g, sweep.pivots);
        Held held, weighed;
        load(held, psi, base, members);
        load(weighed, lambda, base, members);
        for (u32 j = sweep.count; j-- > 0;) {
            const Turn turn = turns[j];
            UndoWork work{held,        weighed,       turn.tangent, turn.z_register(), parity(base & turn.z),
                          turn.real(), turn.wanted(), T(0)};
            for_mask(turn.m(), work);
            if (turn.wanted()) {
                const T slope = place.warp_sum(work.slope);
                if (place.speaks()) slopes[j * place.warps() + place.warp()] += slope * turn.weight;
            }
            if (turn.at_once()) multiply(held, turn.cosine), multiply(weighed, turn.cosine);
        }
        if (table) {
#pragma unroll
            for (u32 r = 0; r < HELD; ++r)
                waves[base ^ member(sweep, r)] = norm * norm * wave(amplitude_of(held, r), amplitude_of(weighed, r));
            turn_held(held, table, base, sweep, true), turn_held(weighed, table, base, sweep, true);
        }
        store(held, norm, psi, base, members);
        store(weighed, norm, lambda, base, members);
    }
    Place::sync();
}

// All rotations of a tile.
__device__ inline void tile_forward_walk(const Call& call, const Parts& parts, const Tile& tile, const Sample& sample,
                                         u64 base, const Shared& psi, const Place& place, const Staging& staging) {
    for (u32 k = 0; k < tile.n_stages; ++k) {
        const Stage& stage = parts.stages()[tile.first_stage + k];
        fill_stage(call, parts, stage, sample, base, place, staging, false);
        const Phase* table = nullptr;  // of the sweep before, which this one takes along
        for (u32 s = 0; s < stage.n_sweeps; ++s) {
            const Sweep& sweep = parts.sweeps()[stage.first_sweep + s];
            const Phase* own = table_of(call, parts, sweep);
            if (own && table) table_forward(psi, table, place);
            if (!own)
                sweep_forward(psi, table, sweep, staging.turns + (sweep.first - stage.first), staging.norms[s], place);
            table = own;
        }
        if (table) table_forward(psi, table, place);
    }
}

template <class S>
__device__ inline T norm_of(const S& psi, const Place& place) {
    T sum = 0;
    for (u32 i = place.t; i < psi.size; i += place.count) sum += square(psi[i]);
    return place.sum(sum);
}

// The tile undone. `done(stage, drift)` is called by all threads when the slopes of a stage stand in shared memory,
// short of a factor: where the norm of psi is measured, what psi and lambda have drifted from theirs, so that roundings
// do not add up. `waves` is room for one number an amplitude.
template <class Done>
__device__ inline void tile_back_walk(const Call& call, const Parts& parts, const Tile& tile, const Sample& sample,
                                      u64 base, const Shared& psi, const Shared& lambda, const InBanks<T>& waves,
                                      const Place& place, const Staging& staging, bool is_measured, T norm,
                                      const Done& done) {
    for (u32 k = tile.n_stages; k-- > 0;) {
        const Stage& stage = parts.stages()[tile.first_stage + k];
        fill_stage(call, parts, stage, sample, base, place, staging, true);
        T drift = 1;
        if (is_measured) {  // by all threads: samples of one warp may have norms of all kinds
            const T now = norm_of(psi, place);
            if (norm > 0) drift = norm / now;
        }
        for (u32 s = stage.n_sweeps; s-- > 0;) {
            const Sweep* sweep = parts.sweeps() + stage.first_sweep + s;
            const Phase* table = table_of(call, parts, *sweep);
            if (table) {
                table_back(psi, lambda, waves, table, place);
            } else {
                table = s ? table_of(call, parts, sweep[-1]) : nullptr;
                const u32 from = sweep->first - stage.first;
                sweep_back(psi, lambda, waves, table, *sweep, staging.turns + from, staging.norms[s],
                           staging.slopes + from * place.warps(), place);
                if (table) --sweep, --s;
            }
            if (table && call.d_weights)
                table_slopes(waves, parts.head->bits, *sweep, parts.rotations(),
                             staging.slopes + (sweep->first - stage.first) * place.warps(), place);
        }
        done(stage, drift);
        Place::sync();
    }
}

}  // namespace qloom_gpu
