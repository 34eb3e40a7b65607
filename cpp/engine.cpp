// Picks the regime of a call.
#include "regimes.hpp"

namespace qloom {
namespace {

template <class T>
bool in_lanes(const Program& program, size_t batch) {
    const size_t lanes = kernels<T>().lanes;
    if (program.size() < 4 * lanes) return true;
    return program.n_qubits <= MOST_QUBITS_BATCHED && 2 * batch >= lanes;
}

// Waking threads takes some ten microseconds: less work than this many turns of an amplitude is done sooner alone.
constexpr size_t LEAST_WORK_SHARED = size_t(1) << 18;

template <class T>
Batch<T> with_threads_worth_waking(const Program& program, Batch<T> batch) {
    if (batch.size * program.size() * (program.rotations.size() + 1) < LEAST_WORK_SHARED) batch.threads = 1;
    return batch;
}

}  // namespace

template <class T>
size_t kept_size(const Program& program, size_t batch) {
    const size_t lanes = kernels<T>().lanes;
    const size_t samples = in_lanes<T>(program, batch) ? (batch + lanes - 1) / lanes * lanes : batch;
    return samples * 2 * program.size();
}

template <class T>
void forward(const Program& program, const Batch<T>& given, T* values, T* kept) {
    const Batch<T> batch = with_threads_worth_waking(program, given);
    in_lanes<T>(program, batch.size) ? batched::forward(program, batch, values, kept)
                                     : single::forward(program, batch, values, kept);
}

template <class T>
void backward(const Program& program, const Batch<T>& given, const Gradient<T>& gradient) {
    const Batch<T> batch = with_threads_worth_waking(program, given);
    in_lanes<T>(program, batch.size) ? batched::backward(program, batch, gradient)
                                     : single::backward(program, batch, gradient);
}

template <class T>
void states(const Program& program, const Batch<T>& given, T* out) {
    const Batch<T> batch = with_threads_worth_waking(program, given);
    in_lanes<T>(program, batch.size) ? batched::states(program, batch, out) : single::states(program, batch, out);
}

template size_t kept_size<float>(const Program&, size_t);
template size_t kept_size<double>(const Program&, size_t);
template void forward<float>(const Program&, const Batch<float>&, float*, float*);
template void forward<double>(const Program&, const Batch<double>&, double*, double*);
template void backward<float>(const Program&, const Batch<float>&, const Gradient<float>&);
template void backward<double>(const Program&, const Batch<double>&, const Gradient<double>&);
template void states<float>(const Program&, const Batch<float>&, float*);
template void states<double>(const Program&, const Batch<double>&, double*);

}  // namespace qloom
