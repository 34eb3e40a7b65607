// States too large for a block: in global memory, n_local samples at once. Every sweep over memory brings tiles to
// shared memory, does all that is planned for them there and puts them back.
#pragma once
#include "circuit.h"

namespace qloom_gpu {

// Which of the samples in global memory a block works on, and which part of that sample's work.
struct Share {
    u64 local, part, row;

    __device__ Share(const Call& call, u64 parts) {
        local = blockIdx.x / parts, part = blockIdx.x % parts, row = call.first_sample + local;
    }
    __device__ Global state(T* states, u32 bits) const { return Global((Amplitude*)states + (local << bits), bits); }
    // body(i) for this thread's amplitudes, or what else there are `size` of.
    template <class Body>
    __device__ void over(const Call& call, u64 size, const Body& body) const {
#pragma unroll 4
        for (u64 i = part * blockDim.x + threadIdx.x; i < size; i += call.n_parts * blockDim.x) body(i);
    }
};

KERNEL(state_start) {
    const Share share(call, call.n_parts);
    const Parts parts(call, 0);
    const Sample sample(call, share.row);
    const Global psi = share.state(call.psi, parts.head->bits);
    share.over(call, psi.size, [&](u64 i) { start_at(parts, sample, psi, i); });
}

// A tile's place among the amplitudes of a state.
struct Window {
    const Tile& tile;
    u64 base;

