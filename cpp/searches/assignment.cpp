// Source: Taillard 1991, Parallel Computing 17, 443.
#include "searches/assignment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "machine/interrupt.hpp"
#include "machine/random.hpp"

namespace qloom {
namespace {

class Assignment {
public:
    Assignment(size_t n, const double* flows, const double* distances, const int32_t* start)
        : n(n), a(flows), given(distances), solution(start, start + n), b(n * n), changes(n * n), parts(4 * n) {
        refresh();
    }

    double value() const { return total; }
    const std::vector<int32_t>& locations() const { return solution; }
    // Of the exchanges of i with each j.
    const double* changes_of(size_t i) const { return &changes[i * n]; }

    void exchange(size_t r, size_t s) {
        total += changes[r * n + s];
        std::swap(solution[r], solution[s]);
        std::swap_ranges(&b[r * n], &b[r * n] + n, &b[s * n]);
        for (size_t k = 0; k < n; ++k) std::swap(b[k * n + r], b[k * n + s]);
        // What r and s cost with others differs by these.
        double *a1 = parts.data(), *a2 = a1 + n, *b1 = a2 + n, *b2 = b1 + n;
        for (size_t k = 0; k < n; ++k) {
            a1[k] = a[r * n + k] - a[s * n + k], a2[k] = a[k * n + r] - a[k * n + s];
            b1[k] = b[s * n + k] - b[r * n + k], b2[k] = b[k * n + s] - b[k * n + r];
        }
        for (size_t i = 0; i < n; ++i) {
            double* row = &changes[i * n];
            const double p = a1[i], q = b1[i], u = a2[i], v = b2[i];
            for (size_t j = 0; j < n; ++j) row[j] += (p - a1[j]) * (q - b1[j]) + (u - a2[j]) * (v - b2[j]);
        }
        for (size_t i = 0; i < n; ++i)
            for (size_t own : {r, s}) changes[i * n + own] = changes[own * n + i] = change(i, own);
    }

    // Without the rounding of many exchanges.
    void refresh() {
        total = 0;
        for (size_t i = 0; i < n; ++i)
            for (size_t j = 0; j < n; ++j) {
                b[i * n + j] = given[size_t(solution[i]) * n + size_t(solution[j])];
                total += a[i * n + j] * b[i * n + j];
            }
        for (size_t i = 0; i < n; ++i) {
            Watch::check(n * n);
            for (size_t j = 0; j < i; ++j) changes[i * n + j] = changes[j * n + i] = change(i, j);
        }
    }

private:
    double change(size_t i, size_t j) const {
        if (i == j) return 0;
        const double *ai = a + i * n, *aj = a + j * n, *bi = &b[i * n], *bj = &b[j * n];
        double out = (ai[i] - aj[j]) * (bj[j] - bi[i]) + (ai[j] - aj[i]) * (bj[i] - bi[j]);
        for (size_t k = 0; k < n; ++k)
            if (k != i && k != j)
                out +=
                    (a[k * n + i] - a[k * n + j]) * (b[k * n + j] - b[k * n + i]) + (ai[k] - aj[k]) * (bj[k] - bi[k]);
        return out;
    }

    const size_t n;
    const double *a, *given;
    std::vector<int32_t> solution;
    std::vector<double> b, changes, parts;  // b: distances between the locations of facilities
    double total = 0;
};

}  // namespace

void exchange_locations(size_t n, const double* flows, const double* distances, size_t moves, double tolerance,
                        uint64_t seed, int32_t* best) {
    if (n < 2) return;
    // For how many moves a location is forbidden, by n, and when an exchange that was not tried is made, by n^2.
    constexpr double LEAST = 0.9, SPREAD = 0.2;
    constexpr size_t FORGOTTEN = 5;
    Assignment walk(n, flows, distances, best);
    Random random(seed);
    // The move from which on a facility may go back to a location; long ago for what was never left.
    std::vector<int64_t> free_at(n * n, 0);
    double lowest = walk.value();
    for (size_t move = 0; move < moves; ++move) {
        Watch::check(3 * n * n);
        if (Watch::late()) break;
        const auto& at = walk.locations();
        const int64_t now = int64_t(move), forgotten = now - int64_t(FORGOTTEN * n * n);
        const double needed = lowest - tolerance * std::fabs(lowest) - walk.value();
        double least = std::numeric_limits<double>::infinity();
        size_t r = n, s = n;
        bool is_old = false;
        for (size_t i = 0; i < n; ++i) {
            const double* change = walk.changes_of(i);
            for (size_t j = i + 1; j < n; ++j) {
                const int64_t first = free_at[i * n + size_t(at[j])], second = free_at[j * n + size_t(at[i])];
                const bool old = std::max(first, second) < forgotten;
                if (old ? is_old && change[j] >= least
                        : is_old || change[j] >= least || (first > now && second > now && change[j] >= needed))
                    continue;
                is_old = old, least = change[j], r = i, s = j;
            }
        }
        if (r == n) continue;
        for (size_t own : {r, s})
            free_at[own * n + size_t(at[own])] = now + int64_t(double(n) * (LEAST + SPREAD * double(random.uniform())));
        walk.exchange(r, s);
        if ((move + 1) % (n * n) == 0) walk.refresh();
        if (walk.value() < lowest - tolerance * std::fabs(lowest))
            lowest = walk.value(), std::copy(at.begin(), at.end(), best);
    }
}

}  // namespace qloom
