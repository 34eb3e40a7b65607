// Many circuits in one call: each thread takes whole circuits, so that no result depends on how many threads there are.
#pragma once
#include "statevector/program.hpp"

namespace qloom {

// A program and the circuits that it runs. Those that are equal but for numbers are samples of one program.
struct Member {
    Program program;
    std::vector<uint32_t> circuits;         // rows of the call
    std::vector<uint32_t> inputs, weights;  // of each of the program's slots its place among the batch's
    std::vector<double> numbers;            // (circuits, n_numbers), the program's last inputs, known beforehand

    size_t n_numbers() const { return program.n_inputs - inputs.size(); }
};

// The arrays of one call: inputs (C, I), weights (W,), or (C, W) where each circuit has its own.
template <class T>
struct ManyCall {
    const T* inputs;
    const T* weights;
    bool own_weights;
    int threads;
};

// What a call that walks back fills, of arrays shaped as inputs and weights; null is not wanted.
template <class T>
struct ManySlopes {
    const T* cotangents;
    T* d_inputs;
    T* d_weights;
};

class Programs {
public:
    Programs(size_t circuits, size_t inputs, size_t weights, size_t outputs)
        : n_circuits(circuits), n_inputs(inputs), n_weights(weights), n_outputs(outputs) {}

    const size_t n_circuits, n_inputs, n_weights, n_outputs;

    void add(Member);
    size_t size() const { return members.size(); }
    const std::vector<Member>& all() const { return members; }
    // Numbers that final states take, kept for a walk back.
    template <class T>
    size_t kept_size() const;
    // values (C, O); the final states go to `kept` unless it is null.
    template <class T>
    void forward(const ManyCall<T>&, T* values, T* kept) const;
    // `kept` are the states of a forward call, written over. Where it is null they are found again, and the values
    // with them where those are wanted.
    template <class T>
    void backward(const ManyCall<T>&, const ManySlopes<T>&, T* values, T* kept) const;

private:
    // Some of a member's circuits, one thread's work.
    struct Task {
        const Member& member;
        size_t first, count, weights_start;  // where its slopes of weights start among those of all
    };
    static constexpr size_t MOST_IN_TASK = 32;
    template <class T>
    class Part;
    std::vector<Task> tasks() const;
    template <class T>
    std::vector<size_t> kept_starts(const std::vector<Task>&) const;

    std::vector<Member> members;
};

}  // namespace qloom
