// Walks over a tile in shared memory: forward, and back with slopes.
#pragma once
#include "angles.h"
#include "block.h"

namespace qloom_gpu {

// A state in tangent form is its true self times 1 / growth; it is taken back before it overflows.
constexpr T LEAST_GROWTH = sizeof(T) == 4 ? T(0x1p-40f) : T(0x1p-300);

// What a sample's threads share beside its states.
struct Staging {
    Turn* turns;  // MOST_IN_STAGE
    T* slopes;    // MOST_IN_STAGE times the sample's warps
};

__device__ inline bool is_wanted(const Call& call, const Rotation& r) {
    if (r.source == INPUT) return call.d_inputs;
    return r.source == WEIGHT && call.d_weights && (!call.trained || call.trained[r.index]);
}

// Angles of a stage's rotations into shared memory, a thread each.
__device__ inline void fill_stage(const Call& call, const Parts& parts, const Stage& stage, const Sample& sample,
                                  u64 base, const Place& place, const Staging& to, bool back) {
    for (u32 j = place.t; j < stage.count; j += place.count) {
        const Rotation& r = parts.rotations()[stage.first + j];
        to.turns[j] = turn_of(r, sample, base, back && is_wanted(call, r));
        for (u32 w = 0; back && w < place.warps(); ++w) to.slopes[j * place.warps() + w] = 0;
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
    for (u32 c = 0; c < COMPONENTS; ++c)
#pragma unroll
        for (u32 r = 0; r < HELD; ++r) held.part[c][r] = state.numbers[c * state.size + (from ^ members[r])];
}

__device__ __forceinline__ void store(const Held& held, const Shared& state, u32 base, const u32 (&members)[HELD]) {
    const u32 from = Shared::where(base) ^ state.turned;
#pragma unroll
    for (u32 c = 0; c < COMPONENTS; ++c)
#pragma unroll
        for (u32 r = 0; r < HELD; ++r) state.numbers[c * state.size + (from ^ members[r])] = held.part[c][r];
}

__device__ __forceinline__ void multiply(Held& held, T factor) {
#pragma unroll
    for (u32 c = 0; c < COMPONENTS; ++c)
#pragma unroll
        for (u32 r = 0; r < HELD; ++r) held.part[c][r] *= factor;
}

// A sweep's rotations on all amplitudes; growth goes on from what it is, the same in every thread of a sample.
__device__ inline void sweep_forward(const Shared& psi, const Sweep& sweep, const Turn* turns, const Place& place,
                                     T& growth) {
    u32 members[HELD];
    member_places(sweep, members);
    const u32 bases = psi.size >> REGISTER_BITS;
    T grown = growth;
    for (u32 g = place.t; g < bases; g += place.count) {
        const u32 base = spread(g, sweep.pivots);
        Held held;
        load(held, psi, base, members);
        grown = growth;
        for (u32 j = 0; j < sweep.count; ++j) {
            const Turn turn = turns[j];
            T t[HELD];
            spread_signs(t, turn.tangent, turn.z_register, parity(base & turn.z));
            TurnWork work{held, t, turn.real != 0};
            for_mask(turn.m, work);
            grown *= turn.cosine;
            if (fabs(grown) < LEAST_GROWTH) multiply(held, grown), grown = 1;
        }
        store(held, psi, base, members);
    }
    growth = grown;
    Place::sync();
}

// A sweep undone on psi and lambda; slopes of its rotations are added to their places.
__device__ inline void sweep_back(const Shared& psi, const Shared& lambda, const Sweep& sweep, const Turn* turns,
                                  T* slopes, const Place& place, T& growth) {
    u32 members[HELD];
    member_places(sweep, members);
    const u32 bases = psi.size >> REGISTER_BITS;
    T grown = growth;
    for (u32 g = place.t; g < bases; g += place.count) {
        const u32 base = spread(g, sweep.pivots);
        Held held, weighed;
        load(held, psi, base, members);
        load(weighed, lambda, base, members);
        grown = growth;
        for (u32 j = sweep.count; j-- > 0;) {
            const Turn turn = turns[j];
            T sign[HELD];
            spread_signs(sign, T(1), turn.z_register, parity(base & turn.z));
            UndoWork work{held, weighed, sign, turn.tangent, turn.real != 0, turn.wanted != 0, T(0)};
            for_mask(turn.m, work);
            if (turn.wanted) {
                const T slope = place.warp_sum(work.slope);
                if (place.speaks()) slopes[j * place.warps() + place.warp()] += slope * grown * grown;
            }
            grown *= turn.cosine;
            if (fabs(grown) < LEAST_GROWTH) multiply(held, grown), multiply(weighed, grown), grown = 1;
        }
        store(held, psi, base, members);
        store(weighed, lambda, base, members);
    }
    growth = grown;
    Place::sync();
}

// All rotations of a tile. The state comes out divided by growth.
__device__ inline void tile_forward_walk(const Call& call, const Parts& parts, const Tile& tile, const Sample& sample,
                                         u64 base, const Shared& psi, const Place& place, const Staging& staging,
                                         T& growth) {
    for (u32 k = 0; k < tile.n_stages; ++k) {
        const Stage& stage = parts.stages()[tile.first_stage + k];
        fill_stage(call, parts, stage, sample, base, place, staging, false);
        for (u32 s = 0; s < stage.n_sweeps; ++s) {
            const Sweep& sweep = parts.sweeps()[stage.first_sweep + s];
            sweep_forward(psi, sweep, staging.turns + (sweep.first - stage.first), place, growth);
        }
    }
}

template <class S>
__device__ inline T norm_of(const S& psi, const Place& place) {
    T sum = 0;
    for (u32 i = place.t; i < psi.size; i += place.count) sum += psi.re(i) * psi.re(i) + psi.im(i) * psi.im(i);
    return place.sum(sum);
}

// The tile undone. `done(stage)` is called when the slopes of a stage stand in shared memory, by all threads; where the
// norm of psi is known, growth is found from it before each stage, so that roundings do not add up.
template <class Done>
__device__ inline void tile_back_walk(const Call& call, const Parts& parts, const Tile& tile, const Sample& sample,
                                      u64 base, const Shared& psi, const Shared& lambda, const Place& place,
                                      const Staging& staging, T norm, T& growth, const Done& done) {
    for (u32 k = tile.n_stages; k-- > 0;) {
        const Stage& stage = parts.stages()[tile.first_stage + k];
        fill_stage(call, parts, stage, sample, base, place, staging, true);
        if (norm > 0) growth = copysign(sqrt(norm / norm_of(psi, place)), growth);
        for (u32 s = stage.n_sweeps; s-- > 0;) {
            const Sweep& sweep = parts.sweeps()[stage.first_sweep + s];
            const u32 from = sweep.first - stage.first;
            sweep_back(psi, lambda, sweep, staging.turns + from, staging.slopes + from * place.warps(), place, growth);
        }
        done(stage);
        Place::sync();
    }
}

}  // namespace qloom_gpu
