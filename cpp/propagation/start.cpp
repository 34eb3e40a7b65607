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
    bloch.assign(program.n_qubits * 3 * lanes, 0);
    if (keeping) d_bloch.assign(bloch.size(), 0), before.clear();
    for (unsigned q = 0; q < program.n_qubits; ++q) std::fill_n(numbers_of(bloch, q, OF_Z), lanes, 1.0);
    for (size_t s = 0; s < program.n_leading; ++s) {
        const Step& step = program.steps[s];
        const double* vector = numbers_of(bloch, program.letters[step.first_letter].qubit, 1);
        if (keeping) before.insert(before.end(), vector, vector + 3 * lanes);
        lead(step);
    }
    find_absent();
}

void Start::find_absent() {
    std::vector<bool> varies(program.n_qubits);
    for (size_t s = 0; s < program.n_leading; ++s)
        if (program.steps[s].angle.source != Source::number)
            varies[program.letters[program.steps[s].first_letter].qubit] = true;
    for (unsigned letter = 1; letter < 4; ++letter) {
        is_absent[letter].assign(MOST_NUMBERS, 0);
        for (unsigned q = 0; q < program.n_qubits; ++q) {
            const double* numbers = numbers_of(bloch, q, letter);
            if (!varies[q] && std::all_of(numbers, numbers + lanes, [](double a) { return a == 0; }))
                is_absent[letter][q / 64] |= uint64_t(1) << q % 64;
        }
    }
}

void Start::lead(const Step& step) {
    const Letter& at = program.letters[step.first_letter];
    if (turns(step)) {
        samples.turn_by(step);
        const Mixed mixed(at.letter);
        double *a = numbers_of(bloch, at.qubit, mixed.one), *b = numbers_of(bloch, at.qubit, mixed.other);
        for (size_t l = 0; l < lanes; ++l) {
            const double cosine = samples.cosines[l], sine = mixed.sign * samples.sines[l], x = a[l], y = b[l];
            a[l] = cosine * x + sine * y, b[l] = cosine * y - sine * x;
        }
        return;
    }
    const double* factors = samples.factors_of(step);
    for (size_t l = 0; l < lanes; ++l, factors += samples.factor_stride()) {
        for (unsigned letter = 1; letter < 4; ++letter) numbers_of(bloch, at.qubit, letter)[l] *= factors[letter];
        if (step.kind == Kind::damping) numbers_of(bloch, at.qubit, OF_Z)[l] += factors[TO_I];
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
    for (size_t s = program.n_leading; s-- > 0;) {
        const Step& step = program.steps[s];
        lead_back(step, &before[s * 3 * lanes], d_factors);
        if (step.kind == Kind::rotation) samples.add_slopes(step.angle, slopes.data(), d_inputs, d_weights);
    }
}

void Start::lead_back(const Step& step, const double* vector, double* d_factors) {
    const Letter& at = program.letters[step.first_letter];
    const auto was = [&](unsigned letter) { return vector + (letter - 1) * lanes; };
    if (turns(step)) {
        samples.turn_by(step);
        const Mixed mixed(at.letter);
        const double *x = was(mixed.one), *y = was(mixed.other);
        double *u = numbers_of(d_bloch, at.qubit, mixed.one), *v = numbers_of(d_bloch, at.qubit, mixed.other);
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
        if (d && step.kind == Kind::damping) d[TO_I] += numbers_of(d_bloch, at.qubit, OF_Z)[l];
        for (unsigned letter = 1; letter < 4; ++letter) {
            double& u = numbers_of(d_bloch, at.qubit, letter)[l];
            if (d) d[letter] += u * was(letter)[l];
            u *= factors[l * samples.factor_stride() + letter];
        }
    }
}

}  // namespace qloom::propagation
