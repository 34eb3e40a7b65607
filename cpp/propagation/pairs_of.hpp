// Words and their partners, chunk by chunk.
#pragma once
#include "propagation/walk_of.hpp"

namespace qloom::propagation {

// So many look-ups are on their way from memory at a time.
constexpr size_t AT_ONCE = 32;

template <int N>
template <class P, class S>
size_t Walk<N>::over_pairs(const Turned<N>& p, P pair, S single) {
    need_index();
    const size_t size = words.size(), n_parts = (size + CHUNK - 1) / CHUNK;
    if (parts.size() < n_parts) parts.resize(n_parts);
    over_parts(n_parts, [&](size_t k) {
        Part& part = parts[k];
        const size_t begin = k * CHUNK, end = std::min(size, begin + CHUNK);
        Watch::check(end - begin);
        part.made.clear(), part.c.clear(), part.second.clear(), part.n_small = 0, part.is_alone = false;
        part.bounds.assign(lanes, 0), part.squares.assign(lanes, 0), part.slopes.assign(lanes, 0);
        part.found.resize(end - begin + 1);
        size_t n_first = 0;
        const size_t n = find(p.those, begin, end, part.found.data());
        for (size_t a = 0; a < n; ++a) {
            const uint32_t i = part.found[a];
            if (words[i].bits[p.pivot_number] & p.pivot)
                part.second.push_back(i);
            else
                part.found[n_first++] = i;
        }
        for (size_t a = 0; a < n_first; a += AT_ONCE)
            look_up(p, part, part.found.data() + a, std::min(AT_ONCE, n_first - a), pair, single);
    });
    over_parts(n_parts, [&](size_t k) {
        for (uint32_t i : parts[k].second) {
            if (!marks[i]) single(parts[k], i, p.sign(words[i]));
            marks[i] = 0;
        }
    });
    return n_parts;
}

template <int N>
template <class P, class S>
void Walk<N>::look_up(const Turned<N>& p, Part& part, const uint32_t* which, size_t count, P pair, S single) {
    uint32_t guesses[AT_ONCE];
    for (size_t a = 0; a < count; ++a) index.prefetch(hashes[which[a]] ^ p.hash);
    for (size_t a = 0; a < count; ++a) {
        guesses[a] = index.guess(hashes[which[a]] ^ p.hash);
        if (guesses[a] == Index::NONE) continue;
        __builtin_prefetch(&words[guesses[a]]);
        __builtin_prefetch(&c[guesses[a] * lanes], 1);
        __builtin_prefetch(&marks[guesses[a]], 1);
    }
    for (size_t a = 0; a < count; ++a) {
        const uint32_t i = which[a];
        uint32_t j = guesses[a];
        if (j != Index::NONE && !(words[j] == words[i] * p.word)) j = partner_of(p, i);
        const double sign = p.sign(words[i]);
        if (j == Index::NONE) {
            single(part, i, sign);
        } else {
            marks[j] = 1;
            pair(part, i, j, sign);
        }
    }
}

}  // namespace qloom::propagation
