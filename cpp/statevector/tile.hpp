// One state, or one sample a lane, and its way through a schedule: forward, measured, back.
#pragma once
#include <array>
#include <optional>

#include "machine/interrupt.hpp"
#include "machine/threads.hpp"
#include "statevector/angles.hpp"

namespace qloom {

template <class T>
class Tile {
public:
    // `threads`: share the bases of every sweep among so many, in RANGES ranges; 0 for a tile that is one thread's.
    Tile(const Angles<T>&, int threads, bool with_lambda);

    // Samples first .. from now on; their state is in psi, or in memory of the tile's own where that is null.
    void open(size_t first_sample, T* psi_or_null);
    void run();
    void measure(T* values);  // the tile's rows of (B, O)
    // After run, or with psi as a run left it: lambda from the cotangents, then the walk back. Derivatives of angles
    // that belong to the samples are given at once, those of shared ones are summed up.
    void walk_back(const Gradient<T>&);
    // When a part's tiles have been walked: adds their derivatives, and the sums over the entries of shared tables.
    void close(double* d_weights, double* table_sums) const;

private:
    // Where a block has fewer cells, its steps are too short to stop between them.
    static constexpr size_t LEAST_CELLS_TO_STOP_AT = 256;
    static constexpr size_t RANGES = 16, FEWEST_SHARED = 32, MOST_PARTIAL_OUTCOMES = 4096;
    static constexpr size_t FEW_OUTCOMES = 256, CELLS_AT_ONCE = 64;

    // Angles and growths.
    void fill_turns();
    void flip_turns();
    // The rotations and tables that turn the other way in some of the tile's samples.
    const uint64_t* flips_of(size_t lane) const { return batch.flips_of(first + (schedule.lane_bits ? 0 : lane)); }
    bool any_flipped(const Forms&, const uint64_t* flips) const;
    void find_flips();
    void flip_table(size_t k);
    void give_flipped_sums();
    void give_flipped_sums(size_t k, size_t sample, const T* one);
    std::optional<uint32_t> shift_of(const Forms&, const uint64_t* flips) const;
    const Norms<T>& norms() const { return own_norms ? *own_norms : *angles.norms; }
    void scale_state(T* state, const T* factor);

    // The norm: turns keep it but for rounding, which adds up over thousands of them.
    void sum_squares(double* squares);
    void find_drift();
    void take_drift();
    double growth(size_t lane) const { return double(norms().psi()[lane]) * drift[lane]; }

    // The walk.
    void start();
    void take_amplitudes();
    void grow();
    using Parts = std::array<T, 2>;
    Parts turned(const T* state, size_t r, size_t lane) const;
    void grow_lanes(size_t r);
    void ungrow(size_t first_wanted);
    void ungrow_lanes(size_t r, T* sum);
    template <class F>
    void over_ranges(size_t items, F body);
    template <class F>
    void over_rows(size_t begin, size_t end, F body) const;
    template <class F>
    void over_blocks(const Sweep&, bool with_lambda, F body);
    Walk walk(const Step&, Mask base) const;
    Phases<T> phases(const Step&, size_t block_cells, Mask base) const;
    void do_step(size_t number, size_t block_cells, Mask base, T* block) const;
    void undo_step(size_t number, size_t block_cells, Mask base, T* block, T* lambda_block, size_t range);
    void undo_without_slopes(const Step&, size_t block_cells, Mask base, T* block, T* lambda_block) const;
    void add_sum(size_t range, size_t r, const T* sum, size_t step);

    // Both ends.
    void measure_terms(T* out);
    void measure_outcomes(T* out);
    void square_state(T* out);
    void square_samples(T* out);
    void sum_few_outcomes(T* out);
    void give_sums(const double* sums, T* out) const;
    void sum_outcomes(T* out);
    void add_term(size_t t, const T* sums, T* out) const;
    template <class F>
    void over_final_state(F body);
    void measure_amplitudes(T* out);
    void weigh_amplitudes(const T* cotangents);
    void weigh(const T* cotangents);
    void weigh_outcomes(const T* cotangents);
    void weigh_terms(const T* cotangents);
    void add_weight(size_t t, const T* cotangents, T* out) const;
    bool wanted(const Step&, const Gradient<T>&) const;
    void give_slope(size_t r, const Gradient<T>&);
    double sum_of(size_t r) const;
    void add_table_sums(double* out) const;
    void give_amplitudes(const Gradient<T>&) const;

    // Where an amplitude's real part is; `sample` counts from the tile's first.
    size_t position(size_t amplitude, size_t sample) const {
        const size_t lane = schedule.lane_bits ? amplitude & (lanes - 1) : sample;
        return (amplitude >> schedule.lane_bits) * stride + lane;
    }
    size_t lane_of(size_t sample) const { return schedule.lane_bits ? 0 : sample; }
    T* cell(T* state, size_t number) const { return state + number * stride; }
    // |amplitude|^2, from where its real part is.
    template <class N>
    N squared(const T* at) const {
        return N(at[0]) * at[0] + (is_real ? N(0) : N(at[lanes]) * at[lanes]);
    }

    const Angles<T>& angles;
    const Program& program;
    const Schedule& schedule;
    const Coordinates& coordinates;
    const Batch<T>& batch;
    const Kernels<T>& kernel = kernels<T>();
    const size_t lanes = kernel.lanes, cells, amplitudes;
    const bool is_real;
    const size_t stride;  // numbers of a cell
    const CellKernels<T>& of_cells;
    const int threads;
    const size_t ranges;

    Scratch scratch;
    T *psi = nullptr, *own_psi, *lambda;
    const T** turn;                      // of every rotation
    T* own_turns;                        // of the tile's own samples
    uint64_t* flipped = nullptr;         // bits of rotations that some sample flips; null where none ever is
    bool* own_table = nullptr;           // whether a table is the tile's own
    T *own_tables, *own_sums = nullptr;  // where those are, and their sums as `table_sums`
    std::optional<Norms<T>> own_norms;
    double* norm_at_start;  // squared, by lane
    T* drift;               // psi = drift * growth * true state: measured at the end of the walk forward
    T* undrift;             // 1 / drift^2: slopes of lambda times this are not changed by it
    bool* slopes_wanted;    // of each step, by the gradient
    double* slopes;         // [range][rotation][lane]
    T* table_sums;          // [range][sums of all tables]
    size_t first = 0, used = 0;
};

// body(begin, end, range) over ranges of [0, items), shared by the threads; few items are one range.
template <class T>
template <class F>
void Tile<T>::over_ranges(size_t items, F body) {
    if (ranges == 1 || items < FEWEST_SHARED) return body(size_t(0), items, size_t(0));
    parallel_for(ranges, threads, [&](size_t r) {
        Watch::check(items / ranges * stride);
        body(items * r / ranges, items * (r + 1) / ranges, r);
    });
}

// body(from, to, sample) over parts of [begin, end) and the samples of each. Rows of samples lie far apart in arrays,
// and side by side in a tile: some cells stay in the nearest cache while the rows take turns.
template <class T>
template <class F>
void Tile<T>::over_rows(size_t begin, size_t end, F body) const {
    for (size_t from = begin; from < end; from += CELLS_AT_ONCE)
        for (size_t sample = 0; sample < used; ++sample) body(from, std::min(from + CELLS_AT_ONCE, end), sample);
}

}  // namespace qloom
