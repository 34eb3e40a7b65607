// A call cut into walks: an observable and some samples each. The cut depends on sizes alone.
#include <algorithm>
#include <atomic>

#include "machine/threads.hpp"
#include "propagation/recording.hpp"
#include "propagation/walks.hpp"

namespace qloom::propagation {
namespace {

struct Piece {
    size_t output, first, lanes;
};

std::vector<Piece> pieces_of(const Program& program, const Call& call, const Recordings* recordings) {
    std::vector<Piece> out;
    for (size_t o = 0; o < program.observables.size(); ++o) {
        const size_t lanes = recordings ? lanes_of((*recordings)[o]) : MOST_LANES_OF_WALK;
        for (size_t first = 0; first < call.size; first += lanes)
            out.push_back({o, first, std::min(lanes, call.size - first)});
    }
    return out;
}

std::unique_ptr<AnyWalk> walk_of(const Program& program, const Call& call, const Piece& piece,
                                 const Recordings* recordings, int threads) {
    if (recordings) return make_replay(program, (*recordings)[piece.output], call, piece.first, piece.lanes);
    return make_walk(program, call, piece.output, piece.first, piece.lanes, threads);
}

// Threads take walks; one walk alone is shared by them.
template <class F>
void over(const std::vector<Piece>& pieces, int threads, F work) {
    if (pieces.size() == 1) return work(0, threads);
    parallel_for(pieces.size(), threads, [&](size_t k) { work(k, 1); });
}

// Slopes of one piece: of weights and factors either a row a lane or one for all.
struct Sums {
    std::vector<double> inputs, weights, factors;
};

}  // namespace

void forward(const Program& program, const Call& call, const Values& out, Walks* kept, const Recordings* recordings) {
    const std::vector<Piece> pieces = pieces_of(program, call, recordings);
    const size_t n_outputs = program.observables.size();
    if (kept) kept->all.resize(pieces.size());
    std::atomic<size_t> bytes{0};
    std::vector<int64_t> words(pieces.size());
    over(pieces, call.threads, [&](size_t k, int threads) {
        const Piece& piece = pieces[k];
        std::unique_ptr<AnyWalk> walk = walk_of(program, call, piece, recordings, threads);
        walk->run(kept != nullptr);
        for (size_t l = 0; l < piece.lanes; ++l) {
            const size_t at = (piece.first + l) * n_outputs + piece.output;
            out.values[at] = walk->values[l];
            out.bounds[at] = walk->bounds[l];
            out.squares[at] = walk->squares[l];
        }
        words[k] = int64_t(walk->n_words);
        if (kept && bytes.fetch_add(walk->bytes()) + walk->bytes() <= kept->most_bytes) kept->all[k] = std::move(walk);
    });
    std::fill_n(out.words, n_outputs, 0);
    for (size_t k = 0; k < pieces.size(); ++k)
        out.words[pieces[k].output] = std::max(out.words[pieces[k].output], words[k]);
}

void backward(const Program& program, const Call& call, const Slopes& out, Walks* kept, const Recordings* recordings) {
    const std::vector<Piece> pieces = pieces_of(program, call, recordings);
    const size_t n_outputs = program.observables.size();
    std::vector<Sums> sums(pieces.size());
    over(pieces, call.threads, [&](size_t k, int threads) {
        const Piece& piece = pieces[k];
        std::unique_ptr<AnyWalk> walk;
        if (kept && k < kept->all.size()) walk = std::move(kept->all[k]);
        if (!walk) {
            walk = walk_of(program, call, piece, recordings, threads);
            walk->run(true);
        }
        const auto room = [&](bool wanted, size_t count, bool own) {
            return std::vector<double>(wanted ? count * (own ? piece.lanes : 1) : 0, 0.0);
        };
        Sums& mine = sums[k];
        mine = {room(out.inputs, call.n_inputs, true), room(out.weights, call.n_weights, call.weight_stride),
                room(out.factors, call.n_factors, call.factor_stride)};
        double cotangents[MOST_LANES_OF_WALK];
        for (size_t l = 0; l < piece.lanes; ++l)
            cotangents[l] = out.cotangents[(piece.first + l) * n_outputs + piece.output];
        const auto data = [](std::vector<double>& numbers) { return numbers.empty() ? nullptr : numbers.data(); };
        walk->run_back(call, cotangents, data(mine.inputs), data(mine.weights), data(mine.factors));
    });
    const auto add = [](const std::vector<double>& from, double* to) {
        for (size_t k = 0; k < from.size(); ++k) to[k] += from[k];
    };
    for (size_t k = 0; k < pieces.size(); ++k) {  // piece by piece in order
        add(sums[k].inputs, out.inputs + pieces[k].first * call.n_inputs);
        add(sums[k].weights, out.weights + pieces[k].first * call.weight_stride);
        add(sums[k].factors, out.factors + pieces[k].first * call.factor_stride);
    }
}

Recordings record(const Program& program, const Call& call) {
    Recordings out(program.observables.size());
    std::vector<Piece> pieces;
    for (size_t o = 0; o < out.size(); ++o) pieces.push_back({o, 0, call.size});
    over(pieces, call.threads, [&](size_t k, int threads) { out[k] = record_walk(program, call, k, threads); });
    return out;
}

}  // namespace qloom::propagation
