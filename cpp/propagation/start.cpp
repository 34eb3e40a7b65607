#include "propagation/start.hpp"

#include <algorithm>

namespace qloom::propagation {
namespace {

// The two letters that a rotation about the third mixes, as W -> cos W + sign sin W'.
struct Mixed {
    unsigned one, other;
    double sign;
    explicit Mixed(unsigned letter) : one(letter == 1 ? 2 : 1), other(one ^ letter) {
        sign = (quarters_of(one, letter) + 3) & 2 ? -1 : 1;
    }
};

bool turns(const Step& step) { return step.kind == Kind::rotation || step.kind == Kind::clifford; }

}  // namespace

void Start::prepare(bool keeping) {
    is_keeping = keeping;
    places.assign(program.n_qubits, NOWHERE), kept_at.assign(program.n_qubits, NOWHERE);
    led.clear(), bloch.clear(), d_bloch.clear(), before.clear();
    find_absent();
}

size_t Start::vector_at(unsigned qubit) {
    if (places[qubit] != NOWHERE) return places[qubit];
    const size_t place = places[qubit] = bloch.size();
    led.push_back(qubit), kept_at[qubit] = before.size();
    bloch.resize(place + 3 * lanes);
    std::fill_n(&bloch[place + (OF_Z - 1) * lanes], lanes, 1.0);
    if (is_keeping) d_bloch.resize(bloch.size());
    for (size_t s = program.first_leading[qubit]; s < program.first_leading[qubit + 1]; ++s) {
        double* vector = &bloch[place];
        if (is_keeping) before.insert(before.end(), vector, vector + 3 * lanes);
        lead(program.steps[s], vector);
    }
    return place;
}

bool Start::varies(unsigned qubit) const {
    for (size_t s = program.first_leading[qubit]; s < program.first_leading[qubit + 1]; ++s)
        if (program.steps[s].angle.source != Source::number) return true;
    return false;
}

void Start::find_absent() {
    for (unsigned letter = 1; letter < 4; ++letter) is_absent[letter].assign(MOST_NUMBERS, 0);
    for (unsigned q = 0; q < program.n_qubits; ++q) {
        if (varies(q)) continue;
        const bool is_zero = program.first_leading[q] == program.first_leading[q + 1];  // X and Y of |0>
        for (unsigned letter = 1; letter < 4; ++letter) {
            const double* numbers = is_zero ? nullptr : numbers_of(bloch, q, letter);
            if (is_zero ? letter != OF_Z : std::all_of(numbers, numbers + lanes, [](double a) { return a == 0; }))
                is_absent[letter][q / 64] |= uint64_t(1) << q % 64;
        }
    }
}

void Start::lead(const Step& step, double* vector) {
    const auto numbers = [&](unsigned letter) { return vector + (letter - 1) * lanes; };
    if (turns(step)) {
        samples.turn_by(step);
        const Mixed mixed(program.letters[step.first_letter].letter);
        double *a = numbers(mixed.one), *b = numbers(mixed.other);
        for (size_t l = 0; l < lanes; ++l) {
            const double cosine = samples.cosines[l], sine = mixed.sign * samples.sines[l], x = a[l], y = b[l];
            a[l] = cosine * x + sine * y, b[l] = cosine * y - sine * x;
        }
        return;
    }
    const double* factors = samples.factors_of(step);
    for (size_t l = 0; l < lanes; ++l, factors += samples.factor_stride()) {
        for (unsigned letter = 1; letter < 4; ++letter) numbers(letter)[l] *= factors[letter];
        if (step.kind == Kind::damping) numbers(OF_Z)[l] += factors[TO_I];
    }
}

void Start::measure(const std::vector<Letter>& word, const double* coefficients, std::vector<double>& sums) {
    products.assign(coefficients, coefficients + lanes);
    for (const Letter& at : word) {
        const double* numbers = numbers_of(bloch, at.qubit, at.letter);
        for (size_t l = 0; l < lanes; ++l) products[l] *= numbers[l];
    }
    for (size_t l = 0; l < lanes; ++l) sums[l] += products[l];
}

void Start::measure_back(const std::vector<Letter>& word, const double* coefficients, const double* cotangents,
                         double* u) {
    products.resize(lanes * (word.size() + 1));
    std::copy_n(cotangents, lanes, products.begin());
    for (size_t k = 0; k < word.size(); ++k) {
        const double* numbers = numbers_of(bloch, word[k].qubit, word[k].letter);
        double* product = &products[k * lanes];
        for (size_t l = 0; l < lanes; ++l) product[lanes + l] = product[l] * numbers[l];
    }
    std::copy_n(&products[word.size() * lanes], lanes, u);
    after.assign(coefficients, coefficients + lanes);
    for (size_t k = word.size(); k-- > 0;) {
        const double *numbers = numbers_of(bloch, word[k].qubit, word[k].letter), *product = &products[k * lanes];
        double* to = numbers_of(d_bloch, word[k].qubit, word[k].letter);
        for (size_t l = 0; l < lanes; ++l) to[l] += product[l] * after[l], after[l] *= numbers[l];
    }
}

void Start::go_back(double* d_inputs, double* d_weights, double* d_factors) {
    slopes.resize(lanes);
    for (unsigned q : led) {
        const size_t first = program.first_leading[q];
        for (size_t s = program.first_leading[q + 1]; s-- > first;) {
            const Step& step = program.steps[s];
            lead_back(step, &before[kept_at[q] + (s - first) * 3 * lanes], &d_bloch[places[q]], d_factors);
            if (step.kind == Kind::rotation) samples.add_slopes(step.angle, slopes.data(), d_inputs, d_weights);
        }
    }
}

void Start::lead_back(const Step& step, const double* vector, double* d_vector, double* d_factors) {
    const auto was = [&](unsigned letter) { return vector + (letter - 1) * lanes; };
    const auto slopes_of = [&](unsigned letter) { return d_vector + (letter - 1) * lanes; };
    if (turns(step)) {
        samples.turn_by(step);
        const Mixed mixed(program.letters[step.first_letter].letter);
        const double *x = was(mixed.one), *y = was(mixed.other);
        double *u = slopes_of(mixed.one), *v = slopes_of(mixed.other);
        for (size_t l = 0; l < lanes; ++l) {
            const double cosine = samples.cosines[l], sine = samples.sines[l], a = u[l], b = v[l];
            slopes[l] = a * (mixed.sign * cosine * y[l] - sine * x[l]) - b * (mixed.sign * cosine * x[l] + sine * y[l]);
            u[l] = cosine * a - mixed.sign * sine * b, v[l] = cosine * b + mixed.sign * sine * a;
        }
        return;
    }
    const double* factors = samples.factors_of(step);
    for (size_t l = 0; l < lanes; ++l) {
        double* d = d_factors ? d_factors + l * samples.factor_stride() + step.factors : nullptr;
        if (d && step.kind == Kind::damping) d[TO_I] += slopes_of(OF_Z)[l];
        for (unsigned letter = 1; letter < 4; ++letter) {
            double& u = slopes_of(letter)[l];
            if (d) d[letter] += u * was(letter)[l];
            u *= factors[l * samples.factor_stride() + letter];
        }
    }
}

}  // namespace qloom::propagation
