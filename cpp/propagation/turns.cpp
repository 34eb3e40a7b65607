// Rotations and Clifford gates: words and their partners.
#include "propagation/pairs_of.hpp"

namespace qloom::propagation {

template <int N>
size_t Walk<N>::find(const Anticommuting<N>& those, size_t begin, size_t stop, uint32_t* found) const {
    const auto meets = [&](size_t block) {
        for (const WordPart& part : those.parts)
            if (seen_in[block / BLOCK].bits[part.offset] & part.mask) return true;
        return false;
    };
    size_t n = 0;
    for (size_t block = begin; block < stop;) {
        const size_t first = block;
        while (block < stop && meets(block)) block += BLOCK;
        if (block > first)
            n += kernel.find_odd_words(words[0].bits.data(), 2 * N, first, std::min(stop, block), those.parts.data(),
                                       those.parts.size(), found + n);
        block += BLOCK;
    }
    return n;
}

template <int N>
void Walk<N>::turn(const Step& step) {
    samples.turn_by(step);
    const Turned<N>& p = turned(step);
    bool is_alone = false;
    const size_t n_parts = over_pairs(
        p,
        [&](Part& part, uint32_t i, uint32_t j, double sign) {
            double *a = &c[i * lanes], *b = &c[j * lanes];
            const double* signed_sines = sign > 0 ? samples.sines.data() : samples.opposite.data();
            if (lanes == 1) {
                const double x = *a, y = *b;
                *a = samples.cosines[0] * x - *signed_sines * y, *b = samples.cosines[0] * y + *signed_sines * x;
            } else {
                kernel.turn_pair(a, b, samples.cosines.data(), signed_sines, lanes);
            }
            part.n_small += is_small(a) + is_small(b);
            if (counts_frequency) {
                const unsigned both = std::min(frequencies[i], frequencies[j]) + 1u;
                frequencies[i] = frequencies[j] = uint16_t(std::min(both, 0xffffu));
                part.n_small += 2 * (both > samples.call->cuts.max_frequency);
            }
        },
        [&](Part& part, uint32_t i, double sign) { turn_alone(p, part, i, sign); });
    for (size_t k = 0; k < n_parts; ++k) {
        for (size_t m = 0; m < parts[k].made.size(); ++m) bring(p, parts[k].made[m], &parts[k].c[m * lanes]);
        take_sums(parts[k]);
        is_alone = is_alone || parts[k].is_alone;
    }
    if (is_alone) divided /= samples.least_cosine;
    asks_weights = asks_weights || (any_close_to_quarter() && cuts_weights());
}

template <int N>
void Walk<N>::turn_alone(const Turned<N>& p, Part& part, uint32_t i, double sign) {
    double* a = &c[i * lanes];
    const unsigned frequency = counts_frequency ? frequencies[i] + 1u : 0;
    const bool is_nothing = brings_nothing(i);
    bool comes = any_close_to_quarter();
    if (!comes && !is_nothing && weights[i] + p.heavier(words[i]) <= int64_t(samples.call->cuts.max_weight) &&
        frequency <= samples.call->cuts.max_frequency)
        comes = keeps_all() ? samples.can_vary || samples.sines[0] != 0 : brings_more_than_cut(a);
    if (comes) part.made.push_back({i, sign});
    for (size_t l = 0; l < lanes; ++l) {
        const double other = sign * samples.sines[l] * a[l];
        if (comes) {
            part.c.push_back(other);
        } else if (!is_nothing) {
            part.bounds[l] += std::abs(other);
            part.squares[l] += other * other;
        }
        a[l] *= samples.cosines[l];
    }
    part.n_small += is_small(a) + (counts_frequency && frequency > samples.call->cuts.max_frequency) * (1 + comes);
    part.is_alone = part.is_alone || !comes;
    if (counts_frequency) frequencies[i] = uint16_t(std::min(frequency, 0xffffu));
}

template <int N>
void Walk<N>::bring(const Turned<N>& p, const New& made, const double* coefficients) {
    const unsigned from = weights[made.from];
    append(words[made.from] * p.word, hashes[made.from] ^ p.hash,
           from == ENDED ? ENDED : unsigned(int(from) + p.heavier(words[made.from])),
           counts_frequency ? frequencies[made.from] : 0);
    c.insert(c.end(), coefficients, coefficients + lanes);
    insert(uint32_t(words.size() - 1));
}

template <int N>
void Walk<N>::turn_back(const Step& step) {
    samples.turn_by(step);
    const size_t n_parts = over_pairs(
        turned(step),
        [&](Part& part, uint32_t i, uint32_t j, double sign) {
            kernel.turn_pair_back(&c[i * lanes], &c[j * lanes], &lambda[i * lanes], &lambda[j * lanes],
                                  samples.cosines.data(), sign > 0 ? samples.sines.data() : samples.opposite.data(),
                                  sign, part.slopes.data(), lanes);
        },
        [&](Part& part, uint32_t i, double) {
            double *a = &c[i * lanes], *u = &lambda[i * lanes];
            for (size_t l = 0; l < lanes; ++l) {
                a[l] /= samples.cosines[l];
                part.slopes[l] -= samples.sines[l] * a[l] * u[l];
                u[l] *= samples.cosines[l];
            }
        });
    std::fill(slopes.begin(), slopes.end(), 0.0);
    for (size_t k = 0; k < n_parts; ++k)
        for (size_t l = 0; l < lanes; ++l) slopes[l] += parts[k].slopes[l];
}

template <int N>
void Walk<N>::take_quarters(const Step& step, unsigned quarters) {
    if (!is_seen) see_all();
    size_t n_found = 0;
    found_here.resize(CHUNK + 1);
    for (size_t begin = 0; begin < words.size(); begin += CHUNK) {
        const size_t end = std::min(words.size(), begin + CHUNK);
        Watch::check(end - begin);
        const size_t n = find(turned(step).those, begin, end, found_here.data());
        for (size_t a = 0; a < n; ++a) take_quarters_of(turned(step), found_here[a], quarters);
        n_found += n;
    }
    if (n_found && quarters != 2) is_indexed = false, asks_weights = cuts_weights();
}

template <int N>
void Walk<N>::take_quarters_of(const Turned<N>& p, uint32_t i, unsigned quarters) {
    double sign = -1;
    if (quarters != 2) {
        sign = (quarters == 1 ? 1 : -1) * p.sign(words[i]);
        if (weights[i] != ENDED) weights[i] = uint16_t(weights[i] + p.heavier(words[i]));
        words[i] *= p.word, hashes[i] ^= p.hash;
        see(i);
    }
    if (sign > 0) return;
    if (written) names[i].minus = !names[i].minus;
    for (size_t l = 0; l < lanes; ++l) c[i * lanes + l] = -c[i * lanes + l];
    for (size_t l = 0; !lambda.empty() && l < lanes; ++l) lambda[i * lanes + l] = -lambda[i * lanes + l];
}

template class Walk<1>;
template class Walk<2>;
template class Walk<4>;
template class Walk<16>;

}  // namespace qloom::propagation
