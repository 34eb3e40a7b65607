// Angles of one call as the kernels take them: tangents and growths of single rotations, tables of shared phases.
#pragma once
#include <cmath>
#include <cstring>
#include <optional>

#include "statevector/norms.hpp"

namespace qloom {

// The smallest cosine told from 0.
template <class T>
constexpr T LEAST_COSINE = sizeof(T) == 4 ? T(0x1p-24) : T(0x1p-52);

// Numbers that describe a rotation, three vectors: t, -t with the signs of the lanes, and 1 / c, what the norm grows
// by; of those that build the first product state s, -s and c.
inline size_t turn_size(size_t lanes) { return 3 * lanes; }

template <class T>
class Angles {
public:
    const Program& program;
    const Coordinates& coordinates;
    const Schedule& schedule;
    const Batch<T>& batch;
    const Kernels<T>& kernel = kernels<T>();
    const size_t lanes = kernel.lanes;
    const size_t width;    // lanes that a table tells apart
    size_t n_sums = 0;     // entries of all tables together
    bool any_own = false;  // some rotation after the first product state differs from sample to sample

    std::optional<Norms<T>> norms;  // where all samples have the same

    Angles(const Program& p, const Schedule& s, const Batch<T>& b, bool with_lambda)
        : program(p), coordinates(p.coordinates()), schedule(s), batch(b), width(s.lane_bits ? lanes : 1) {
        turns = scratch.take<T>(p.rotations.size() * turn_size(lanes));
        fill_shared_turns();
        for (size_t r = coordinates.growths; r < p.rotations.size(); ++r) any_own |= !is_shared(r);
        if (!any_own) find_norms(with_lambda);
        starts = scratch.take<size_t>(schedule.tables.size());
        for (size_t k = 0; k < schedule.tables.size(); ++k) starts[k] = n_sums, n_sums += schedule.tables[k].size();
        table = scratch.take<T>(2 * n_sums * width);
        for (size_t k = 0; k < schedule.tables.size(); ++k)
            fill_table(schedule.tables[k], nullptr, table + 2 * starts[k] * width);
    }

    const T* shared_turn(size_t r) const { return turns + r * turn_size(lanes); }
    const T* table_of(size_t k) const { return table + 2 * starts[k] * width; }
    size_t start(size_t k) const { return starts[k]; }
    bool is_shared(size_t r) const { return batch.is_shared(program.rotations[r].angle); }
    T lane_sign(const Word& w, size_t lane) const {
        return schedule.lane_bits && parity(lane & schedule.on_cells(w).z_lane) ? T(-1) : T(1);
    }

    // Writes turn number r; cosine and sine of the half angle by lane, `step` 0 where all lanes have one.
    void write_turn(size_t r, const T* cosine, const T* sine, size_t step, T* out) const {
        const Word& word = coordinates.rotations[r];
        for (size_t lane = 0; lane < lanes; ++lane) {
            T c = cosine[lane * step], s = sine[lane * step] * T(word.sign) * lane_sign(word, lane);
            if (r >= coordinates.growths) {
                if (std::abs(c) < LEAST_COSINE<T>) c = std::copysign(LEAST_COSINE<T>, c);
                c = 1 / c;
                s *= c;
            }
            out[lane] = s;
            out[lanes + lane] = -s;
            out[2 * lanes + lane] = c;
        }
    }

    // Entry i of a table: cosine and sine of half the angle sum_r a_r (-1)^|i & coordinates_r|, for every lane told
    // apart; `flips` are those of one sample, or null.
    void fill_table(const Forms& forms, const uint64_t* flips, T* out) const {
        Scratch inner;
        const size_t size = forms.size(), vectors = (size + lanes - 1) / lanes;
        double* angles = inner.take<double>(size);
        std::memset(angles, 0, size * sizeof(double));
        for (size_t m = 0; m < forms.members.size(); ++m) {
            const size_t r = forms.members[m];
            double& sum = angles[forms.coordinates[m]];
            const double half = batch.half(program.rotations[r].angle, 0);
            const double sign = coordinates.rotations[r].sign * (flips && is_flipped(flips, r) ? -1 : 1);
            sum = 2 * whole_turns_off(sum / 2 + sign * half);
        }
        kernels<double>().walsh(angles, size, 1);
        T* halves = inner.take<T>(3 * vectors * lanes);
        T *cosines = halves + vectors * lanes, *sines = cosines + vectors * lanes;
        for (size_t i = 0; i < vectors * lanes; ++i) halves[i] = i < size ? T(whole_turns_off(angles[i] / 2)) : T(0);
        kernel.cos_sin(halves, vectors, cosines, sines);
        for (size_t lane = 0; lane < width; ++lane) {
            const size_t shift = schedule.lane_index(forms, lane);
            for (size_t i = 0; i < size; ++i) {
                out[2 * i * width + lane] = cosines[i ^ shift];
                out[(2 * i + 1) * width + lane] = sines[i ^ shift];
            }
        }
    }

    // Sums over the entries of all tables become derivatives of the angles that made them.
    void add_table_slopes(double* table_sums, double* d_weights) const {
        for (size_t k = 0; k < schedule.tables.size(); ++k) {
            const Forms& forms = schedule.tables[k];
            double* sums = table_sums + starts[k];
            kernels<double>().walsh(sums, forms.size(), 1);
            for (size_t m = 0; m < forms.members.size(); ++m) {
                const Angle& angle = program.rotations[forms.members[m]].angle;
                if (angle.source == Source::weight)
                    d_weights[angle.index] +=
                        angle.scale * coordinates.rotations[forms.members[m]].sign * sums[forms.coordinates[m]];
            }
        }
    }

private:
    void fill_shared_turns() {
        Scratch inner;
        const size_t n = program.rotations.size(), vectors = (n + lanes - 1) / lanes;
        T* halves = inner.take<T>(3 * vectors * lanes);
        T *cosines = halves + vectors * lanes, *sines = cosines + vectors * lanes;
        for (size_t r = 0; r < vectors * lanes; ++r)
            halves[r] = r < n && is_shared(r) ? T(batch.half(program.rotations[r].angle, 0)) : T(0);
        kernel.cos_sin(halves, vectors, cosines, sines);
        for (size_t r = 0; r < n; ++r)
            if (is_shared(r)) write_turn(r, cosines + r, sines + r, 0, turns + r * turn_size(lanes));
    }

    void find_norms(bool with_lambda) {
        norms.emplace(scratch, schedule, with_lambda);
        Scratch inner;
        const T** all = inner.take<const T*>(program.rotations.size());
        for (size_t r = 0; r < program.rotations.size(); ++r) all[r] = shared_turn(r);
        norms->find(all);
    }

    Scratch scratch;
    T *turns, *table;
    size_t* starts;  // of each table among the entries of all
};

}  // namespace qloom
