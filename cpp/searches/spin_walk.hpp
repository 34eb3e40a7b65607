// A state of spins that goes by single flips, the local field of every spin kept up to date.
#pragma once
#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "machine/interrupt.hpp"
#include "machine/random.hpp"
#include "searches/kernels.hpp"
#include "searches/searches.hpp"

namespace qloom {

// Where more than a quarter of all couplings are there, rows lie whole: a flip is then one run over memory.
inline bool is_dense(const Couplings& c) { return size_t(c.starts[c.n]) * 4 > c.n * c.n; }

// Couplings as the walks take them: integers of 16 bits where all local fields are such, which adds sixteen at once and
// exactly, or in single precision.
template <class F>
struct Rows {
    const Couplings& given;
    const bool dense;
    std::vector<F> values;  // whole rows, or as given

    explicit Rows(const Couplings& c) : given(c), dense(is_dense(c)) {
        if (dense)
            values.assign(c.n * c.n, F(0));
        else
            values.reserve(size_t(c.starts[c.n]));
        for (size_t i = 0; i < c.n; ++i)
            for (int64_t k = c.starts[i]; k < c.starts[i + 1]; ++k) {
                if (dense)
                    values[i * c.n + size_t(c.neighbours[k])] = F(c.values[k]);
                else
                    values.push_back(F(c.values[k]));
            }
    }
    // local[j] += change * J_ij for all j
    void add(size_t i, F change, F* local) const {
        if (dense) {
            if constexpr (std::is_same_v<F, float>)
                search_kernels().add_row(local, &values[i * given.n], change, given.n);
            else
                search_kernels().add_integers(local, &values[i * given.n], change, given.n);
        } else {
            for (int64_t k = given.starts[i]; k < given.starts[i + 1]; ++k) {
                F& field = local[given.neighbours[k]];
                field = F(field + change * values[size_t(k)]);
            }
        }
    }
};

// Whether every local field, and its change by a flip, is an integer of 16 bits.
inline bool is_small(const Couplings& c) {
    for (size_t i = 0; i < c.n; ++i) {
        double sum = std::fabs(c.fields[i]);
        bool whole = c.fields[i] == std::floor(c.fields[i]);
        for (int64_t k = c.starts[i]; k < c.starts[i + 1]; ++k) {
            sum += std::fabs(c.values[k]);
            whole = whole && c.values[k] == std::floor(c.values[k]);
        }
        if (!whole || sum > 16383) return false;
    }
    return true;
}

// Work on rows of the numbers that fit.
template <class Work>
void with_rows(const Couplings& c, const Work& work) {
    if (is_small(c))
        work(Rows<int16_t>(c));
    else
        work(Rows<float>(c));
}

// The local field of spin i is h_i + sum_j J_ij s_j; its flip raises the energy by -2 s_i local_i.
template <class F>
class SpinWalk {
public:
    SpinWalk(const Rows<F>& rows, const int8_t* start)
        : rows(rows), n(rows.given.n), state(start, start + n), local(padded(n)) {
        state.resize(padded(n));
        refresh();
    }

    size_t size() const { return n; }
    // Both with zeros up to whole blocks of FLIP_BLOCK.
    const std::vector<int8_t>& spins() const { return state; }
    const std::vector<F>& fields() const { return local; }
    void leave(int8_t* spins) const { std::copy_n(state.begin(), n, spins); }
    float rise(size_t i) const { return -2 * float(state[i]) * float(local[i]); }
    // A change of energy that is less is rounding, and would be taken for ever.
    float rounding() const { return tolerance; }

    void flip(size_t i) {
        const F change = F(-2 * state[i]);
        state[i] = int8_t(-state[i]);
        rows.add(i, change, local.data());
    }
    void sweep(float beta, Random& random) {
        for (size_t i = 0; i < n; ++i)
            if (accepts(rise(i) * beta, random)) flip(i);
    }
    // Metropolis' rule, `rise` in units of the temperature.
    static bool accepts(float rise, Random& random) {
        constexpr float FARTHEST = 17;  // exp(-17) is less than a step of uniform()
        return rise <= 0 || (rise < FARTHEST && random.uniform() < std::exp(-rise));
    }
    // Fields are found anew first: those of a long walk are rounded.
    void descend() {
        refresh();
        for (bool moved = true; moved;) {
            moved = false;
            for (size_t i = 0; i < n; ++i)
                if (rise(i) < -2 * tolerance) flip(i), moved = true;
        }
    }
    // Until no flip of two lowers the energy either, or a deadline passes. Where no single flip does, only neighbours
    // can.
    void descend_pairs() {
        do {
            descend();
            Watch::check(size_t(rows.given.starts[n]));
        } while (!Watch::late() && flip_pairs());
    }
    double energy() const {
        double sum = 0;
        for (size_t i = 0; i < n; ++i) sum += state[i] * (exact(i) / 2 + rows.given.fields[i]);
        return sum;
    }
    // From the local fields as they are, rounded.
    double running_energy() const {
        double sum = 0;
        for (size_t i = 0; i < n; ++i) sum += state[i] * (double(local[i]) + rows.given.fields[i]);
        return sum / 2;
    }
    void refresh() {
        float largest = 0;
        for (size_t i = 0; i < n; ++i) {
            local[i] = F(exact(i) + rows.given.fields[i]);
            largest = std::fmax(largest, std::fabs(float(local[i])));
        }
        tolerance = 1e-5f * largest;
    }

private:
    static size_t padded(size_t n) { return (n + FLIP_BLOCK - 1) / FLIP_BLOCK * FLIP_BLOCK; }
    bool flip_pairs() {
        const Couplings& c = rows.given;
        bool moved = false;
        for (size_t i = 0; i < n; ++i)
            for (int64_t k = c.starts[i]; k < c.starts[i + 1]; ++k) {
                const size_t j = size_t(c.neighbours[k]);
                const float bond = 4 * float(c.values[k]) * float(state[i] * state[j]);
                if (rise(i) + rise(j) + bond < -4 * tolerance) flip(i), flip(j), moved = true;
            }
        return moved;
    }
    double exact(size_t i) const {
        const Couplings& c = rows.given;
        double sum = 0;
        for (int64_t k = c.starts[i]; k < c.starts[i + 1]; ++k) sum += c.values[k] * state[c.neighbours[k]];
        return sum;
    }

    const Rows<F>& rows;
    const size_t n;
    std::vector<int8_t> state;
    std::vector<F> local;
    float tolerance = 0;
};

}  // namespace qloom
