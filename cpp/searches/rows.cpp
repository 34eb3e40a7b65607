// A broken row is drawn, and of the variables that stand in it the one whose jump to where the row just holds leaves
// the least weighted violation in all; where nothing helps, the broken rows gain weight. A better objective is one more
// row to be met.
//
// Source: Luteberget, Sartor 2023, Mathematical Programming Computation 15, 365; Lin et al. 2024, arXiv:2305.00188 (the
// objective as a row).
#include "searches/rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "machine/interrupt.hpp"
#include "machine/random.hpp"

namespace qloom {
namespace {

constexpr double INF = std::numeric_limits<double>::infinity();
// Variables of a row that are looked at, and moves for which one that has moved is left alone, at least and at most.
constexpr size_t LOOKED_AT = 60, LEAST_REST = 3, MOST_REST = 11;
// Moves without a better solution after which the walk begins again from the best one, by n, and the variables that are
// drawn anew then, of all.
constexpr size_t PATIENCE = 50, THROWN = 20;
// Of the size of an objective that is not whole, what a better one is better by.
constexpr double STEP = 1e-6;
// Moves after which the rounding of left sides is undone.
constexpr size_t REFRESHED = 4096;

class Walk {
public:
    Walk(const LinearRows& rows, const RowWalk& how, double* best)
        : rows(rows),
          how(how),
          best(best),
          random(how.seed),
          lowest(how.lowest),
          high(rows.high, rows.high + rows.m),
          left(rows.m),
          weights(rows.m),
          free_at(rows.n),
          place(rows.m),
          x(best, best + rows.n) {
        for (size_t j = 0; j < rows.n; ++j)
            if (rows.kinds[j] != CONTINUOUS) whole.push_back(j);
    }

    double run() {
        begin();
        for (size_t move = 0, idle = 0; move < how.moves && !Watch::late(); ++move, ++idle) {
            Watch::check(256);
            if (move % REFRESHED == REFRESHED - 1) refresh();
            if (broken.empty() || (broken.size() == 1 && broken[0] == rows.m - 1)) {
                const double now = objective();
                if (now < lowest) lowest = now, std::copy(x.begin(), x.end(), best), idle = 0;
                if (!how.with_objective) break;
                high[rows.m - 1] = lowest - (how.step > 0 ? how.step : STEP * (1 + std::fabs(lowest)));
                judge(rows.m - 1);
            }
            if (broken.empty() || !mend(move) || idle > PATIENCE * (20 + rows.n)) {
                std::copy_n(best, rows.n, x.begin());
                throw_some();
                begin();
                if (idle > PATIENCE * (20 + rows.n)) idle = 0;
            }
        }
        return lowest;
    }

private:
    struct Jump {
        size_t variable;
        double change;
    };

