#include "statevector/many.hpp"

#include <algorithm>
#include <stdexcept>

#include "machine/arena.hpp"
#include "machine/threads.hpp"

namespace qloom {

// A task's rows of a call, gathered into arrays that its program takes.
template <class T>
class Programs::Part {
public:
    Part(const Programs& all, const Task& which, const ManyCall<T>& from) : whole(all), task(which), call(from) {
        const size_t rows = own_weights() ? task.count : 1;
        T* x = scratch.take<T>(task.count * n_inputs);
        T* w = scratch.take<T>(rows * weights.size());
        for (size_t s = 0; s < task.count; ++s) {
            for (size_t k = 0; k < inputs.size(); ++k)
                x[s * n_inputs + k] = call.inputs[row(s) * whole.n_inputs + inputs[k]];
            for (size_t k = 0; k < n_numbers; ++k)
                x[s * n_inputs + inputs.size() + k] = T(task.member.numbers[(task.first + s) * n_numbers + k]);
        }
        for (size_t s = 0; s < rows; ++s)
            for (size_t k = 0; k < weights.size(); ++k)
                w[s * weights.size() + k] = call.weights[weight_row(s) + weights[k]];
        batch = {task.count, x, w, own_weights() ? weights.size() : 0, n_inputs, 1};
    }

    void forward(T* values, T* kept) {
        T* mine = scratch.take<T>(task.count * whole.n_outputs);
        qloom::forward<T>(task.member.program, batch, mine, kept);
        for (size_t s = 0; s < task.count; ++s)
            std::copy_n(mine + s * whole.n_outputs, whole.n_outputs, values + row(s) * whole.n_outputs);
    }

    // `summed` takes the derivatives by weights that circuits share.
    void backward(const ManySlopes<T>& out, T* kept, T* summed) {
        T* g = scratch.take<T>(task.count * whole.n_outputs);
        for (size_t s = 0; s < task.count; ++s)
            std::copy_n(out.cotangents + row(s) * whole.n_outputs, whole.n_outputs, g + s * whole.n_outputs);
        T* d_x = zeros(task.count * n_inputs, out.d_inputs && !inputs.empty());
        T* d_w = zeros((own_weights() ? task.count : 1) * weights.size(), out.d_weights);
        qloom::backward<T>(task.member.program, batch, {g, kept, d_x, d_w, nullptr});
        for (size_t s = 0; d_x && s < task.count; ++s)
            for (size_t k = 0; k < inputs.size(); ++k)
                out.d_inputs[row(s) * whole.n_inputs + inputs[k]] = d_x[s * n_inputs + k];
        if (!d_w) return;
        if (!call.own_weights) std::copy_n(d_w, weights.size(), summed + task.weights_start);
        for (size_t s = 0; call.own_weights && s < task.count; ++s)
            for (size_t k = 0; k < weights.size(); ++k)
                out.d_weights[weight_row(s) + weights[k]] = d_w[s * weights.size() + k];
    }

    T* room_for_states() { return scratch.take<T>(qloom::kept_size<T>(task.member.program, task.count)); }

private:
    size_t row(size_t s) const { return task.member.circuits[task.first + s]; }
    size_t weight_row(size_t s) const { return call.own_weights ? row(s) * whole.n_weights : 0; }
    // Of a single circuit they are shared by all its samples, which is quicker.
    bool own_weights() const { return call.own_weights && task.count > 1; }
    T* zeros(size_t count, bool wanted) {
        T* out = wanted ? scratch.take<T>(count) : nullptr;
        if (out) std::fill_n(out, count, T(0));
        return out;
    }

