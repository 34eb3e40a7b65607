#include "trajectories/errors.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "machine/interrupt.hpp"
#include "machine/threads.hpp"
#include "measuring/philox.hpp"

namespace qloom::trajectories {
namespace {

// Rows to a piece of work: about so many channels are passed in one.
constexpr size_t CHANNELS_AT_ONCE = size_t(1) << 16;
// Above all waits that are drawn: -ln 2^-53 is 36.7.
constexpr double CERTAIN = 40;

// Uniform numbers of one row, one after the other. Places of drawn outcomes (measuring/draw.cpp) end in 0 and 1.
class Numbers {
public:
    Numbers(Place p, uint64_t row) : place(p), number(row) {}
    // In (0, 1].
    double next() {
        if (used == 4) block = philox({blocks++, number, place.call, USE}, place.key), used = 0;
        return 1 - uniform(block[used++]);
    }
    // Distributed as the time until the first event of rate 1.
    double wait() { return -std::log(next()); }

private:
    static constexpr uint64_t USE = 2;
    Place place;
    uint64_t number, blocks = 0;
    Block block;
    unsigned used = 4;
};

size_t outcome(const double* probabilities, size_t n, double place) {
    double sum = 0, before = 0;
    for (size_t j = 1; j < n; ++j) sum += probabilities[j];
    size_t found = 0;
    for (size_t j = 1; j < n; ++j) {
        if (probabilities[j] <= 0) continue;
        found = j;
        if ((before += probabilities[j]) >= place * sum) break;
    }
    return found;
}

// Hazards with the sums of STEP channels each, which are passed together where no error is among them.
class Hazards {
public:
    static constexpr size_t STEP = 16;
    Hazards(const double* each, size_t n) : hazards(each), count(n), sums((n + STEP - 1) / STEP, 0.0) {
        for (size_t c = 0; c < n; ++c) sums[c / STEP] += each[c];
    }
    // The next channel from `first` on that ends a wait; the number of channels where none does.
    size_t next(size_t first, double wait) const {
        for (size_t c = first; c < count;) {
            if (c % STEP == 0 && sums[c / STEP] <= wait) {
                wait -= sums[c / STEP], c += STEP;
                continue;
            }
            if (hazards[c] > wait) return c;
            wait -= hazards[c++];
        }
        return count;
    }

private:
    const double* hazards;
    size_t count;
    std::vector<double> sums;
};

// take(channel, outcome) for every error of a row. Channels are passed while the wait for the next error lasts: their
// hazards add up as those of independent events do.
template <class Take>
void over_errors(const Errors& errors, const double* probabilities, const Hazards& hazards, Place place, uint64_t row,
                 const Take& take) {
    Numbers numbers(place, row);
    const size_t n = errors.channels.size();
    for (size_t c = hazards.next(0, numbers.wait()); c < n; c = hazards.next(c + 1, numbers.wait())) {
        const Channel& channel = errors.channels[c];
        const size_t j = outcome(probabilities + channel.first_outcome, channel.n_outcomes(), numbers.next());
        if (j) take(channel, j);
    }
}

void add_error(const Errors& errors, const Channel& channel, size_t outcome, uint64_t* flips, uint64_t* signs) {
    const size_t width = errors.width(), n_flips = errors.n_flips();
    const auto add = [&](size_t generator) {
        const uint64_t* row = errors.generators.data() + generator * width;
        for (size_t w = 0; w < n_flips; ++w) flips[w] ^= row[w];
        for (size_t w = n_flips; w < width; ++w) signs[w - n_flips] ^= row[w];
    };
    for (unsigned q = 0; q < channel.n_qubits; ++q) {
        const unsigned letter = outcome >> (2 * (channel.n_qubits - 1 - q)) & 3;
        if (letter == 1 || letter == 2) add(channel.first_generator + 2 * q);
        if (letter == 2 || letter == 3) add(channel.first_generator + 2 * q + 1);
    }
}

// The first of equal rows of each sample, and for every row the place of its own in that list.
void find_equal(const Rows& rows, size_t n, const uint64_t* flips, std::vector<size_t>& distinct, int64_t* places) {
    std::unordered_multimap<uint64_t, size_t> known;  // hash of a row, its place in the list
    for (size_t row = 0; row < rows.size(); ++row) {
        if (row % rows.count == 0) known.clear();
        const uint64_t* bits = flips + row * n;
        uint64_t hash = 0;
        for (size_t w = 0; w < n; ++w) hash = (hash ^ bits[w]) * 0x9E3779B97F4A7C15, hash ^= hash >> 29;
        const auto [first, end] = known.equal_range(hash);
        const auto equal = std::find_if(
            first, end, [&](const auto& k) { return std::equal(bits, bits + n, flips + distinct[k.second] * n); });
        places[row] = int64_t(equal == end ? distinct.size() : equal->second);
        if (equal != end) continue;
        known.emplace(hash, distinct.size());
        distinct.push_back(row);
    }
}

}  // namespace

void find_hazards(const Errors& errors, const double* probabilities, size_t rows, double* hazards) {
    for (size_t row = 0; row < rows; ++row, probabilities += errors.n_outcomes)
        for (const Channel& channel : errors.channels) {
            double error = 0;
            for (size_t j = 1; j < channel.n_outcomes(); ++j) error += probabilities[channel.first_outcome + j];
            *hazards++ = error <= 0 ? 0 : error >= 1 ? CERTAIN : std::min(-std::log1p(-error), CERTAIN);
        }
}

void draw_errors(const Errors& errors, const Rates& rates, Place place, const Rows& rows, uint64_t* flips,
                 uint64_t* signs, int threads) {
    const size_t n_flips = errors.n_flips(), n_signs = errors.width() - n_flips, n_channels = errors.channels.size();
    std::fill_n(flips, rows.size() * n_flips, 0);
    std::fill_n(signs, rows.size() * n_signs, 0);
    const size_t piece = std::max<size_t>(1, CHANNELS_AT_ONCE / std::max<size_t>(1, n_channels));
    const Hazards shared(rates.hazards, rates.own ? 0 : n_channels);
    parallel_for((rows.size() + piece - 1) / piece, threads, [&](size_t p) {
        Watch::check(piece * n_channels);
        for (size_t row = p * piece; row < std::min(rows.size(), (p + 1) * piece); ++row) {
            const size_t own = rates.own ? row / rows.count : 0;
            const auto draw = [&](const Hazards& hazards) {
                over_errors(errors, rates.probabilities + own * errors.n_outcomes, hazards, place, rows.number(row),
                            [&](const Channel& channel, size_t j) {
                                add_error(errors, channel, j, flips + row * n_flips, signs + row * n_signs);
                            });
            };
            rates.own ? draw(Hazards(rates.hazards + own * n_channels, n_channels)) : draw(shared);
        }
    });
}

void score_errors(const Errors& errors, const Rates& rates, Place place, const Rows& rows, const double* weights,
                  double* scores) {
    const size_t n_channels = errors.channels.size();
    const auto score = [&](size_t row, const double* probabilities, const Hazards& hazards, double* mine) {
        for (const Channel& channel : errors.channels) mine[channel.first_outcome] += weights[row];
        over_errors(errors, probabilities, hazards, place, rows.number(row), [&](const Channel& channel, size_t j) {
            mine[channel.first_outcome] -= weights[row];
            mine[channel.first_outcome + j] += weights[row];
        });
    };
    for (size_t set = 0; set < (rates.own ? rows.samples : 1); ++set) {
        const Hazards hazards(rates.hazards + set * n_channels, n_channels);
        const size_t first = rates.own ? set * rows.count : 0, end = rates.own ? first + rows.count : rows.size();
        for (size_t row = first; row < end; ++row)
            score(row, rates.probabilities + set * errors.n_outcomes, hazards, scores + set * errors.n_outcomes);
    }
}

Distinct keep_distinct(const Errors& errors, const Rows& rows, uint64_t* flips, int64_t* samples, int64_t* places) {
    const size_t n = errors.n_flips();
    std::vector<size_t> distinct;
    distinct.reserve(rows.size());
    if (rows.count > 1) {
        find_equal(rows, n, flips, distinct, places);
    } else {
        for (size_t row = 0; row < rows.size(); ++row) distinct.push_back(row), places[row] = int64_t(row);
    }
    // Tiles without flips are walked faster: rows without any stand side by side.
    std::vector<int64_t> moved(distinct.size());
    std::vector<uint64_t> kept(distinct.size() * n);
    size_t next = 0, plain = 0;
    for (const bool is_plain : {true, false}) {
        for (size_t d = 0; d < distinct.size(); ++d) {
            const uint64_t* bits = flips + distinct[d] * n;
            if (std::all_of(bits, bits + n, [](uint64_t w) { return w == 0; }) != is_plain) continue;
            std::copy_n(bits, n, kept.data() + next * n);
            samples[next] = int64_t(distinct[d] / rows.count), moved[d] = int64_t(next++);
        }
        if (is_plain) plain = next;
    }
    std::copy(kept.begin(), kept.end(), flips);
    for (size_t row = 0; row < rows.size(); ++row) places[row] = moved[size_t(places[row])];
    return {next, plain};
}

}  // namespace qloom::trajectories
