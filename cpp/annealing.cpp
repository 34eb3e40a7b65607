#include "annealing.hpp"

#include <cmath>
#include <vector>

#include "interrupt.hpp"
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

// Couplings in single precision, as the walks take them.
struct Rows {
    const Couplings& given;
    std::vector<float> values;  // whole rows, or as given
    bool dense;

    explicit Rows(const Couplings& c) : given(c) {
        const size_t n = c.n, count = size_t(c.starts[n]);
        dense = count * DENSE > n * n;
        if (!dense) {
            values.assign(c.values, c.values + count);
            return;
        }
        values.assign(n * n, 0.0f);
        for (size_t i = 0; i < n; ++i)
            for (int64_t k = c.starts[i]; k < c.starts[i + 1]; ++k)
                values[i * n + size_t(c.neighbours[k])] = float(c.values[k]);
    }
    // local[j] += change * J_ij for all j
    void add(size_t i, float change, float* local) const {
        if (dense) {
            const float* row = &values[i * given.n];
            for (size_t j = 0; j < given.n; ++j) local[j] += change * row[j];
        } else {
            for (int64_t k = given.starts[i]; k < given.starts[i + 1]; ++k)
                local[given.neighbours[k]] += change * values[size_t(k)];
        }
    }
};

// One restart. The local field of spin i is h_i + sum_j J_ij s_j; its flip changes the energy by -2 s_i local_i.
class Walk {
public:
    Walk(const Rows& rows, int8_t* spins) : rows(rows), n(rows.given.n), spins(spins), local(n) { refresh(); }

    void sweep(float beta, Random& random) {
        for (size_t i = 0; i < n; ++i) {
            const float rise = -2 * float(spins[i]) * local[i] * beta;
            if (rise <= 0 || (rise < FARTHEST && random.uniform() < std::exp(-rise))) flip(i);
        }
    }
    // Fields are found anew first: those of a long walk are rounded.
    void descend() {
        refresh();
        for (bool moved = true; moved;) {
            moved = false;
            for (size_t i = 0; i < n; ++i)
                if (float(spins[i]) * local[i] > tolerance) flip(i), moved = true;
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
        const float change = -2 * float(spins[i]);
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
            local[i] = float(exact(i) + rows.given.fields[i]);
            largest = std::fmax(largest, std::fabs(local[i]));
        }
        tolerance = 1e-5f * largest;  // a flip that gains less is rounding, and would be taken for ever
    }

    const Rows& rows;
    const size_t n;
    int8_t* const spins;
    std::vector<float> local;
    float tolerance = 0;
};

}  // namespace

void anneal(const Couplings& c, const double* betas, size_t sweeps, bool descend, const uint64_t* seeds,
            size_t restarts, int8_t* spins, double* energies, int threads) {
    const Rows rows(c);
    parallel_for(restarts, threads, [&](size_t r) {
        Walk walk(rows, spins + r * c.n);
        Random random(seeds[r]);
        for (size_t k = 0; k < sweeps; ++k) {
            Watch::check(8 * c.n);
            walk.sweep(float(betas[k]), random);
        }
        if (descend) walk.descend();
        energies[r] = walk.energy();
    });
}

}  // namespace qloom
