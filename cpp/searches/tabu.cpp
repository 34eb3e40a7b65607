// Tabu search by single flips.
//
// Source: Glover, Kochenberger, Alidaee 1998, Management Science 44, 336, for quadratic functions of binary variables.
#include <algorithm>
#include <limits>

#include "machine/interrupt.hpp"
#include "machine/threads.hpp"
#include "searches/spin_walk.hpp"

namespace qloom {
namespace {

template <class F>
size_t best_flip(const SpinWalk<F>& walk, const std::vector<F>& held, size_t start) {
    const size_t blocks = held.size() / FLIP_BLOCK;
    const auto *local = walk.fields().data(), *holds = held.data();
    if constexpr (std::is_same_v<F, float>)
        return search_kernels().best_flip(local, walk.spins().data(), holds, blocks, start);
    else
        return search_kernels().best_integer_flip(local, walk.spins().data(), holds, blocks, start);
}

// Forbidden flips. What is held is added to the gain of a flip: it is less than any that is free.
template <class F>
class Held {
public:
    static constexpr F HELD = std::is_same_v<F, float> ? F(-std::numeric_limits<float>::max()) : F(-16384);

    Held(size_t n, size_t padded) : marks(padded, F(0)) {
        std::fill(marks.begin() + std::ptrdiff_t(n), marks.end(), HELD);
    }
    void hold(size_t i, size_t until) { marks[i] = HELD, flips.push_back({i, until}); }
    void release(size_t now) {
        for (size_t k = flips.size(); k-- > 0;)
            if (flips[k].until <= now) marks[flips[k].spin] = F(0), flips[k] = flips.back(), flips.pop_back();
    }
    const std::vector<F>& all() const { return marks; }
    // The held flip of the least rise below `rise`, or none: n.
    size_t below(float rise, const SpinWalk<F>& walk, size_t none) const {
        for (const Flip& flip : flips)
            if (walk.rise(flip.spin) < rise) rise = walk.rise(flip.spin), none = flip.spin;
        return none;
    }
    void forget(size_t i) {
        flips.erase(std::find_if(flips.begin(), flips.end(), [&](const Flip& flip) { return flip.spin == i; }));
    }

private:
    struct Flip {
        size_t spin, until;
    };
    std::vector<F> marks;
    std::vector<Flip> flips;
};

template <class F>
void search(const Rows<F>& rows, size_t tenure, size_t spread, size_t patience, uint64_t seed, int8_t* best,
            double& best_energy) {
    constexpr size_t REFRESHED = size_t(1) << 16;    // flips after which the rounding of local fields is undone
    const size_t n = rows.given.n, longest = n / 2;  // more must never be held than there are
    SpinWalk<F> walk(rows, best);
    Random random(seed);
    Held<F> held(n, walk.fields().size());
    double energy = walk.energy(), lowest = energy;
    for (size_t now = 1, idle = 0; idle < patience && !Watch::late(); ++now, ++idle) {
        Watch::check(n / 8 + 64);
        held.release(now);
        size_t i = best_flip(walk, held.all(), random.below(uint32_t(n)));
        const float needed = float(lowest - energy) - 2 * walk.rounding();
        const size_t aspired = held.below(std::fmin(needed, walk.rise(i)), walk, n);
        if (aspired < n) held.forget(i = aspired);
        energy += walk.rise(i);
        walk.flip(i);
        held.hold(i, now + 1 + std::min(tenure + random.below(uint32_t(spread + 1)), longest));
        if (now % REFRESHED == 0) walk.refresh(), energy = walk.energy();
        if (energy < lowest - 2 * walk.rounding()) lowest = energy, walk.leave(best), idle = 0;
    }
    SpinWalk<F> found(rows, best);
    best_energy = found.energy();
}

}  // namespace

void tabu(const Couplings& c, size_t tenure, size_t spread, size_t patience, const Restarts& restarts, int threads) {
    with_rows(c, [&]<class F>(const Rows<F>& rows) {
        parallel_for(restarts.count, threads, [&](size_t r) {
            search(rows, tenure, spread, patience, restarts.seeds[r], restarts.spins + r * c.n, restarts.energies[r]);
        });
    });
}

}  // namespace qloom
