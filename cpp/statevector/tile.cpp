#include "statevector/tile.hpp"

namespace qloom {
namespace {

// Arrays that are walked together are staggered by a few cache lines: at powers of two apart they would fight for the
// same sets.
constexpr size_t STAGGER_BYTES = 5 * 64;

// The p-th number whose bits under `holes` are 0.
Mask spread(Mask p, Mask holes) {
    Mask out = 0;
    for (Mask place = 1; p; place <<= 1) {
        if (holes & place) continue;
        if (p & 1) out |= place;
        p >>= 1;
    }
    return out;
}

}  // namespace

template <class T>
Tile<T>::Tile(const Angles<T>& a, int n_threads, bool with_lambda)
    : angles(a),
      program(a.program),
      schedule(a.schedule),
      coordinates(a.coordinates),
      batch(a.batch),
      cells(schedule.cells),
      amplitudes(cells << schedule.lane_bits),
      is_real(a.coordinates.is_real),
      stride(lanes << schedule.part_bits),
      of_cells(kernel.of_cells[schedule.part_bits]),
      threads(n_threads),
      ranges(n_threads ? RANGES : 1) {
    const size_t rotations = program.rotations.size();
    own_psi = nullptr;
    lambda = with_lambda ? scratch.take<T>(cells * stride + STAGGER_BYTES / sizeof(T)) : nullptr;
    turn = scratch.take<const T*>(rotations);
    own_turns = scratch.take<T>(rotations * turn_size(lanes));
    for (size_t r = 0; r < rotations; ++r)
        turn[r] = angles.is_shared(r) ? angles.shared_turn(r) : own_turns + r * turn_size(lanes);
    norm_at_start = scratch.take<double>(lanes);
    drift = scratch.take<T>(lanes);
    undrift = scratch.take<T>(lanes);
    if (!angles.norms) own_norms.emplace(scratch, schedule, with_lambda);
    if (batch.flips) {
        flipped = scratch.take<uint64_t>(batch.n_flips);
        std::memset(flipped, 0, batch.n_flips * sizeof(uint64_t));
        own_table = scratch.take<bool>(schedule.tables.size());
        std::memset(own_table, 0, schedule.tables.size() * sizeof(bool));
        own_tables = scratch.take<T>(2 * angles.n_sums * lanes);
    }
    if (!with_lambda) return;
    slopes_wanted = scratch.take<bool>(schedule.steps.size());
    slopes = scratch.take<double>(ranges * rotations * lanes);
    std::memset(slopes, 0, ranges * rotations * lanes * sizeof(double));
    table_sums = scratch.take<T>(ranges * angles.n_sums * lanes);
    std::memset(table_sums, 0, ranges * angles.n_sums * lanes * sizeof(T));
    if (flipped) own_sums = scratch.take<T>(ranges * angles.n_sums * lanes);
}

template <class T>
void Tile<T>::open(size_t first_sample, T* psi_or_null) {
    first = first_sample;
    const size_t most = schedule.lane_bits ? 1 : lanes;
    used = batch.size - first < most ? batch.size - first : most;
    if (!psi_or_null && !own_psi) own_psi = scratch.take<T>(cells * stride);
    psi = psi_or_null ? psi_or_null : own_psi;
    fill_turns();
    if (flipped) find_flips();
    if (own_norms) own_norms->find(turn);
}

template <class T>
void Tile<T>::fill_turns() {
    alignas(64) T halves[MOST_LANES], cosines[MOST_LANES], sines[MOST_LANES];
    for (size_t r = 0; r < program.rotations.size(); ++r) {
        if (angles.is_shared(r)) continue;
        for (size_t lane = 0; lane < lanes; ++lane) {
            const size_t sample = schedule.lane_bits ? 0 : lane;
            halves[lane] = sample < used ? T(batch.half(program.rotations[r].angle, first + sample)) : T(0);
        }
        kernel.cos_sin(halves, 1, cosines, sines);
        angles.write_turn(r, cosines, sines, 1, own_turns + r * turn_size(lanes));
    }
}

template <class T>
void Tile<T>::scale_state(T* state, const T* factor) {
    if (!factor) return;
    over_ranges(cells, [&](size_t begin, size_t end, size_t) {
        kernel.scale(cell(state, begin), (end - begin) << schedule.part_bits, factor);
    });
}

// Squared norms by lane; where lanes are amplitudes, all have that of the one sample.
template <class T>
void Tile<T>::sum_squares(double* squares) {
    const size_t run = schedule.run();
    alignas(64) double partial[RANGES * MOST_LANES];
    std::memset(partial, 0, ranges * lanes * sizeof(double));
    over_ranges(cells / run, [&](size_t begin, size_t end, size_t range) {
        for (size_t b = begin; b < end; ++b) {
            alignas(64) T sum[MOST_LANES] = {};
            kernel.add_squares(cell(psi, b * run), run << schedule.part_bits, sum);
            for (size_t lane = 0; lane < lanes; ++lane) partial[range * lanes + lane] += sum[lane];
        }
    });
    for (size_t lane = 0; lane < lanes; ++lane) {
        squares[lane] = 0;
        for (size_t range = 0; range < ranges; ++range) squares[lane] += partial[range * lanes + lane];
    }
    if (!schedule.lane_bits) return;
    for (size_t lane = 1; lane < lanes; ++lane) squares[0] += squares[lane];
    for (size_t lane = 1; lane < lanes; ++lane) squares[lane] = squares[0];
}

// From the norms at the end; where those at the start are so large or small that their squares may be lost, there is
// none. Kept beside the final state, which it is needed with on the walk back.
template <class T>
void Tile<T>::find_drift() {
    alignas(64) double squares[MOST_LANES];
    sum_squares(squares);
    for (size_t lane = 0; lane < lanes; ++lane) {
        const double start = norm_at_start[lane], growth = norms().psi()[lane];
        drift[lane] =
            start < 0x1p-40 || start > 0x1p40 ? T(1) : T(std::sqrt(squares[lane] / (start * growth * growth)));
        if (psi != own_psi) psi[cells * stride + lane] = drift[lane];
    }
}

template <class T>
void Tile<T>::take_drift() {
    for (size_t lane = 0; lane < lanes; ++lane) drift[lane] = psi[cells * stride + lane];
}

// body(block, block of lambda, base, range) for every block of a sweep.
template <class T>
template <class F>
void Tile<T>::over_blocks(const Sweep& sweep, bool with_lambda, F body) {
    if (sweep.whole) return body(psi, lambda, Mask(0), size_t(0));
    const size_t block_cells = size_t(1) << sweep.dims, numbers = block_cells * stride;
    const uint32_t* places = schedule.places(sweep);
    const uint8_t* flips = schedule.flips(sweep);
    over_ranges(cells >> sweep.dims, [&](size_t begin, size_t end, size_t range) {
        Scratch inner;
        T* block = inner.take<T>(numbers + STAGGER_BYTES / sizeof(T));
        T* lambda_block = inner.take<T>(with_lambda ? numbers : 0);
        Mask base = spread(begin, sweep.pivots);
        for (size_t b = begin; b < end; ++b, base = ((base | sweep.pivots) + 1) & ~sweep.pivots) {
            of_cells.gather(psi, block, block_cells, uint32_t(base), places, flips);
            if (with_lambda) of_cells.gather(lambda, lambda_block, block_cells, uint32_t(base), places, flips);
            body(block, lambda_block, base, range);
            of_cells.scatter(psi, block, block_cells, uint32_t(base), places, flips);
            if (with_lambda) of_cells.scatter(lambda, lambda_block, block_cells, uint32_t(base), places, flips);
        }
    });
}

template <class T>
Walk Tile<T>::walk(const Step& step, Mask base) const {
    Walk out = step.walk;
    for (int k = 0; k < step.words; ++k) out.opposite |= uint8_t(parity(base & step.base_z[k]) << k);
    return out;
}

template <class T>
Phases<T> Tile<T>::phases(const Step& step, size_t block_cells, Mask base) const {
    Phases<T> out;
    out.count = step.tables;
    out.broadcast = !schedule.lane_bits && !(own_table && own_table[step.rotations[0]]);
    for (int k = 0; k < step.tables; ++k) {
        const uint32_t table = step.rotations[k];
        out.lookup[k] = {schedule.indices(step) + k * block_cells, schedule.cell_index(schedule.tables[table], base)};
        const bool own = own_table && own_table[table];
        out.table[k] = own ? own_tables + 2 * angles.start(table) * lanes : angles.table_of(table);
        out.sums[k] = nullptr;
    }
    return out;
}

template <class T>
void Tile<T>::do_step(size_t number, size_t block_cells, Mask base, T* block) const {
    const Step& step = schedule.steps[number];
    if (block_cells >= LEAST_CELLS_TO_STOP_AT) Watch::check(block_cells * stride);
    if (const T* factor = norms().before(number)) kernel.scale(block, block_cells << schedule.part_bits, factor);
    if (step.tables) return kernel.phase(block, block_cells, phases(step, block_cells, base));
    const T* turns[3];
    for (int k = 0; k < step.words; ++k) turns[k] = turn[step.rotations[k]];
    kernel.turn(block, walk(step, base), turns);
}

template <class T>
void Tile<T>::undo_step(size_t number, size_t block_cells, Mask base, T* block, T* lambda_block, size_t range) {
    const Step& step = schedule.steps[number];
    if (block_cells >= LEAST_CELLS_TO_STOP_AT) Watch::check(2 * block_cells * stride);
    const typename Norms<T>::Back& factor = norms().before_undoing(number);
    if (factor.psi) kernel.scale(block, block_cells << schedule.part_bits, factor.psi);
    if (factor.lambda) kernel.scale(lambda_block, block_cells << schedule.part_bits, factor.lambda);
    if (!slopes_wanted[number]) return undo_without_slopes(step, block_cells, base, block, lambda_block);
    if (step.tables) {
        Phases<T> p = phases(step, block_cells, base);
        for (int k = 0; k < p.count; ++k) {
            T* sums = own_table && own_table[step.rotations[k]] ? own_sums : table_sums;
            p.sums[k] = sums + (range * angles.n_sums + angles.start(step.rotations[k])) * lanes;
        }
        return kernel.unphase(block, lambda_block, block_cells, p, norms().of_slopes(number));
    }
    const T* turns[3];
    for (int k = 0; k < step.words; ++k) turns[k] = turn[step.rotations[k]];
    alignas(64) T sums[3 * MOST_LANES];
    std::memset(sums, 0, step.words * lanes * sizeof(T));
    kernel.unturn(block, lambda_block, walk(step, base), turns, sums);
    for (int k = 0; k < step.words; ++k) add_sum(range, step.rotations[k], sums + k * lanes, number);
}

template <class T>
void Tile<T>::undo_without_slopes(const Step& step, size_t block_cells, Mask base, T* block, T* lambda_block) const {
    if (step.tables) return kernel.unphase(block, lambda_block, block_cells, phases(step, block_cells, base), nullptr);
    const T* turns[3];
    for (int k = 0; k < step.words; ++k) turns[k] = turn[step.rotations[k]];
    Walk back = walk(step, base);
    back.opposite ^= uint8_t((1 << step.words) - 1);
    kernel.turn(block, back, turns);
    kernel.turn(lambda_block, back, turns);
}

template <class T>
void Tile<T>::add_sum(size_t range, size_t r, const T* sum, size_t step) {
    double* mine = slopes + (range * program.rotations.size() + r) * lanes;
    const T* factor = norms().of_slopes(step);
    if (flipped && is_flipped(flipped, r)) {
        for (size_t lane = 0; lane < lanes; ++lane) {
            const bool flips = (schedule.lane_bits || lane < used) && is_flipped(flips_of(lane), r);
            mine[lane] += sum[lane] * (flips ? -factor[lane] : factor[lane]);
        }
        return;
    }
    for (size_t lane = 0; lane < lanes; ++lane) mine[lane] += sum[lane] * factor[lane];
}

template <class T>
void Tile<T>::run() {
    start();
    for (const Sweep& sweep : schedule.sweeps)
        over_blocks(sweep, false, [&](T* block, T*, Mask base, size_t) {
            for (uint32_t s = sweep.first; s < sweep.end; ++s) do_step(s, size_t(1) << sweep.dims, base, block);
        });
    scale_state(psi, norms().before(schedule.steps.size()));
    find_drift();
}

template <class T>
void Tile<T>::walk_back(const Gradient<T>& gradient) {
    size_t first_growth = 0, first_step = 0;
    while (first_growth < coordinates.growths && !gradient.wants(program.rotations[first_growth].angle)) ++first_growth;
    const bool to_the_start = first_growth < coordinates.growths || (gradient.d_inputs && program.real_column >= 0);
    for (size_t s = 0; s < schedule.steps.size(); ++s) slopes_wanted[s] = wanted(schedule.steps[s], gradient);
    while (!to_the_start && first_step < schedule.steps.size() && !slopes_wanted[first_step]) ++first_step;

    if (gradient.kept) take_drift();
    for (size_t lane = 0; lane < lanes; ++lane) undrift[lane] = 1 / (drift[lane] * drift[lane]);
    weigh(gradient.cotangents);
    for (size_t k = schedule.sweeps.size(); k-- > 0 && schedule.sweeps[k].end > first_step;) {
        const Sweep& sweep = schedule.sweeps[k];
        over_blocks(sweep, true, [&](T* block, T* lambda_block, Mask base, size_t range) {
            for (size_t s = sweep.end; s-- > sweep.first && s >= first_step;)
                undo_step(s, size_t(1) << sweep.dims, base, block, lambda_block, range);
        });
    }
    if (to_the_start) {
        const typename Norms<T>::Back& factor = norms().before_undoing(schedule.steps.size());
        scale_state(psi, factor.psi);
        scale_state(lambda, factor.lambda);
        ungrow(first_growth);
    }
    if (flipped) give_flipped_sums();
    for (size_t r = 0; r < program.rotations.size(); ++r)
        if (!angles.is_shared(r)) give_slope(r, gradient);
    if (gradient.d_inputs && program.real_column >= 0) give_amplitudes(gradient);
}

template <class T>
bool Tile<T>::wanted(const Step& step, const Gradient<T>& gradient) const {
    bool out = false;
    for (int k = 0; k < step.words; ++k) out |= gradient.wants(program.rotations[step.rotations[k]].angle);
    for (int k = 0; k < step.tables; ++k)
        for (uint32_t r : schedule.tables[step.rotations[k]].members) out |= gradient.wants(program.rotations[r].angle);
    return out;
}

// The derivative of an angle that belongs to the samples, whose sums start again from 0.
template <class T>
void Tile<T>::give_slope(size_t r, const Gradient<T>& gradient) {
    const Angle& angle = program.rotations[r].angle;
    const bool of_input = angle.source == Source::input;
    T* out = of_input ? gradient.d_inputs : gradient.d_weights;
    const size_t stride = of_input ? program.n_inputs : batch.weight_stride;
    const double scale = angle.scale * coordinates.rotations[r].sign;
    if (!gradient.wants(angle)) out = nullptr;
    if (out && schedule.lane_bits) out[first * stride + angle.index] += T(scale * sum_of(r));
    for (size_t lane = 0; out && !schedule.lane_bits && lane < used; ++lane)
        out[(first + lane) * stride + angle.index] += T(scale * slopes[r * lanes + lane]);
    for (size_t range = 0; range < ranges; ++range)
        std::memset(slopes + (range * program.rotations.size() + r) * lanes, 0, lanes * sizeof(double));
}

// What rotation r has summed up over ranges and lanes.
template <class T>
double Tile<T>::sum_of(size_t r) const {
    double out = 0;
    for (size_t range = 0; range < ranges; ++range) {
        const double* mine = slopes + (range * program.rotations.size() + r) * lanes;
        for (size_t lane = 0; lane < lanes; ++lane)
            out += mine[lane] * angles.lane_sign(coordinates.rotations[r], lane);
    }
    return out;
}

template <class T>
void Tile<T>::close(double* d_weights, double* sums_of_tables) const {
    for (size_t r = 0; r < program.rotations.size(); ++r) {
        const Angle& angle = program.rotations[r].angle;
        if (angle.source == Source::weight && angles.is_shared(r))
            d_weights[angle.index] += angle.scale * coordinates.rotations[r].sign * sum_of(r);
    }
    add_table_sums(sums_of_tables);
}

template <class T>
void Tile<T>::add_table_sums(double* out) const {
    if (!schedule.lane_bits) return kernel.add_lanes(table_sums, angles.n_sums, out);
    for (size_t k = 0; k < schedule.tables.size(); ++k)
        for (size_t lane = 0; lane < lanes; ++lane) {
            const size_t shift = schedule.lane_index(schedule.tables[k], lane);
            for (size_t range = 0; range < ranges; ++range) {
                const T* sums = table_sums + (range * angles.n_sums + angles.start(k)) * lanes;
                for (size_t i = 0; i < schedule.tables[k].size(); ++i)
                    out[angles.start(k) + (i ^ shift)] += sums[i * lanes + lane];
            }
        }
}

template class Tile<float>;
template class Tile<double>;

}  // namespace qloom
