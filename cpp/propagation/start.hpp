// What words are measured in at last: qubits that are still apart. Each has a Bloch vector, from |0> through the
// program's leading steps.
#pragma once
#include <array>

#include "propagation/letters.hpp"
#include "propagation/samples.hpp"

namespace qloom::propagation {

// A damping step's factors.
constexpr size_t OF_Z = 2, TO_I = 4;

class Start {
public:
    Start(const Program& p, Samples& s) : program(p), samples(s), lanes(s.lanes) {}

    // Bloch vectors; `keeping` what each leading step found.
    void prepare(bool keeping);
    // Qubits, 64 a number, where a letter has no value, whatever inputs and weights are.
    const std::vector<uint64_t>& absent(unsigned letter) const { return is_absent[letter]; }
    // sums += a word's value, times its coefficients.
    void measure(const std::vector<Letter>& word, const double* coefficients, std::vector<double>& sums);
    // Slopes `u` by its coefficients; those by Bloch vectors, from products of its other letters, are added here.
    void measure_back(const std::vector<Letter>& word, const double* coefficients, const double* cotangents, double* u);
    // Back through the leading steps, once all words are through; begin with `prepare(true)`.
    void go_back(double* d_inputs, double* d_weights, double* d_factors);

private:
    // The numbers of a letter, a lane each.
    double* numbers_of(std::vector<double>& of, unsigned qubit, unsigned letter) const {
        return &of[(size_t(qubit) * 3 + letter - 1) * lanes];
    }
    void lead(const Step& step);
    void lead_back(const Step& step, const double* before, double* d_factors);
    void find_absent();

    const Program& program;
    Samples& samples;
    const size_t lanes;
    std::vector<double> bloch, before, d_bloch, products, slopes, after;
    std::array<std::vector<uint64_t>, 4> is_absent;
};

}  // namespace qloom::propagation
