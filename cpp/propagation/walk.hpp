// One observable and some samples, a lane each: the way back through the circuit, and the way there again with slopes.
//
// A turn is undone from what it gave: of a word and its partner both by turning back, of a word whose partner was not
// let in by dividing by the cosine; a channel by dividing by its factors. Words that a step brought are the last ones,
// and words that were thrown out are kept beside. Divisors multiply: before they cost more than three digits
// coefficients are kept, to begin anew from. So a walk takes room for all words that ever stayed, and for a copy of the
// coefficients every so many steps of noise.
#pragma once
#include <memory>

#include "propagation/index.hpp"
#include "propagation/program.hpp"

namespace qloom::propagation {

class AnyWalk {
public:
    virtual ~AnyWalk() = default;
    // To the circuit's beginning; `recording` what the way back needs. Fills the values of its samples.
    virtual void run(bool recording) = 0;
    // Adds slopes of the sum of cotangents times values, `d_weights` and `d_factors` a row a lane where lanes have
    // their own; only after run(true). The call has the arrays that the way here had, maybe at another place.
    virtual void run_back(const Call&, const double* cotangents, double* d_inputs, double* d_weights,
                          double* d_factors) = 0;
    virtual size_t bytes() const = 0;

    size_t n_words = 0;                           // the most that a step left
    std::vector<double> values, bounds, squares;  // of every lane
};

struct Recording;

std::unique_ptr<AnyWalk> make_walk(const Program&, const Call&, size_t output, size_t first_sample, size_t lanes,
                                   int threads);
// All samples of the call share the words of one walk, which is written down.
Recording record_walk(const Program&, const Call&, size_t output, int threads);

}  // namespace qloom::propagation
