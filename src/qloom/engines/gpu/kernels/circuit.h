// Whole programs in shared memory: one launch forward, one back. A block has one sample, a warp may have several.
#pragma once
#include "measuring.h"
#include "walk.h"

namespace qloom_gpu {

// A block's shared memory: sums, then for every sample its stage and its states. `shapes.py` counts the same.
struct Room {
    double* scratch;
    Staging staging;
    T* waves;  // a number an amplitude
    Amplitude *psi, *lambda;

    __device__ Room(unsigned char* memory, const Call& call, bool back, bool with_waves = true) {
        const u32 count = 1u << call.thread_bits, samples = blockDim.x >> call.thread_bits;
        const u32 sample = threadIdx.x >> call.thread_bits, warps = count > WARP ? count / WARP : 1;
        const u64 state = u64(1) << call.most_bits;
        const u32 turns = MOST_IN_STAGE + (samples > 1);  // one more, so that samples of a warp do not meet in a bank
        scratch = (double*)memory, memory += MOST_IN_GROUP * warps * sizeof(double);
        staging.turns = (Turn*)memory + sample * turns, memory += samples * turns * sizeof(Turn);
        staging.norms = (T*)memory + sample * MOST_IN_STAGE, memory += samples * MOST_IN_STAGE * sizeof(T);
        staging.slopes = (T*)memory + sample * MOST_IN_STAGE * warps;
        if (back) memory += samples * MOST_IN_STAGE * warps * sizeof(T);
        waves = (T*)memory + sample * state;
        if (with_waves) memory += samples * state * sizeof(T);
        psi = (Amplitude*)memory + sample * state, lambda = psi + samples * state;
    }
};

// So many words without an x mask take longer one by one than a transform does.
constexpr u32 LEAST_IN_WAVES = 4;

// One sample of a block at work. Where a warp has more samples than are left, it works on the last one again and gives
// nothing.
struct Worker {
    const Call& call;
    const Parts parts;
    const Sample sample;
    const u64 row;
    const bool gives;
    const Place& place;
    const Shared psi;
    const InBanks<T> waves;

    __device__ Worker(const Call& call, u64 wanted, const Place& place, const Room& room)
        : call(call),
          parts(call, clipped(call, wanted)),
          sample(call, clipped(call, wanted)),
          row(clipped(call, wanted)),
          gives(wanted < call.n_samples),
          place(place),
          psi(room.psi, parts.head->bits, place),
          waves(room.waves, parts.head->bits, place) {}
    __device__ static u64 clipped(const Call& call, u64 row) { return row < call.n_samples ? row : call.n_samples - 1; }
    __device__ const Program& head() const { return *parts.head; }

    // From the start to the end. psi comes out as it is but for a factor, which is given back.
    __device__ T run(const Staging& staging) const {
        for (u32 i = place.t; i < psi.size; i += place.count) start_at(parts, sample, psi, i);
        Place::sync();
        const T started = head().start == ZERO ? T(1) : norm_of(psi, place);
        tile_forward_walk(call, parts, parts.tiles()[0], sample, 0, psi, place, staging);
        const T norm = norm_of(psi, place);
        if (is_refused(call, head(), started)) return T(nan(""));
        return norm > 0 ? sqrt(started / norm) : T(1);
    }

    __device__ void measure(T factor) const {
        T* values = call.values + row * call.n_outputs;
        if (gives)
            for (u64 o = place.t; o < call.n_outputs; o += place.count) values[o] = 0;
        Place::sync();
        if (head().kind == TERMS)
            measure_terms(factor * factor, values);
        else if (head().kind == OUTCOMES)
            measure_outcomes(factor * factor, values);
        else if (gives)
            for (u32 i = place.t; i < 1u << head().used_bits; i += place.count)
                give_amplitude(parts, psi, i, factor, values);
    }

