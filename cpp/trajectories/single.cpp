#include "trajectories/single.hpp"

#include <algorithm>

namespace qloom::trajectories {
namespace {

// Rows of `width` numbers, in another order.
template <class T>
std::vector<T> gathered(const T* rows, size_t width, const std::vector<int64_t>& order) {
    std::vector<T> out(order.size() * width);
    for (size_t k = 0; k < order.size(); ++k) std::copy_n(rows + size_t(order[k]) * width, width, &out[k * width]);
    return out;
}

template <class T>
void scatter(const std::vector<T>& rows, size_t width, const std::vector<int64_t>& order, T* out) {
    for (size_t k = 0; k < order.size(); ++k) std::copy_n(&rows[k * width], width, out + size_t(order[k]) * width);
}

}  // namespace

template <class T>
Batch<T> Single<T>::batch(const Batch<T>& given) const {
    Batch<T> out = given;
    out.inputs = inputs.data();
    if (!weights.empty()) out.weights = weights.data();
    out.flips = any_flips ? flips.data() : nullptr;
    return out;
}

template <class T>
Single<T> run_single(const Program& program, const Errors& errors, const Measured& measured, const Rates& rates,
                     Place place, const Batch<T>& given, T* states, T* outputs) {
    const size_t n = given.size, n_signs = errors.width() - errors.n_flips();
    Single<T> out{{0, n, 1, 0, 1}, false, {}, {}, {}, {}, {}, {}};
    out.order.resize(n), out.places.resize(n), out.flips.resize(n * errors.n_flips()), out.signs.resize(n * n_signs);
    draw_errors(errors, rates, place, out.rows, out.flips.data(), out.signs.data(), given.threads);
    out.any_flips = keep_distinct(errors, out.rows, out.flips.data(), out.order.data(), out.places.data()).plain < n;
    out.inputs = gathered(given.inputs, given.n_inputs, out.order);
    if (given.weight_stride) out.weights = gathered(given.weights, given.weight_stride, out.order);

    std::vector<T> values(n * measured.n_values());
    forward<T>(program, out.batch(given), values.data(), states);
    std::vector<double> means(n * measured.n_outputs, 0.0);
    add_values<T>(measured, out.rows, values.data(), out.places.data(), out.signs.data(), means.data(), nullptr);
    std::copy(means.begin(), means.end(), outputs);
    return out;
}

template <class T>
void walk_single_back(const Program& program, const Measured& measured, const Single<T>& single, const Batch<T>& given,
                      const Gradient<T>& gradient) {
    const size_t n = given.size;
    std::vector<T> cotangents(n * measured.n_values());
    std::vector<T> d_inputs(gradient.d_inputs ? n * given.n_inputs : 0);
    const bool own = gradient.d_weights && given.weight_stride;
    std::vector<T> d_weights(own ? n * given.weight_stride : 0);
    spread_cotangents<T>(measured, single.rows, gradient.cotangents, single.places.data(), single.signs.data(), n,
                         cotangents.data());
    Gradient<T> ordered = gradient;
    ordered.cotangents = cotangents.data();
    if (gradient.d_inputs) ordered.d_inputs = d_inputs.data();
    if (own) ordered.d_weights = d_weights.data();
    backward<T>(program, single.batch(given), ordered);
    if (gradient.d_inputs) scatter(d_inputs, given.n_inputs, single.order, gradient.d_inputs);
    if (own) scatter(d_weights, given.weight_stride, single.order, gradient.d_weights);
}

template struct Single<float>;
template struct Single<double>;
template Single<float> run_single(const Program&, const Errors&, const Measured&, const Rates&, Place,
                                  const Batch<float>&, float*, float*);
template Single<double> run_single(const Program&, const Errors&, const Measured&, const Rates&, Place,
                                   const Batch<double>&, double*, double*);
template void walk_single_back(const Program&, const Measured&, const Single<float>&, const Batch<float>&,
                               const Gradient<float>&);
template void walk_single_back(const Program&, const Measured&, const Single<double>&, const Batch<double>&,
                               const Gradient<double>&);

}  // namespace qloom::trajectories
