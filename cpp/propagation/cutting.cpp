// Words that are thrown out, and brought back.
#include "propagation/walk_of.hpp"

namespace qloom::propagation {

// After a share of the words has been found too small they are thrown out.
constexpr size_t SMALL_SHARE = 8;

template <int N>
bool Walk<N>::is_time_to_throw_out() const {
    return words.size() > samples.call->cuts.max_words + samples.call->cuts.max_words / 4 ||
           n_small * SMALL_SHARE > words.size();
}

template <int N>
void Walk<N>::throw_out() {
    n_small = 0, asks_weights = false;
    double least = keeps_all() ? -1 : samples.call->cuts.min_coefficient;
    size_t ties = words.size();  // of the least size that may stay
    if (words.size() > samples.call->cuts.max_words) {
        std::vector<double> sizes(words.size());
        for (size_t i = 0; i < words.size(); ++i) sizes[i] = size_of(i);
        std::nth_element(sizes.begin(), sizes.begin() + long(samples.call->cuts.max_words), sizes.end(),
                         std::greater<>());
        if (sizes[samples.call->cuts.max_words] > least) {
            least = sizes[samples.call->cuts.max_words];
            ties = samples.call->cuts.max_words -
                   size_t(std::count_if(sizes.begin(), sizes.end(), [&](double size) { return size > least; }));
        }
    }
    ThrownOut<N> gone;
    size_t kept = 0;
    for (size_t i = 0; i < words.size(); ++i) {
        const double size = size_of(i);
        const bool is_tie = size == least && least > samples.call->cuts.min_coefficient && ties > 0;
        const bool stays = (size > least || is_tie) && weights[i] <= samples.call->cuts.max_weight &&
                           (!counts_frequency || frequencies[i] <= samples.call->cuts.max_frequency);
        ties -= is_tie;
        if (!stays) {
            drop(gone, i);
            continue;
        }
        if (kept != i) move(i, kept);
        ++kept;
    }
    if (kept == words.size()) return;
    words.resize(kept), hashes.resize(kept), weights.resize(kept), marks.resize(kept), c.resize(kept * lanes);
    if (counts_frequency) frequencies.resize(kept);
    is_indexed = is_seen = false;
    if (!recording) return;
    tape.push_back({THROWN_OUT, 0, 0, 0});
    kept_bytes += gone.slots.size() * (sizeof(Word<N>) + 14 + 8 * lanes);
    thrown.push_back(std::move(gone));
}

template <int N>
void Walk<N>::drop(ThrownOut<N>& gone, size_t i) {
    for (size_t l = 0; l < lanes && weights[i] != ENDED; ++l) {
        const double a = c[i * lanes + l];
        bounds[l] += std::abs(a), squares[l] += a * a;
    }
    if (!recording) return;
    gone.slots.push_back(uint32_t(i)), gone.words.push_back(words[i]), gone.hashes.push_back(hashes[i]);
    gone.weights.push_back(weights[i]);
    gone.c.insert(gone.c.end(), &c[i * lanes], &c[i * lanes] + lanes);
}

template <int N>
void Walk<N>::bring_back() {
    const ThrownOut<N> gone = std::move(thrown.back());
    thrown.pop_back();
    size_t from = words.size(), to = from + gone.slots.size();
    words.resize(to), hashes.resize(to), weights.resize(to), marks.assign(to, 0);
    c.resize(to * lanes), lambda.resize(to * lanes);
    if (written) names.resize(to);
    for (size_t k = gone.slots.size(); to-- > 0;) {
        if (!k) break;
        if (gone.slots[k - 1] != to) {
            move(--from, to);
            continue;
        }
        --k;
        words[to] = gone.words[k], hashes[to] = gone.hashes[k], weights[to] = gone.weights[k];
        std::copy_n(&gone.c[k * lanes], lanes, &c[to * lanes]);
        std::fill_n(&lambda[to * lanes], lanes, 0.0);
    }
    is_indexed = is_seen = false;
}

template class Walk<1>;
template class Walk<2>;
template class Walk<4>;
template class Walk<16>;

}  // namespace qloom::propagation