    __device__ void measure_terms(T factor, T* values) const {
        const u32 first = has_waves() ? measure_diagonal(factor, values) : 0;
        for (u32 g = first; g < head().n_groups; ++g) {
            const Group& group = parts.groups()[g];
            T sums[MOST_IN_GROUP] = {};
            add_group(psi, group, parts.terms(), place.t, place.count, sums);
            place.sum(sums);
            if (place.t == 0 && gives)
                for (u32 k = 0; k < group.count; ++k) {
                    const Term& term = parts.terms()[group.first + k];
                    values[term.output] += T(term.coefficient) * sums[k] * factor;
                }
        }
    }

    // Whether words without an x mask are many enough for a transform to find all of them at once.
    __device__ bool has_waves() const { return head().kind == TERMS && head().n_diagonal >= LEAST_IN_WAVES; }
    __device__ u32 diagonal_groups() const { return (head().n_diagonal + MOST_IN_GROUP - 1) / MOST_IN_GROUP; }

    // Those words' values; the first group of others is given back.
    __device__ u32 measure_diagonal(T factor, T* values) const {
        for (u32 i = place.t; i < psi.size; i += place.count) waves[i] = square(psi[i]);
        walsh(waves, head().bits, place);
        for (u64 o = place.t; o < call.n_outputs && gives; o += place.count) {
            T sum = 0;
            for (u32 k = 0; k < head().n_diagonal; ++k) {
                const Term& term = parts.terms()[k];
                if (term.output == o) sum += T(term.coefficient) * waves[u32(term.z)];
            }
            values[o] = factor * sum;
        }
        Place::sync();
        return diagonal_groups();
    }

    // lambda of those words alone. Terms of one z mask stand side by side: a thread has all of them.
    __device__ u32 weigh_diagonal(const Shared& lambda, const T* cotangents, T scale) const {
        const Term* terms = parts.terms();
        for (u32 i = place.t; i < psi.size; i += place.count) waves[i] = 0;
        Place::sync();
        for (u32 k = place.t; k < head().n_diagonal; k += place.count) {
            if (k && terms[k - 1].z == terms[k].z) continue;
            T weight = 0;
            for (u32 l = k; l < head().n_diagonal && terms[l].z == terms[k].z; ++l)
                weight += T(terms[l].coefficient) * cotangents[terms[l].output];
            waves[u32(terms[k].z)] = scale * weight;
        }
        walsh(waves, head().bits, place);
        for (u32 i = place.t; i < psi.size; i += place.count) lambda[i] = waves[i] * psi[i];
        return diagonal_groups();
    }

    // Neighbouring threads share an outcome where there are more threads than outcomes.
    __device__ void measure_outcomes(T factor, T* values) const {
        const Outcomes& map = parts.outcomes();
        const u32 rest = head().bits - map.d;
        u32 shared = 0;
        while (shared < 5 && shared < rest && 1u << (map.d + shared) < place.count) ++shared;
        const u32 each = 1u << (rest - shared);
        for (u32 k = place.t; k < 1u << (map.d + shared); k += place.count) {
            T sum = outcome_part(map, psi, k >> shared, (k & ((1u << shared) - 1)) * each, each);
            for (u32 step = (1u << shared) / 2; step; step /= 2) sum += __shfl_xor_sync(place.lanes, sum, step);
            if (gives && (k & ((1u << shared) - 1)) == 0) values[outcome_place(map, k >> shared)] = factor * sum;
        }
    }

    __device__ void keep(T factor) const {
        Amplitude* kept = (Amplitude*)(call.kept + row * call.kept_stride);
        for (u32 i = place.t; i < psi.size; i += place.count) kept[i] = factor * psi[i];
    }

    // psi at the end, of norm as it started: from what was kept, or run anew.
    __device__ void end_state(const Staging& staging) const {
        if (!call.kept) {
            const T factor = run(staging);
            for (u32 i = place.t; i < psi.size; i += place.count) psi[i] = factor * psi[i];
        } else {
            const Amplitude* kept = (const Amplitude*)(call.kept + row * call.kept_stride);
            for (u32 i = place.t; i < psi.size; i += place.count) psi[i] = kept[i];
        }
        Place::sync();
    }

