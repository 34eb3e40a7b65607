// What words are measured in at last: qubits that are still apart. Each has a Bloch vector, from |0> through the
// program's leading steps.
#include <bit>

#include "propagation/walk_of.hpp"

namespace qloom::propagation {
namespace {

constexpr double COSINES[4] = {1, 0, -1, 0}, SINES[4] = {0, 1, 0, -1};
constexpr unsigned Z = 2;

// The two letters that a rotation about the third mixes, as W -> cos W + sign sin W'.
struct Mixed {
    unsigned one, other;
    double sign;
    explicit Mixed(unsigned letter) : one(letter == 1 ? 2 : 1), other(one ^ letter) {
        sign = (quarters_of(one, letter) + 3) & 2 ? -1 : 1;
    }
};

}  // namespace

template <int N>
void Walk<N>::set_turn(const Step& step) {
    if (step.kind == Kind::rotation) return set_angle(step.angle);
    std::fill_n(cosines.begin(), lanes, COSINES[step.quarters]);
    std::fill_n(sines.begin(), lanes, SINES[step.quarters]);
}

template <int N>
void Walk<N>::lead(const Step& step) {
    const Letter& at = *letters_of(step);
    if (step.kind == Kind::rotation || step.kind == Kind::clifford) {
        set_turn(step);
        const Mixed mixed(at.letter);
        double *a = bloch_of(bloch, at.qubit, mixed.one), *b = bloch_of(bloch, at.qubit, mixed.other);
        for (size_t l = 0; l < lanes; ++l) {
            const double sine = mixed.sign * sines[l], x = a[l], y = b[l];
            a[l] = cosines[l] * x + sine * y, b[l] = cosines[l] * y - sine * x;
        }
        return;
    }
    const double* factors = factors_of(step);
    for (unsigned letter = 1; letter < 4; ++letter)
        for (size_t l = 0; l < lanes; ++l)
            bloch_of(bloch, at.qubit, letter)[l] *= factors[l * call->factor_stride + letter];
    for (size_t l = 0; step.kind == Kind::damping && l < lanes; ++l)
        bloch_of(bloch, at.qubit, Z)[l] += factors[l * call->factor_stride + TO_I];
}

template <int N>
void Walk<N>::start(bool keeping) {
    bloch.assign(program.n_qubits * 3 * lanes, 0);
    for (unsigned q = 0; q < program.n_qubits; ++q) std::fill_n(bloch_of(bloch, q, Z), lanes, 1.0);
    bloch_before.clear();
    std::vector<bool> varies(program.n_qubits);
    for (size_t s = 0; s < program.n_leading; ++s) {
        const Step& step = program.steps[s];
        const unsigned qubit = letters_of(step)->qubit;
        if (step.angle.source != Source::number) varies[qubit] = true;
        const double* vector = bloch_of(bloch, qubit, 1);
        if (keeping) bloch_before.insert(bloch_before.end(), vector, vector + 3 * lanes);
        lead(step);
    }
    for (unsigned letter = 1; letter < 4; ++letter) {
        absent[letter] = {};
        for (unsigned q = 0; q < program.n_qubits; ++q) {
            const double* numbers = bloch_of(bloch, q, letter);
            if (!varies[q] && std::all_of(numbers, numbers + lanes, [](double a) { return a == 0; }))
                absent[letter][q / 64] |= uint64_t(1) << q % 64;
        }
    }
}

// Whether no letter of a word is absent.
template <int N>
bool Walk<N>::is_measured(const Word<N>& word) const {
    uint64_t none = 0;
    for (int k = 0; k < N; ++k) {
        const uint64_t x = word.bits[k], z = word.bits[N + k];
        none |= (x & ~z & absent[1][k]) | (~x & z & absent[2][k]) | (x & z & absent[3][k]);
    }
    return none == 0;
}

template <int N>
template <class F>
void Walk<N>::over_letters(const Word<N>& word, F work) const {
    for (int k = 0; k < N; ++k)
        for (uint64_t left = word.bits[k] | word.bits[N + k]; left; left &= left - 1) {
            const unsigned q = unsigned(64 * k + std::countr_zero(left));
            work(q, word.letter(q));
        }
}

template <int N>
void Walk<N>::measure(size_t begin, size_t end, std::vector<double>& sums) const {
    std::vector<double> product(lanes);
    for (size_t i = begin; i < end; ++i) {
        if (!is_measured(words[i])) continue;
        std::copy_n(&c[i * lanes], lanes, product.begin());
        over_letters(words[i], [&](unsigned q, unsigned letter) {
            const double* factors = bloch_of(bloch, q, letter);
            for (size_t l = 0; l < lanes; ++l) product[l] *= factors[l];
        });
        for (size_t l = 0; l < lanes; ++l) sums[l] += product[l];
    }
}

template <int N>
void Walk<N>::read() {
    start(false);
    const size_t size = words.size(), n_parts = (size + CHUNK - 1) / CHUNK;
    if (parts.size() < n_parts) parts.resize(n_parts);
    over_parts(n_parts, [&](size_t k) {
        Watch::check(CHUNK);
        parts[k].slopes.assign(lanes, 0);
        measure(k * CHUNK, std::min(size, (k + 1) * CHUNK), parts[k].slopes);
    });
    for (size_t k = 0; k < n_parts; ++k)
        for (size_t l = 0; l < lanes; ++l) values[l] += parts[k].slopes[l];
}

// Slopes by a word's coefficients and, from products of its other letters, by Bloch vectors.
template <int N>
void Walk<N>::measure_back(size_t i, const double* cotangents, std::vector<double>& products) {
    double* u = &lambda[i * lanes];
    if (!is_measured(words[i])) return;
    std::vector<std::pair<unsigned, unsigned>>& letters = letters_here;
    letters.clear();
    over_letters(words[i], [&](unsigned q, unsigned letter) { letters.push_back({q, letter}); });
    products.resize(lanes * (letters.size() + 1));
    std::copy_n(cotangents, lanes, products.begin());
    for (size_t k = 0; k < letters.size(); ++k) {
        const double* factors = bloch_of(bloch, letters[k].first, letters[k].second);
        double* product = &products[k * lanes];
        for (size_t l = 0; l < lanes; ++l) product[lanes + l] = product[l] * factors[l];
    }
    std::copy_n(&products[letters.size() * lanes], lanes, u);
    double* after = slopes.data();
    std::copy_n(&c[i * lanes], lanes, after);
    for (size_t k = letters.size(); k-- > 0;) {
        const double* factors = bloch_of(bloch, letters[k].first, letters[k].second);
        double* to = bloch_of(d_bloch, letters[k].first, letters[k].second);
        for (size_t l = 0; l < lanes; ++l) to[l] += products[k * lanes + l] * after[l], after[l] *= factors[l];
    }
}

template <int N>
void Walk<N>::read_back(const double* cotangents, double* d_inputs, double* d_weights, double* d_factors) {
    start(true);
    d_bloch.assign(bloch.size(), 0);
    lambda.assign(words.size() * lanes, 0);
    slopes.assign(lanes, 0);
    std::vector<double> products;
    for (size_t i = 0; i < words.size(); ++i) measure_back(i, cotangents, products);
    for (size_t s = program.n_leading; s-- > 0;) {
        const Step& step = program.steps[s];
        lead_back(step, &bloch_before[s * 3 * lanes], d_factors);
        if (step.kind == Kind::rotation) add_slopes(step.angle, d_inputs, d_weights);
    }
}

template <int N>
void Walk<N>::lead_back(const Step& step, const double* before, double* d_factors) {
    const Letter& at = *letters_of(step);
    const auto was = [&](unsigned letter) { return before + (letter - 1) * lanes; };
    if (step.kind == Kind::rotation || step.kind == Kind::clifford) {
        set_turn(step);
        const Mixed mixed(at.letter);
        const double *x = was(mixed.one), *y = was(mixed.other);
        double *u = bloch_of(d_bloch, at.qubit, mixed.one), *v = bloch_of(d_bloch, at.qubit, mixed.other);
        for (size_t l = 0; l < lanes; ++l) {
            const double cosine = cosines[l], sine = mixed.sign * sines[l], signed_cosine = mixed.sign * cosine;
            slopes[l] =
                u[l] * (signed_cosine * y[l] - sines[l] * x[l]) - v[l] * (signed_cosine * x[l] + sines[l] * y[l]);
            const double a = u[l], b = v[l];
            u[l] = cosine * a - sine * b, v[l] = cosine * b + sine * a;
        }
        return;
    }
    const double* factors = factors_of(step);
    for (size_t l = 0; l < lanes; ++l) {
        double* d = d_factors ? d_factors + l * call->factor_stride + step.factors : nullptr;
        if (d && step.kind == Kind::damping) d[TO_I] += bloch_of(d_bloch, at.qubit, Z)[l];
        for (unsigned letter = 1; letter < 4; ++letter) {
            double& u = bloch_of(d_bloch, at.qubit, letter)[l];
            if (d) d[letter] += u * was(letter)[l];
            u *= factors[l * call->factor_stride + letter];
        }
    }
}

template class Walk<1>;
template class Walk<2>;
template class Walk<4>;
template class Walk<16>;

}  // namespace qloom::propagation
