// What a tile measures, and the lambda that its cotangents make of psi.
#include <algorithm>

#include "statevector/tile.hpp"

namespace qloom {

template <class T>
void Tile<T>::measure(T* values) {
    T* out = values + first * program.n_outputs;
    if (!program.final_state || amplitudes < program.size()) std::memset(out, 0, used * program.n_outputs * sizeof(T));
    program.final_state ? measure_amplitudes(out) : program.probabilities ? measure_outcomes(out) : measure_terms(out);
}

template <class T>
void Tile<T>::measure_terms(T* out) {
    Scratch inner;
    size_t size = 0;
    for (const Forms& forms : schedule.diagonal) size += forms.size() * lanes;
    const size_t width = size + schedule.others.size() * lanes, run = schedule.run();
    T* sums = inner.take<T>(ranges * width);
    std::memset(sums, 0, ranges * width * sizeof(T));
    over_ranges(cells / run, [&](size_t begin, size_t end, size_t range) {
        for (size_t b = begin; b < end; ++b) {
            T* mine = sums + range * width;
            for (size_t k = 0; k < schedule.diagonal.size(); mine += schedule.diagonal[k++].size() * lanes)
                of_cells.add_weights(cell(psi, b * run), run,
                                     {schedule.run_indices(k), schedule.cell_index(schedule.diagonal[k], b * run)},
                                     mine);
            for (uint32_t t : schedule.others) {
                const Word& word = coordinates.measured[t];
                const CellWord w = schedule.on_cells(word);
                of_cells.measure_word(psi, b * run, (b + 1) * run, w.x, w.z, w.flip, word.real, mine);
                mine += lanes;
            }
        }
    });
    for (size_t range = 1; range < ranges; ++range)
        for (size_t i = 0; i < width; ++i) sums[i] += sums[range * width + i];
    for (const Forms& forms : schedule.diagonal) {
        for (size_t lane = 1; lane < (schedule.lane_bits ? lanes : 1); ++lane)
            for (size_t i = 0; i < forms.size(); ++i)
                sums[i * lanes] += sums[(i ^ schedule.lane_index(forms, lane)) * lanes + lane];
        kernels<T>().walsh(sums, forms.size(), lanes);
        for (size_t m = 0; m < forms.members.size(); ++m)
            add_term(forms.members[m], sums + forms.coordinates[m] * lanes, out);
        sums += forms.size() * lanes;
    }
    for (uint32_t t : schedule.others) {
        const Word& word = coordinates.measured[t];
        for (size_t lane = 1; lane < (schedule.lane_bits ? lanes : 1); ++lane)
            sums[0] += angles.lane_sign(word, lane) * sums[lane];
        add_term(t, sums, out);
        sums += lanes;
    }
}

// One number for each sample.

template <class T>
void Tile<T>::add_term(size_t t, const T* sums, T* out) const {
    const Term& term = coordinates.terms[t];
    const Word& word = coordinates.measured[t];
    const double coefficient = term.coefficient * word.sign;
    for (size_t sample = 0; sample < used; ++sample) {
        const double norm = growth(sample);
        out[sample * program.n_outputs + term.output] += T(coefficient * sums[sample] / (norm * norm));
    }
}

template <class T>
void Tile<T>::measure_outcomes(T* out) {
    if (program.n_outputs == program.size()) return schedule.lane_bits ? square_state(out) : square_samples(out);
    program.n_outputs <= FEW_OUTCOMES ? sum_few_outcomes(out) : sum_outcomes(out);
}

// Every outcome is one basis state: its cell's XOR its lane's.
template <class T>
void Tile<T>::square_state(T* out) {
    Scratch inner;
    Mask* places = inner.take<Mask>(lanes);
    for (size_t lane = 0; lane < lanes; ++lane) places[lane] = coordinates.outcome(lane) ^ coordinates.outcome(0);
    const T factor = T(1 / (growth(0) * growth(0)));
    over_ranges(cells, [&](size_t begin, size_t end, size_t) {
        for (size_t i = begin; i < end; ++i) {
            const T* re = cell(psi, i);
            const Mask outcome = coordinates.outcome(i << schedule.lane_bits);
            for (size_t lane = 0; lane < lanes; ++lane) out[outcome ^ places[lane]] = factor * squared<T>(re + lane);
        }
    });
}

// Rows of samples lie far apart: some cells stay in the nearest cache while the rows take turns.
template <class T>
void Tile<T>::square_samples(T* out) {
    Mask outcomes[CELLS_AT_ONCE];
    for (size_t first_cell = 0; first_cell < cells; first_cell += CELLS_AT_ONCE) {
        const size_t count = std::min(CELLS_AT_ONCE, cells - first_cell);
        for (size_t i = 0; i < count; ++i) outcomes[i] = coordinates.outcome(first_cell + i);
        for (size_t sample = 0; sample < used; ++sample) {
            const T factor = T(1 / (growth(sample) * growth(sample)));
            const T* re = cell(psi, first_cell) + sample;
            T* row = out + sample * program.n_outputs;
            for (size_t i = 0; i < count; ++i, re += stride) row[outcomes[i]] = factor * squared<T>(re);
        }
    }
}

// Sums of many small numbers are taken in double, those of a run of cells excepted.
template <class T>
void Tile<T>::sum_few_outcomes(T* out) {
    Scratch inner;
    const size_t run = schedule.run(), width = program.n_outputs * lanes;
    const auto outcome = [&](size_t cell) { return uint32_t(coordinates.outcome(cell << schedule.lane_bits)); };
    uint16_t* index = inner.take<uint16_t>(run);
    for (size_t i = 0; i < run; ++i) index[i] = uint16_t(outcome(i) ^ outcome(0));
    double* totals = inner.take<double>(ranges * width);
    std::memset(totals, 0, ranges * width * sizeof(double));
    over_ranges(cells / run, [&](size_t begin, size_t end, size_t range) {
        Scratch own;
        T* sums = own.take<T>(width);
        for (size_t b = begin; b < end; ++b) {
            std::memset(sums, 0, width * sizeof(T));
            of_cells.add_weights(cell(psi, b * run), run, {index, outcome(b * run)}, sums);
            for (size_t i = 0; i < width; ++i) totals[range * width + i] += sums[i];
        }
    });
    for (size_t range = 1; range < ranges; ++range)
        for (size_t i = 0; i < width; ++i) totals[i] += totals[range * width + i];
    give_sums(totals, out);
}

// From sums by outcome and lane; lanes that are amplitudes add to other outcomes than their cell's.
template <class T>
void Tile<T>::give_sums(const double* sums, T* out) const {
    const size_t outputs = program.n_outputs;
    for (size_t sample = 0; sample < used; ++sample) {
        const double norm = growth(lane_of(sample));
        for (size_t o = 0; o < outputs; ++o) {
            double total = sums[o * lanes + sample];
            for (size_t lane = 1; lane < (schedule.lane_bits ? lanes : 1); ++lane)
                total += sums[(o ^ coordinates.outcome(lane) ^ coordinates.outcome(0)) * lanes + lane];
            out[sample * outputs + o] = T(total / (norm * norm));
        }
    }
}

template <class T>
void Tile<T>::sum_outcomes(T* out) {
    Scratch inner;
    const size_t outputs = program.n_outputs;
    const size_t parts = outputs * used <= MOST_PARTIAL_OUTCOMES ? ranges : 1;
    double* totals = inner.take<double>(parts * outputs * used);
    std::memset(totals, 0, parts * outputs * used * sizeof(double));
    const auto add = [&](size_t begin, size_t end, size_t part) {
        for (size_t i = begin; i < end; ++i)
            for (size_t sample = 0; sample < used; ++sample) {
                const T* at = psi + position(i, sample);
                totals[(part * outputs + coordinates.outcome(i)) * used + sample] += squared<double>(at);
            }
    };
    parts == ranges ? over_ranges(amplitudes, add) : add(0, amplitudes, 0);
    for (size_t sample = 0; sample < used; ++sample) {
        const double norm = growth(lane_of(sample));
        for (size_t o = 0; o < outputs; ++o) {
            double total = 0;
            for (size_t part = 0; part < parts; ++part) total += totals[(part * outputs + o) * used + sample];
            out[sample * outputs + o] = T(total / (norm * norm));
        }
    }
}

// body(amplitude's real part in a state, sample, place among the outputs of the sample's real part, distance from there
// to the imaginary part, phase of the output), for every amplitude and sample. Rows of samples lie far apart, as in
// square_samples.
template <class T>
template <class F>
void Tile<T>::over_final_state(F body) {
    const FinalState& final = *program.final_state;
    const size_t step = final.split ? 1 : 2, imaginary = final.split ? program.size() : 1;
    T phases[4][2];
    for (int quarter = 0; quarter < 4; ++quarter) {
        const std::complex<double> phase = final.phase * std::polar(1.0, quarter * 1.5707963267948966);
        phases[quarter][0] = T(phase.real()), phases[quarter][1] = T(phase.imag());
    }
    over_ranges(amplitudes, [&](size_t begin, size_t end, size_t) {
        lowering::BasisMap::Image images[CELLS_AT_ONCE];
        for (size_t from = begin; from < end; from += CELLS_AT_ONCE) {
            const size_t count = std::min(CELLS_AT_ONCE, end - from);
            for (size_t i = 0; i < count; ++i) images[i] = final.basis(coordinates.place(from + i));
            for (size_t sample = 0; sample < used; ++sample)
                for (size_t i = 0; i < count; ++i)
                    body(position(from + i, sample), sample, step * images[i].target, imaginary,
                         phases[images[i].quarter]);
        }
    });
}

template <class T>
void Tile<T>::measure_amplitudes(T* out) {
    T factors_of_lanes[MOST_LANES];
    for (size_t lane = 0; lane < lanes; ++lane) factors_of_lanes[lane] = T(1 / growth(lane));
    over_final_state([&](size_t at, size_t sample, size_t place, size_t imaginary, const T* phase) {
        const T factor = factors_of_lanes[lane_of(sample)], re = factor * psi[at],
                im = is_real ? T(0) : factor * psi[at + lanes];
        T* to = out + sample * program.n_outputs + place;
        to[0] = phase[0] * re - phase[1] * im;
        to[imaginary] = phase[0] * im + phase[1] * re;
    });
}

// The real part of <g| state> is linear in the state: lambda is half of g, since derivatives are those of <psi|O|psi>.
template <class T>
void Tile<T>::weigh_amplitudes(const T* g) {
    if (used < (schedule.lane_bits ? 1 : lanes)) std::memset(lambda, 0, cells * stride * sizeof(T));
    T halves[MOST_LANES];
    for (size_t lane = 0; lane < lanes; ++lane) halves[lane] = T(norms().psi()[lane] / (2 * drift[lane]));
    over_final_state([&](size_t at, size_t sample, size_t place, size_t imaginary, const T* phase) {
        const T half = halves[lane_of(sample)];
        const T* from = g + sample * program.n_outputs + place;
        lambda[at] = half * (phase[0] * from[0] + phase[1] * from[imaginary]);
        if (!is_real) lambda[at + lanes] = half * (phase[0] * from[imaginary] - phase[1] * from[0]);
    });
}

// lambda = sum_o g_o O_o psi, times the growth of psi and 1 / drift.
template <class T>
void Tile<T>::weigh(const T* cotangents) {
    const T* g = cotangents + first * program.n_outputs;
    if (program.final_state) return weigh_amplitudes(g);
    program.probabilities ? weigh_outcomes(g) : weigh_terms(g);
}

template <class T>
void Tile<T>::weigh_outcomes(const T* g) {
    over_ranges(amplitudes, [&](size_t begin, size_t end, size_t) {
        for (size_t i = begin; i < end; ++i) {
            const size_t outcome = coordinates.outcome(i);
            for (size_t sample = 0; sample < (schedule.lane_bits ? 1 : lanes); ++sample) {
                const T weight = sample < used ? undrift[sample] * g[sample * program.n_outputs + outcome] : T(0);
                const size_t at = position(i, sample);
                lambda[at] = weight * psi[at];
                if (!is_real) lambda[at + lanes] = weight * psi[at + lanes];
            }
        }
    });
}

template <class T>
void Tile<T>::weigh_terms(const T* g) {
    Scratch inner;
    size_t size = 0;
    for (const Forms& forms : schedule.diagonal) size += forms.size() * lanes;
    T* tables = inner.take<T>(size + schedule.others.size() * lanes);
    std::memset(tables, 0, size * sizeof(T));
    T* table = tables;
    for (const Forms& forms : schedule.diagonal) {
        for (size_t m = 0; m < forms.members.size(); ++m)
            add_weight(forms.members[m], g, table + forms.coordinates[m] * lanes);
        kernels<T>().walsh(table, forms.size(), lanes);
        for (size_t lane = 1; lane < (schedule.lane_bits ? lanes : 1); ++lane)
            for (size_t i = 0; i < forms.size(); ++i)
                table[i * lanes + lane] = table[(i ^ schedule.lane_index(forms, lane)) * lanes];
        table += forms.size() * lanes;
    }
    std::memset(table, 0, schedule.others.size() * lanes * sizeof(T));
    for (uint32_t t : schedule.others) {
        add_weight(t, g, table);
        for (size_t lane = 1; lane < (schedule.lane_bits ? lanes : 1); ++lane)
            table[lane] = table[0] * angles.lane_sign(coordinates.measured[t], lane);
        table += lanes;
    }

    const size_t run = schedule.run();
    over_ranges(cells / run, [&](size_t begin, size_t end, size_t) {
        for (size_t b = begin; b < end; ++b) {
            const T* factors = tables;
            T* out = cell(lambda, b * run);
            if (schedule.diagonal.empty()) std::memset(out, 0, run * stride * sizeof(T));
            for (size_t k = 0; k < schedule.diagonal.size(); factors += schedule.diagonal[k++].size() * lanes)
                of_cells.weigh(cell(psi, b * run), out, run,
                               {schedule.run_indices(k), schedule.cell_index(schedule.diagonal[k], b * run)}, factors,
                               k > 0);
            for (uint32_t t : schedule.others) {
                const Word& word = coordinates.measured[t];
                const CellWord w = schedule.on_cells(word);
                of_cells.weigh_word(psi, lambda, b * run, (b + 1) * run, w.x, w.z, w.flip, word.real, factors);
                factors += lanes;
            }
        }
    });
}

template <class T>
void Tile<T>::add_weight(size_t t, const T* g, T* out) const {
    const Term& term = coordinates.terms[t];
    const Word& word = coordinates.measured[t];
    for (size_t sample = 0; sample < used; ++sample)
        out[sample] += T(term.coefficient * word.sign) * undrift[sample] * g[sample * program.n_outputs + term.output];
}

template class Tile<float>;
template class Tile<double>;

}  // namespace qloom