    // Slopes of a stage to those of its slots, one thread a slot.
    __device__ void give_slopes(const Stage& stage, const T* slopes, T drift, T* d_inputs, T* d_weights) const {
        for (u32 k = place.t; gives && k < stage.n_slots; k += place.count) {
            const Slot& slot = parts.slots()[stage.first_slot + k];
            T* to = slot.is_weight ? d_weights : d_inputs;
            if (!to) continue;
            T total = 0;
            for (u32 u = slot.first; u < slot.first + slot.count; ++u) {
                const Use& use = parts.uses()[u];
                T slope = 0;
                for (u32 w = 0; w < place.warps(); ++w) slope += slopes[use.rotation * place.warps() + w];
                total += T(use.scale) * slope;
            }
            to[slot.index] += drift * total;
        }
    }

    // Back from cotangents to slopes; d_weights is the row that this sample's threads add to.
    __device__ void walk_back(const Staging& staging, const Shared& lambda, T* d_weights) const {
        T* d_inputs = call.d_inputs ? call.d_inputs + row * call.n_inputs : nullptr;
        end_state(staging);
        const T norm = norm_of(psi, place), scale = norm == norm ? T(1) : norm;  // what is refused has no slopes
        const T* cotangents = call.cotangents + row * call.n_outputs;
        const u32 first_group = has_waves() ? weigh_diagonal(lambda, cotangents, scale) : 0;
        for (u32 i = place.t; i < psi.size && (!first_group || first_group < head().n_groups); i += place.count)
            weigh(parts, psi, lambda, i, cotangents, scale, first_group);
        for (u64 k = place.t; d_inputs && gives && k < call.n_inputs; k += place.count) d_inputs[k] = 0;
        Place::sync();
        tile_back_walk(
            call, parts, parts.tiles()[0], sample, 0, psi, lambda, waves, place, staging, true, norm,
            [&](const Stage& stage, T drift) { give_slopes(stage, staging.slopes, drift, d_inputs, d_weights); });
        if (d_inputs && gives && head().start == FROM_INPUTS)
            for (u32 i = place.t; i < psi.size; i += place.count) give_start_slope(parts, lambda, i, d_inputs);
        Place::sync();
    }
};

// Samples of a block: its first ones, then every so many further on. The same number of rounds for all of its threads.
template <class Body>
__device__ inline void over_samples(const Call& call, const Place& place, const Body& body) {
    const u64 step = u64(gridDim.x) * place.samples;
    for (u64 first = u64(blockIdx.x) * place.samples; first < call.n_samples; first += step) body(first + place.sample);
}

KERNEL(circuit_forward) {
    SHARED_MEMORY(memory);
    const Room room(memory, call, false);
    const Place place(call.thread_bits, room.scratch);
    over_samples(call, place, [&](u64 row) {
        const Worker worker(call, row, place, room);
        const T factor = worker.run(room.staging);
        worker.measure(factor);
        if (call.kept && worker.gives) worker.keep(factor);
        Place::sync();
    });
}

// Weights that samples share have a row of slopes for each sample that is worked on at once: sums do not depend on who
// comes first.
KERNEL(circuit_back) {
    SHARED_MEMORY(memory);
    const Room room(memory, call, true);
    const Place place(call.thread_bits, room.scratch);
    const u64 own = u64(blockIdx.x) * place.samples + place.sample;
    T* shared_row = call.d_weights && !call.weight_stride ? call.d_weights + own * call.n_weights : nullptr;
    for (u64 k = place.t; shared_row && k < call.n_weights; k += place.count) shared_row[k] = 0;
    over_samples(call, place, [&](u64 row) {
        const Worker worker(call, row, place, room);
        T* own_row = call.d_weights && call.weight_stride ? call.d_weights + worker.row * call.n_weights : nullptr;
        for (u64 k = place.t; own_row && worker.gives && k < call.n_weights; k += place.count) own_row[k] = 0;
        const Shared lambda(room.lambda, worker.head().bits, place);
        worker.walk_back(room.staging, lambda, shared_row ? shared_row : own_row);
    });
}

}  // namespace qloom_gpu