    __device__ Window(const Tile& tile, u64 number) : tile(tile), base(spread(number, tile.pivots)) {}
    // Round k of a thread's is at t + count * (k ^ k >> 1): from one to the next, one column more or less.
    __device__ u64 first(const Place& place) const { return base ^ sum_of(tile.columns, u64(place.t)); }
    __device__ static u32 where(u32 k, const Place& place) { return place.t + place.count * (k ^ k >> 1); }
    __device__ u64 step(u32 k, u32 thread_bits) const { return tile.columns[thread_bits + __ffs(int(k)) - 1]; }
    // Several at once, so that memory is asked for all before the first is there.
    __device__ void load(const Global& from, const Shared& to, const Place& place, u32 thread_bits) const {
        u64 index = first(place);
        for (u32 k = 0; k < (1u << tile.dims) / place.count; k += HELD) {
            Amplitude held[HELD];
#pragma unroll
            for (u32 r = 0; r < HELD; ++r) {
                if (k + r) index ^= step(k + r, thread_bits);
                held[r] = from[index];
            }
#pragma unroll
            for (u32 r = 0; r < HELD; ++r) to[where(k + r, place)] = held[r];
        }
        Place::sync();
    }
    __device__ void store(const Shared& from, const Global& to, const Place& place, u32 thread_bits) const {
        u64 index = first(place);
        for (u32 k = 0; k < (1u << tile.dims) / place.count; ++k) {
            if (k) index ^= step(k, thread_bits);
            to[index] = from[where(k, place)];
        }
    }
};

__device__ inline u64 n_windows(const Parts& parts, const Tile& tile) {
    return u64(1) << (parts.head->bits - tile.dims);
}

KERNEL(tile_forward) {
    SHARED_MEMORY(memory);
    const Room room(memory, call, false, false);
    const Place place(call.thread_bits, room.scratch);
    const Parts parts(call, 0);
    const Tile& tile = parts.tiles()[call.tile];
    const Share share(call, n_windows(parts, tile));
    const Window window(tile, share.part);
    const Global state = share.state(call.psi, parts.head->bits);
    const Shared psi(room.psi, tile.dims, place);
    window.load(state, psi, place, call.thread_bits);
    tile_forward_walk(call, parts, tile, Sample(call, share.row), window.base, psi, place, room.staging);
    window.store(psi, state, place, call.thread_bits);
}

// Slopes of the tile's rotations are partial sums, a column each.
KERNEL(tile_back) {
    SHARED_MEMORY(memory);
    const Room room(memory, call, true, false);
    const Place place(call.thread_bits, room.scratch);
    const Parts parts(call, 0);
    const Tile& tile = parts.tiles()[call.tile];
    const Share share(call, n_windows(parts, tile));
    const Window window(tile, share.part);
    const Global state = share.state(call.psi, parts.head->bits), weighed = share.state(call.adjoint, parts.head->bits);
    const Shared psi(room.psi, tile.dims, place), lambda(room.lambda, tile.dims, place);
    double* slopes = call.partial + u64(blockIdx.x) * tile.count;
    window.load(state, psi, place, call.thread_bits);
    window.load(weighed, lambda, place, call.thread_bits);
    tile_back_walk(call, parts, tile, Sample(call, share.row), window.base, psi, lambda, InBanks<T>(nullptr, 0, place),
                   place, room.staging, false, T(0), [&](const Stage& stage, T) {
                       for (u32 j = place.t; j < stage.count; j += place.count) {
                           double sum = 0;
                           for (u32 w = 0; w < place.warps(); ++w)
                               sum += double(room.staging.slopes[j * place.warps() + w]);
                           slopes[stage.first - tile.first + j] = sum;
                       }
                   });
    window.store(psi, state, place, call.thread_bits);
    window.store(lambda, weighed, place, call.thread_bits);
}

KERNEL(state_norm) {
    SHARED_MEMORY(memory);
    const Place place(call.thread_bits, (double*)memory);
    const Share share(call, call.n_parts);
    const Global psi = share.state(call.psi, Parts(call, 0).head->bits);
    double norm = 0;
    share.over(call, psi.size, [&](u64 i) {
        const double x = re(psi[i]), y = im(psi[i]);
        norm += x * x + y * y;
    });
    norm = place.sum(norm);
    if (place.t == 0) call.partial[u64(blockIdx.x)] = norm;
}

// One column of partial sums added up in order: a block each.
KERNEL(sum_parts) {
    SHARED_MEMORY(memory);
    const Place place(call.thread_bits, (double*)memory);
    const u64 local = blockIdx.x / call.n_columns, column = blockIdx.x % call.n_columns;
    double sum = 0;
    for (u64 part = place.t; part < call.n_parts; part += place.count)
        sum += call.partial[(local * call.n_parts + part) * call.n_columns + column];
    sum = place.sum(sum);
    if (place.t == 0) call.sums[local * call.sums_stride + call.first_column + column] = sum;
}

// Slopes of weights that samples share: rows added up in order. A block has SIDE_BY_SIDE weights.
constexpr u32 SIDE_BY_SIDE = 8, ROWS_AT_ONCE = 8;
KERNEL(sum_rows) {
    SHARED_MEMORY(memory);
    double* sums = (double*)memory;
    const u32 beside = threadIdx.x % SIDE_BY_SIDE, first = threadIdx.x / SIDE_BY_SIDE, step = blockDim.x / SIDE_BY_SIDE;
    const u64 weight = u64(blockIdx.x) * SIDE_BY_SIDE + beside;
    const bool is_there = weight < call.n_weights;
    double sum = 0;
    for (u64 row = first; is_there && row < call.n_parts; row += u64(ROWS_AT_ONCE) * step) {
        T held[ROWS_AT_ONCE];  // all on their way before the first is added
#pragma unroll
        for (u32 k = 0; k < ROWS_AT_ONCE; ++k) {
            const u64 one = row + u64(k) * step;
            held[k] = one < call.n_parts ? call.kept[one * call.n_weights + weight] : T(0);
        }
#pragma unroll
        for (u32 k = 0; k < ROWS_AT_ONCE; ++k) sum += double(held[k]);
    }
    sums[threadIdx.x] = sum;
    Place::sync();
    for (u32 k = 1; first == 0 && k < step; ++k) sum += sums[k * SIDE_BY_SIDE + beside];
    if (first == 0 && is_there) call.d_weights[weight] = call.trained && !call.trained[weight] ? T(0) : T(sum);
}

// What a state has to be multiplied by to be of norm as it started.
__device__ inline T factor_of(const Call& call, u64 local) {
    const double started = call.norms[2 * local], ended = call.norms[2 * local + 1];
    if (is_refused(call, *Parts(call, 0).head, started)) return T(nan(""));
    return ended > 0 ? T(sqrt(started / ended)) : T(1);
}

KERNEL(state_terms) {
    SHARED_MEMORY(memory);
    const Place place(call.thread_bits, (double*)memory);
    const Share share(call, call.n_parts);
    const Parts parts(call, 0);
    const Global psi = share.state(call.psi, parts.head->bits);
    for (u32 g = 0; g < parts.head->n_groups; ++g) {
        const Group& group = parts.groups()[g];
        T sums[MOST_IN_GROUP] = {};
        add_group(psi, group, parts.terms(), share.part * blockDim.x + place.t, call.n_parts * blockDim.x, sums);
        double totals[MOST_IN_GROUP];
        for (u32 k = 0; k < MOST_IN_GROUP; ++k) totals[k] = sums[k];
        place.sum(totals);
        if (place.t == 0)
            for (u32 k = 0; k < group.count; ++k)
                call.partial[u64(blockIdx.x) * call.n_columns + group.first + k] = totals[k];
    }
}

KERNEL(state_values) {
    const Parts parts(call, 0);
    const u64 local = blockIdx.x;
    T* values = call.values + (call.first_sample + local) * call.n_outputs;
    const double factor = double(factor_of(call, local)) * double(factor_of(call, local));
    for (u64 o = threadIdx.x; o < call.n_outputs; o += blockDim.x) {
        double value = 0;
        for (u32 k = 0; k < parts.head->n_terms; ++k) {
            const Term& term = parts.terms()[k];
            if (term.output == o) value += term.coefficient * call.sums[local * call.sums_stride + k];
        }
        values[o] = T(value * factor);
    }
}

// Outcomes are rows of 2^(bits - d) amplitudes, cut into n_columns pieces each, whose sums are partial ones.
KERNEL(state_outcomes) {
    const Share share(call, call.n_parts);
    const Parts parts(call, 0);
    const Outcomes& map = parts.outcomes();
    const Global psi = share.state(call.psi, parts.head->bits);
    const u64 size = (u64(1) << map.d) * call.n_columns, each = psi.size / size;
    const T factor = factor_of(call, share.local) * factor_of(call, share.local);
    share.over(call, size, [&](u64 k) {
        const u64 outcome = k / call.n_columns, piece = k % call.n_columns;
        const T sum = factor * outcome_part(map, psi, outcome, piece * each, each);
        if (call.n_columns == 1)
            call.values[share.row * call.n_outputs + outcome_place(map, outcome)] = sum;
        else
            call.partial[share.local * size + k] = sum;
    });
}

KERNEL(state_outcome_values) {
    const Share share(call, call.n_parts);
    const Outcomes& map = Parts(call, 0).outcomes();
    share.over(call, u64(1) << map.d, [&](u64 outcome) {
        double sum = 0;
        const double* pieces = call.partial + ((share.local << map.d) + outcome) * call.n_columns;
        for (u64 k = 0; k < call.n_columns; ++k) sum += pieces[k];
        call.values[share.row * call.n_outputs + outcome_place(map, outcome)] = T(sum);
    });
}

KERNEL(state_amplitudes) {
    const Share share(call, call.n_parts);
    const Parts parts(call, 0);
    const Global psi = share.state(call.psi, parts.head->bits);
    const T factor = factor_of(call, share.local);
    T* values = call.values + share.row * call.n_outputs;
    share.over(call, u64(1) << parts.head->used_bits, [&](u64 i) { give_amplitude(parts, psi, i, factor, values); });
}

// lambda, for a psi that is left as it is: both bring factors of slopes, which stand in lambda together.
KERNEL(state_weigh) {
    const Share share(call, call.n_parts);
    const Parts parts(call, 0);
    const Global psi = share.state(call.psi, parts.head->bits), lambda = share.state(call.adjoint, parts.head->bits);
    const T factor = factor_of(call, share.local), scale = parts.head->kind == AMPLITUDES ? factor : factor * factor;
    const T* cotangents = call.cotangents + share.row * call.n_outputs;
    share.over(call, psi.size, [&](u64 i) { weigh(parts, psi, lambda, i, cotangents, scale); });
}

// Slopes of rotations, in `sums`, to those of slots: a block a sample.
KERNEL(state_slopes) {
    const Parts parts(call, 0);
    const u64 local = blockIdx.x, row = call.first_sample + local;
    const double* slopes = call.sums + local * call.sums_stride;
    T* d_inputs = call.d_inputs ? call.d_inputs + row * call.n_inputs : nullptr;
    T* d_weights = call.d_weights ? call.d_weights + row * call.n_weights : nullptr;
    for (u64 k = threadIdx.x; d_inputs && k < call.n_inputs; k += blockDim.x) d_inputs[k] = 0;
    for (u64 k = threadIdx.x; d_weights && k < call.n_weights; k += blockDim.x) d_weights[k] = 0;
    Place::sync();
    for (u32 s = 0; s < parts.head->n_stages; ++s) {
        const Stage& stage = parts.stages()[s];
        for (u32 k = threadIdx.x; k < stage.n_slots; k += blockDim.x) {
            const Slot& slot = parts.slots()[stage.first_slot + k];
            T* to = slot.is_weight ? d_weights : d_inputs;
            double total = 0;
            for (u32 u = slot.first; u < slot.first + slot.count; ++u)
                total += parts.uses()[u].scale * slopes[stage.first + parts.uses()[u].rotation];
            if (to) to[slot.index] += T(total);
        }
        Place::sync();
    }
}

KERNEL(state_start_slopes) {
    const Share share(call, call.n_parts);
    const Parts parts(call, 0);
    const Global lambda = share.state(call.adjoint, parts.head->bits);
    T* d_inputs = call.d_inputs + share.row * call.n_inputs;
    share.over(call, u64(1) << parts.head->used_bits, [&](u64 i) { give_start_slope(parts, lambda, i, d_inputs); });
}

}  // namespace qloom_gpu