    const Programs& whole;
    const Task& task;
    const ManyCall<T>& call;
    const std::vector<uint32_t>&inputs = task.member.inputs, &weights = task.member.weights;
    const size_t n_inputs = task.member.program.n_inputs, n_numbers = task.member.n_numbers();
    Scratch scratch;
    Batch<T> batch{};
};

void Programs::add(Member member) {
    const auto within = [](const std::vector<uint32_t>& places, size_t end) {
        return std::all_of(places.begin(), places.end(), [end](uint32_t place) { return place < end; });
    };
    const bool fits = within(member.circuits, n_circuits) && within(member.inputs, n_inputs) &&
                      within(member.weights, n_weights) && member.program.n_inputs >= member.inputs.size() &&
                      member.program.n_weights == member.weights.size() && member.program.n_outputs == n_outputs &&
                      member.numbers.size() == member.circuits.size() * member.n_numbers();
    if (!fits) throw std::invalid_argument("a program does not fit the batch that it was made for");
    members.push_back(std::move(member));
}

std::vector<Programs::Task> Programs::tasks() const {
    std::vector<Task> out;
    size_t weights_start = 0;
    for (const Member& member : members)
        for (size_t first = 0; first < member.circuits.size(); first += MOST_IN_TASK) {
            out.push_back({member, first, std::min(MOST_IN_TASK, member.circuits.size() - first), weights_start});
            weights_start += member.weights.size();
        }
    return out;
}

// Where each task's final states start, and the end. A line of the cache apart, as the walks want them.
template <class T>
std::vector<size_t> Programs::kept_starts(const std::vector<Task>& all) const {
    constexpr size_t line = LINE_BYTES / sizeof(T);
    std::vector<size_t> out{0};
    for (const Task& task : all)
        out.push_back(out.back() + (qloom::kept_size<T>(task.member.program, task.count) + line - 1) / line * line);
    return out;
}

template <class T>
size_t Programs::kept_size() const {
    return kept_starts<T>(tasks()).back();
}

template <class T>
void Programs::forward(const ManyCall<T>& call, T* values, T* kept) const {
    const std::vector<Task> all = tasks();
    const std::vector<size_t> starts = kept ? kept_starts<T>(all) : std::vector<size_t>();
    parallel_for(all.size(), call.threads,
                 [&](size_t k) { Part<T>(*this, all[k], call).forward(values, kept ? kept + starts[k] : nullptr); });
}

template <class T>
void Programs::backward(const ManyCall<T>& call, const ManySlopes<T>& out, T* values, T* kept) const {
    const std::vector<Task> all = tasks();
    const std::vector<size_t> starts = kept ? kept_starts<T>(all) : std::vector<size_t>();
    std::vector<T> summed;
    if (out.d_weights && !call.own_weights && !all.empty())
        summed.resize(all.back().weights_start + all.back().member.weights.size());
    if (out.d_inputs) std::fill_n(out.d_inputs, n_circuits * n_inputs, T(0));
    if (out.d_weights && call.own_weights) std::fill_n(out.d_weights, n_circuits * n_weights, T(0));
    parallel_for(all.size(), call.threads, [&](size_t k) {
        Part<T> part(*this, all[k], call);
        T* states = kept ? kept + starts[k] : nullptr;
        if (values) part.forward(values, states = part.room_for_states());
        part.backward(out, states, summed.data());
    });
    if (!out.d_weights || call.own_weights) return;
    // In order of the tasks, whichever thread had them.
    std::vector<double> sums(n_weights, 0);
    for (const Task& task : all)
        for (size_t k = 0; k < task.member.weights.size(); ++k)
            sums[task.member.weights[k]] += double(summed[task.weights_start + k]);
    std::copy(sums.begin(), sums.end(), out.d_weights);
}

template size_t Programs::kept_size<float>() const;
template size_t Programs::kept_size<double>() const;
template void Programs::forward(const ManyCall<float>&, float*, float*) const;
template void Programs::forward(const ManyCall<double>&, double*, double*) const;
template void Programs::backward(const ManyCall<float>&, const ManySlopes<float>&, float*, float*) const;
template void Programs::backward(const ManyCall<double>&, const ManySlopes<double>&, double*, double*) const;

}  // namespace qloom