    void begin() {
        std::copy_n(rows.high, rows.m, high.begin());
        std::copy_n(rows.units, rows.m, weights.begin());
        std::fill(free_at.begin(), free_at.end(), size_t(0));
        refresh();
    }
    void refresh() {
        broken.clear();
        std::fill(place.begin(), place.end(), NONE);
        for (size_t r = 0; r < rows.m; ++r) {
            double sum = 0;
            for (int64_t k = rows.starts[r]; k < rows.starts[r + 1]; ++k) sum += rows.factors[k] * x[rows.variables[k]];
            left[r] = sum;
            judge(r);
        }
    }
    double objective() const {
        double sum = 0;
        for (int64_t k = rows.starts[rows.m - 1]; k < rows.starts[rows.m]; ++k)
            sum += rows.factors[k] * x[rows.variables[k]];
        return sum;
    }
    // Whether a row belongs to the broken ones.
    void judge(size_t r) {
        const bool is_broken = left[r] > high[r] + rows.slack[r] || left[r] < rows.low[r] - rows.slack[r];
        if (is_broken == (place[r] != NONE)) return;
        if (is_broken) {
            place[r] = broken.size(), broken.push_back(r);
        } else {
            broken[place[r]] = broken.back(), place[broken.back()] = place[r];
            broken.pop_back(), place[r] = NONE;
        }
    }
    void throw_some() {
        for (size_t k = 0; !whole.empty() && k < 1 + whole.size() / THROWN; ++k) {
            const size_t j = whole[random.below(uint32_t(whole.size()))];
            const double span = rows.upper[j] - rows.lower[j];
            if (rows.kinds[j] == SPIN)
                x[j] = random.below(2) ? 1 : -1;
            else
                x[j] = rows.lower[j] + std::fmin(std::floor(double(random.uniform()) * (span + 1)), span);
        }
    }
    // As far as one variable can; whether there was anything to move.
    bool mend(size_t move) {
        look_at(broken[random.below(uint32_t(broken.size()))]);
        const auto rests = [&](const Jump& jump) { return free_at[jump.variable] > move; };
        if (!std::all_of(jumps.begin(), jumps.end(), rests))
            jumps.erase(std::remove_if(jumps.begin(), jumps.end(), rests), jumps.end());
        if (jumps.empty()) {
            weigh();
            return random.uniform() < 0.9f;
        }
        double least = INF;
        const Jump* chosen = nullptr;
        for (const Jump& jump : jumps) {
            const double score = more_broken(jump);
            if (score < least) least = score, chosen = &jump;
        }
        if (!chosen) return false;
        if (least >= 0) weigh();
        const size_t j = chosen->variable;
        for (int64_t k = rows.column_starts[j]; k < rows.column_starts[j + 1]; ++k) {
            const size_t r = size_t(rows.column_rows[k]);
            left[r] += rows.column_factors[k] * chosen->change;
            judge(r);
        }
        x[j] += chosen->change;
        free_at[j] = move + LEAST_REST + random.below(MOST_REST - LEAST_REST + 1);
        return true;
    }
    void weigh() {
        for (const size_t r : broken) weights[r] += rows.units[r];
    }
    // Jumps of a row's variables to where it just holds, or the nearest that their bounds allow.
    void look_at(size_t r) {
        jumps.clear();
        const size_t first = size_t(rows.starts[r]), count = size_t(rows.starts[r + 1]) - first;
        const double over = left[r] - (left[r] > high[r] ? high[r] : rows.low[r]);
        for (size_t k = 0; k < std::min(count, LOOKED_AT); ++k) {
            const size_t at = first + (count > LOOKED_AT ? random.below(uint32_t(count)) : k);
            const size_t j = size_t(rows.variables[at]);
            if (rows.factors[at] == 0) continue;
            double change = -over / rows.factors[at];
            if (rows.kinds[j] != CONTINUOUS) change = std::copysign(std::ceil(std::fabs(change) - 1e-9), change);
            if (rows.kinds[j] == SPIN) change = -2 * x[j];
            change = std::clamp(x[j] + change, rows.lower[j], rows.upper[j]) - x[j];
            if (change != 0) jumps.push_back({j, change});
        }
    }
    // What a jump adds to the weighted violation.
    double more_broken(const Jump& jump) const {
        double sum = 0;
        for (int64_t k = rows.column_starts[jump.variable]; k < rows.column_starts[jump.variable + 1]; ++k) {
            const size_t r = size_t(rows.column_rows[k]);
            sum += weights[r] * (missed(r, left[r] + rows.column_factors[k] * jump.change) - missed(r, left[r]));
        }
        return sum;
    }
    double missed(size_t r, double side) const {
        return std::fmax(side - high[r], 0.0) + std::fmax(rows.low[r] - side, 0.0);
    }

    static constexpr size_t NONE = size_t(-1);
    const LinearRows& rows;
    const RowWalk& how;
    double* const best;
    Random random;
    double lowest;
    std::vector<double> high, left, weights;
    std::vector<size_t> free_at, place, broken, whole;
    std::vector<double> x;
    std::vector<Jump> jumps;
};

}  // namespace

double walk_rows(const LinearRows& rows, const RowWalk& how, double* best) { return Walk(rows, how, best).run(); }

}  // namespace qloom
