#include "annealing.hpp"

#include <cmath>
#include <type_traits>
#include <vector>

#include "interrupt.hpp"
#include "kernels.hpp"
#include "threads.hpp"

namespace qloom {
namespace {

// xoshiro128+ of Blackman and Vigna 2018, its upper 24 bits as a number in [0, 1).
class Random {
public:
    explicit Random(uint64_t seed) {
        for (uint32_t& part : state) {  // splitmix64
            uint64_t z = seed += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            part = uint32_t((z ^ (z >> 31)) >> 16);
        }
    }
    float uniform() {
        const uint32_t out = state[0] + state[3], moved = state[1] << 9;
        state[2] ^= state[0], state[3] ^= state[1], state[1] ^= state[2], state[0] ^= state[3];
        state[2] ^= moved;
        state[3] = (state[3] << 11) | (state[3] >> 21);
        return float(out >> 8) * 0x1p-24f;
    }

private:
    uint32_t state[4];
};

// Where more than a quarter of all couplings are there, rows lie whole: a flip is then one run over memory.
constexpr size_t DENSE = 4;

// Couplings as the walks take them: integers of 16 bits where all local fields are such, which adds sixteen at once and
// exactly, or in single precision.
template <class F>
struct Rows {
    const Couplings& given;
    const bool dense;
    std::vector<F> values;  // whole rows, or as given

    explicit Rows(const Couplings& c) : given(c), dense(size_t(c.starts[c.n]) * DENSE > c.n * c.n) {
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
                kernels<float>().add_row(local, &values[i * given.n], change, given.n);
            else
                kernels<float>().add_integers(local, &values[i * given.n], change, given.n);
        } else {
            for (int64_t k = given.starts[i]; k < given.starts[i + 1]; ++k) {
                F& field = local[given.neighbours[k]];
                field = F(field + change * values[size_t(k)]);
            }
        }
    }
};

// Whether every local field, and its change by a flip, is an integer of 16 bits.
bool is_small(const Couplings& c) {
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

// One restart. The local field of spin i is h_i + sum_j J_ij s_j; its flip changes the energy by -2 s_i local_i.
template <class F>
class Walk {
public:
    Walk(const Rows<F>& rows, int8_t* spins) : rows(rows), n(rows.given.n), spins(spins), local(n) { refresh(); }

    void sweep(float beta, Random& random) {
        for (size_t i = 0; i < n; ++i) {
            const float rise = -2 * float(spins[i]) * float(local[i]) * beta;
            if (rise <= 0 || (rise < FARTHEST && random.uniform() < std::exp(-rise))) flip(i);
        }
    }
    // Fields are found anew first: those of a long walk are rounded.
    void descend() {
        refresh();
        for (bool moved = true; moved;) {
            moved = false;
            for (size_t i = 0; i < n; ++i)
                if (float(spins[i]) * float(local[i]) > tolerance) flip(i), moved = true;
        }
    }
    double energy() const {
        double sum = 0;
        for (size_t i = 0; i < n; ++i) sum += spins[i] * (exact(i) / 2 + rows.given.fields[i]);
        return sum;
    }

private:
    static constexpr float FARTHEST = 17;  // exp(-17) is less than a step of uniform()

    void flip(size_t i) {
        const F change = F(-2 * spins[i]);
        spins[i] = int8_t(-spins[i]);
        rows.add(i, change, local.data());
    }
    double exact(size_t i) const {
        const Couplings& c = rows.given;
        double sum = 0;
        for (int64_t k = c.starts[i]; k < c.starts[i + 1]; ++k) sum += c.values[k] * spins[c.neighbours[k]];
        return sum;
    }
    void refresh() {
        float largest = 0;
        for (size_t i = 0; i < n; ++i) {
            local[i] = F(exact(i) + rows.given.fields[i]);
            largest = std::fmax(largest, std::fabs(float(local[i])));
        }
        tolerance = 1e-5f * largest;  // a flip that gains less is rounding, and would be taken for ever
    }

    const Rows<F>& rows;
    const size_t n;
    int8_t* const spins;
    std::vector<F> local;
    float tolerance = 0;
};

template <class F>
void anneal_as(const Couplings& c, const double* betas, size_t sweeps, bool descend, const uint64_t* seeds,
               size_t restarts, int8_t* spins, double* energies, int threads) {
    const Rows<F> rows(c);
    parallel_for(restarts, threads, [&](size_t r) {
        Walk<F> walk(rows, spins + r * c.n);
        Random random(seeds[r]);
        for (size_t k = 0; k < sweeps; ++k) {
            Watch::check(8 * c.n);
            walk.sweep(float(betas[k]), random);
        }
        if (descend) walk.descend();
        energies[r] = walk.energy();
    });
}

}  // namespace

void anneal(const Couplings& c, const double* betas, size_t sweeps, bool descend, const uint64_t* seeds,
            size_t restarts, int8_t* spins, double* energies, int threads) {
    const auto run = is_small(c) ? anneal_as<int16_t> : anneal_as<float>;
    run(c, betas, sweeps, descend, seeds, restarts, spins, energies, threads);
}

}  // namespace qloom
