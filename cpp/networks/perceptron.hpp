// A perceptron of one hidden layer, forward and back: linear, SiLU, dropout, linear and, where outputs are angles,
// pi times tanh.
#pragma once
#include <cstddef>
#include <cstdint>

#include "machine/memory.hpp"

namespace qloom {

// Rows that are filled up to whole lines of the cache, with zeros.
class Matrix {
public:
    Matrix() = default;
    ~Matrix() { std::free(numbers); }
    Matrix(const Matrix&) = delete;
    Matrix& operator=(const Matrix&) = delete;

    size_t rows = 0, columns = 0, width = 0;

    // Of this size from now on; what it holds is left open.
    Matrix& sized(size_t n_rows, size_t n_columns);
    // From and to rows without filling; a transposed one is read down its columns.
    Matrix& read(const float* from, size_t n_rows, size_t n_columns);
    Matrix& read_transposed(const float* from, size_t n_rows, size_t n_columns);
    float* write(float* to) const;

    float* data() const { return numbers; }
    size_t size() const { return rows * width; }

private:
    float* numbers = nullptr;
    size_t capacity = 0;
};

struct PerceptronShape {
    size_t n_inputs, width, n_outputs;
    bool angles;
    double left_out;  // share of the hidden units

    // Of one perceptron: matrix and shifts of the hidden layer, then those of the outputs; matrices (to, from).
    size_t n_weights() const { return width * (n_inputs + 1) + n_outputs * (width + 1); }
};

// Keeps what a walk back needs of the one forward.
class Perceptron {
public:
    explicit Perceptron(const PerceptronShape& shape) : shape(shape) {}

    const PerceptronShape shape;

    // Rows of inputs to rows of outputs; `seed` is of what is left out, which depends on a row's place: `before` rows
    // stand before these, walked elsewhere.
    void forward(const float* weights, const float* inputs, size_t rows, uint64_t seed, size_t before, float* outputs);
    // Slopes of weights and inputs, null where not wanted, from those of the outputs of the last walk forward.
    void backward(const float* weights, const float* slopes, float* d_weights, float* d_inputs);

private:
    void leave_out(uint64_t seed, size_t before);

    Matrix x, hidden, out;             // numbers of the rows
    Matrix hidden_slopes, out_slopes;  // of the nonlinear functions
    Matrix d_out, d_hidden, d_x;       // of the loss
    Matrix matrix, shifts, sums;
};

}  // namespace qloom
