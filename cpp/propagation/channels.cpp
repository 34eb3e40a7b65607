// Channels: words times numbers, and what Z adds to the identity.
#include "propagation/walk_of.hpp"

namespace qloom::propagation {

template <int N>
double Walk<N>::least_factor(const Step& step) const {
    const double* factors = samples.factors_of(step);
    double least = 1;
    for (size_t l = 0; l < (samples.factor_stride() ? lanes : 1); ++l)
        for (size_t k = 0; k < size_t(1) << 2 * step.n_letters; ++k)
            least = std::min(least, std::abs(factors[l * samples.factor_stride() + k]));
    return least;
}

template <int N>
bool Walk<N>::stores(const Step& step) {
    if (!recording) return false;
    const double least = least_factor(step);
    if (least < LEAST_DIVISOR) return true;
    divided /= least;
    return false;
}

// Whether words with these letters are 0 from here on, whatever slots hold.
template <int N>
bool Walk<N>::ends(const Step& step, size_t letters) const {
    if (!keeps_all() || step.angle.source != Source::number) return false;
    const double* factors = samples.factors_of(step) + letters;
    for (size_t l = 0; l < lanes; ++l)
        if (factors[l * samples.factor_stride()] != 0) return false;
    return true;
}

template <int N>
void Walk<N>::scale(const Step& step, size_t i, size_t letters, bool storing) {
    const double* factors = samples.factors_of(step) + letters;
    double* a = &c[i * lanes];
    if (storing) stored.insert(stored.end(), a, a + lanes);
    for (size_t l = 0; l < lanes; ++l) a[l] *= factors[l * samples.factor_stride()];
    n_small += is_small(a);
    if (ends(step, letters)) end(i);
}

template <int N>
void Walk<N>::unscale(const Step& step, size_t i, size_t letters, const double* before, double* d_factors) {
    const double* factors = samples.factors_of(step) + letters;
    double *a = &c[i * lanes], *u = &lambda[i * lanes];
    for (size_t l = 0; l < lanes; ++l) {
        const double factor = factors[l * samples.factor_stride()];
        a[l] = before ? before[l] : a[l] / factor;
        if (d_factors) d_factors[l * samples.factor_stride() + step.factors + letters] += u[l] * a[l];
        u[l] *= factor;
    }
}

template <int N>
void Walk<N>::multiply_back(const Step& step, size_t n_stored, double* d_factors) {
    const double* before = n_stored ? stored.data() + stored.size() - n_stored : nullptr;
    Watch::check(words.size());
    for (size_t i = 0; i < words.size(); ++i)
        if (const size_t letters = chosen(step, words[i])) {
            unscale(step, i, letters, before, d_factors);
            if (before) before += lanes;
        }
    stored.resize(stored.size() - n_stored);
}

template <int N>
void Walk<N>::damp(const Step& step) {
    need_index();
    const bool storing = stores(step);
    const Turned<N>& p = turned(step);
    const double* to_i = samples.factors_of(step) + TO_I;
    const size_t size = words.size();
    Watch::check(size);
    for (size_t i = 0; i < size; ++i) {
        const unsigned letter = words[i].letter(p.letters->qubit);
        if (!letter) continue;
        if (letter == OF_Z) add_to_identity(p, i, to_i);
        scale(step, i, letter, storing);
    }
}

template <int N>
void Walk<N>::add_to_identity(const Turned<N>& p, size_t i, const double* to_i) {
    const uint32_t j = partner_of(p, i);
    if (j != Index::NONE) {
        for (size_t l = 0; l < lanes; ++l) c[j * lanes + l] += to_i[l * samples.factor_stride()] * c[i * lanes + l];
        if (counts_frequency) frequencies[j] = std::min(frequencies[i], frequencies[j]);
        return;
    }
    bool comes = keeps_all();
    std::vector<double>& added = room;
    added.resize(lanes);
    for (size_t l = 0; l < lanes; ++l) {
        added[l] = to_i[l * samples.factor_stride()] * c[i * lanes + l];
        comes = comes || std::abs(added[l]) > samples.call->cuts.min_coefficient;
    }
    if (comes) return bring(p, {uint32_t(i), 1}, added.data());
    if (brings_nothing(i)) return;
    for (size_t l = 0; l < lanes; ++l) bounds[l] += std::abs(added[l]), squares[l] += added[l] * added[l];
}

template <int N>
void Walk<N>::damp_back(const Step& step, size_t n_stored, double* d_factors) {
    need_index();
    const double* before = n_stored ? stored.data() + stored.size() - n_stored : nullptr;
    const Turned<N>& p = turned(step);
    const double* to_i = samples.factors_of(step) + TO_I;
    Watch::check(words.size());
    for (size_t i = 0; i < words.size(); ++i) {
        const unsigned letter = words[i].letter(p.letters->qubit);
        if (!letter) continue;
        unscale(step, i, letter, before, d_factors);
        if (before) before += lanes;
        if (letter != OF_Z) continue;
        const uint32_t j = partner_of(p, i);
        if (j == Index::NONE) continue;
        for (size_t l = 0; l < lanes; ++l) {
            const double factor = to_i[l * samples.factor_stride()], z_before = c[i * lanes + l];
            c[j * lanes + l] -= factor * z_before;
            lambda[i * lanes + l] += factor * lambda[j * lanes + l];
            if (d_factors)
                d_factors[l * samples.factor_stride() + step.factors + TO_I] += lambda[j * lanes + l] * z_before;
        }
    }
    stored.resize(stored.size() - n_stored);
}

template class Walk<1>;
template class Walk<2>;
template class Walk<4>;
template class Walk<16>;

}  // namespace qloom::propagation
