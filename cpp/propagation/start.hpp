// What words are measured in at last: qubits that are still apart. Each has a Bloch vector, from |0> through its
// leading steps, which are gone through once a word asks for it.
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

    // Before words are measured; `keeping` what each leading step will find.
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
    // Of a qubit that was led: where its numbers are, three letters of a lane each.
    size_t vector_at(unsigned qubit);
    double* numbers_of(std::vector<double>& of, unsigned qubit, unsigned letter) {
        return &of[vector_at(qubit) + (letter - 1) * lanes];
    }
    void lead(const Step& step, double* vector);
    void lead_back(const Step& step, const double* before, double* d_vector, double* d_factors);
    void find_absent();
    bool varies(unsigned qubit) const;

    static constexpr size_t NOWHERE = ~size_t(0);

    const Program& program;
    Samples& samples;
    const size_t lanes;
    bool is_keeping = false;
    std::vector<size_t> places, kept_at;  // of every qubit, in `bloch` and `d_bloch`, and in `before`
    std::vector<unsigned> led;            // qubits that have a place
    std::vector<double> bloch, before, d_bloch, products, slopes, after;
    std::array<std::vector<uint64_t>, 4> is_absent;
};

}  // namespace qloom::propagation
