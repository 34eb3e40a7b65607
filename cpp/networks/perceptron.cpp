#include "networks/perceptron.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.hpp"
#include "machine/random.hpp"

namespace qloom {

constexpr size_t LINE = LINE_BYTES / sizeof(float);
constexpr float PI = 3.14159265358979323846f;

Matrix& Matrix::sized(size_t n_rows, size_t n_columns) {
    rows = n_rows, columns = n_columns, width = (columns + LINE - 1) / LINE * LINE;
    if (size() > capacity) {
        std::free(numbers);
        numbers = nullptr, capacity = 0;
        numbers = reinterpret_cast<float*>(allocate(size() * sizeof(float)));
        capacity = size();
    }
    return *this;
}

Matrix& Matrix::read(const float* from, size_t n_rows, size_t n_columns) {
    float* to = sized(n_rows, n_columns).numbers;
    for (size_t i = 0; i < rows; ++i, from += columns)
        to = std::fill_n(std::copy_n(from, columns, to), width - columns, 0.0f);
    return *this;
}

Matrix& Matrix::read_transposed(const float* from, size_t n_rows, size_t n_columns) {
    float* to = sized(n_rows, n_columns).numbers;
    for (size_t i = 0; i < rows; ++i, to += width) {
        for (size_t j = 0; j < columns; ++j) to[j] = from[j * rows + i];
        std::fill(to + columns, to + width, 0.0f);
    }
    return *this;
}

float* Matrix::write(float* to) const {
    for (size_t i = 0; i < rows; ++i) to = std::copy_n(numbers + i * width, columns, to);
    return to;
}

// c = a b + shifts.
static void product(const Matrix& a, const Matrix& b, const Matrix& shifts, Matrix& c) {
    c.sized(a.rows, b.columns);
    kernels<float>().product({a.data(), a.width, 1}, b.data(), shifts.data(), c.data(), {a.rows, b.rows, c.width});
}

static void product(const Matrix& a, const Matrix& b, Matrix& c) {
    c.sized(a.rows, b.columns);
    kernels<float>().product({a.data(), a.width, 1}, b.data(), nullptr, c.data(), {a.rows, b.rows, c.width});
}

// c = a^T b.
static const Matrix& correlation(const Matrix& a, const Matrix& b, Matrix& c) {
    c.sized(a.columns, b.columns);
    kernels<float>().product({a.data(), 1, a.width}, b.data(), nullptr, c.data(), {a.columns, b.rows, c.width});
    return c;
}

static const Matrix& sum_of_rows(const Matrix& a, Matrix& c) {
    const float one = 1;
    c.sized(1, a.columns);
    kernels<float>().product({&one, 0, 0}, a.data(), nullptr, c.data(), {1, a.rows, c.width});
    return c;
}

void Perceptron::leave_out(uint64_t seed, size_t before) {
    const uint32_t left_out = uint32_t(std::lround(shape.left_out * 0x1p16));
    if (!left_out) return;
    const float kept = left_out < 0x10000 ? 0x1p16f / float(0x10000 - left_out) : 0;
    Random random(seed);
    for (size_t i = 0; i < before * hidden.width; i += 2) random.bits();
    for (size_t i = 0; i < hidden.size(); i += 2) {
        const uint32_t drawn = random.bits(), both[] = {drawn & 0xffff, drawn >> 16};
        for (size_t k = 0; k < 2; ++k) {
            const float factor = both[k] >= left_out ? kept : 0;
            hidden.data()[i + k] *= factor;
            hidden_slopes.data()[i + k] *= factor;
        }
    }
}

void Perceptron::forward(const float* weights, const float* inputs, size_t rows, uint64_t seed, size_t before,
                         float* outputs) {
    const float *first_shifts = weights + shape.width * shape.n_inputs, *second = first_shifts + shape.width;
    x.read(inputs, rows, shape.n_inputs);
    matrix.read_transposed(weights, shape.n_inputs, shape.width);
    product(x, matrix, shifts.read(first_shifts, 1, shape.width), hidden);
    hidden_slopes.sized(rows, shape.width);
    kernels<float>().silu(hidden.data(), hidden_slopes.data(), hidden.size());
    leave_out(seed, before);
    matrix.read_transposed(second, shape.width, shape.n_outputs);
    product(hidden, matrix, shifts.read(second + shape.n_outputs * shape.width, 1, shape.n_outputs), out);
    if (shape.angles) {
        out_slopes.sized(rows, shape.n_outputs);
        kernels<float>().bound(out.data(), out_slopes.data(), PI, out.size());
    }
    out.write(outputs);
}

void Perceptron::backward(const float* weights, const float* slopes, float* d_weights, float* d_inputs) {
    const float* second = weights + shape.width * (shape.n_inputs + 1);
    d_out.read(slopes, x.rows, shape.n_outputs);
    if (shape.angles) kernels<float>().multiply(d_out.data(), out_slopes.data(), d_out.size());
    product(d_out, matrix.read(second, shape.n_outputs, shape.width), d_hidden);
    kernels<float>().multiply(d_hidden.data(), hidden_slopes.data(), d_hidden.size());
    if (d_weights) {
        d_weights = correlation(d_hidden, x, sums).write(d_weights);
        d_weights = sum_of_rows(d_hidden, sums).write(d_weights);
        d_weights = correlation(d_out, hidden, sums).write(d_weights);
        sum_of_rows(d_out, sums).write(d_weights);
    }
    if (d_inputs) {
        product(d_hidden, matrix.read(weights, shape.width, shape.n_inputs), d_x);
        d_x.write(d_inputs);
    }
}

}  // namespace qloom
