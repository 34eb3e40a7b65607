// A walk written down: which slots every step mixes. Replayed, it gives values at other angles, over the words that
// were kept, without looking for any: the terms of a trigonometric polynomial, summed as the steps share them.
#pragma once
#include <memory>

#include "propagation/walk.hpp"

namespace qloom::propagation {

// What a step does, in this order; operands are slots.
//   of a rotation: turned (slot, slot and sign), brought (from, to and sign), refused (slot), ended (slot)
//   of a channel: added (Z's slot, I's and sign), brought (the same), refused (Z's slot), multiplied (slot, letters)
//   then thrown out (slot, marked where its value is 0)
// A refused branch is counted in the bound; of those that end the value is 0. A sign is the last bit of 32.
struct Moment {
    static constexpr size_t KINDS = 5, SIZE = KINDS + 1;
    static constexpr uint32_t NO_STEP = ~uint32_t(0), MARK = uint32_t(1) << 31;
    static constexpr size_t OPERANDS_OF_ROTATION[KINDS] = {2, 2, 1, 1, 1}, OPERANDS_OF_CHANNEL[KINDS] = {2, 2, 1, 2, 1};

    uint32_t step, counts[KINDS];
};

struct Recording {
    uint32_t n_slots = 0;
    std::vector<uint32_t> given;  // slots of the observable's words
    std::vector<double> coefficients;
    std::vector<Moment> moments;  // as the walk made them
    std::vector<uint32_t> operands;
    std::vector<uint32_t> read;  // slots of the words that are measured at last
    std::vector<uint32_t> ends;  // where the letters of each end
    std::vector<Letter> letters;

    size_t bytes() const {
        return 4 * (given.size() + operands.size() + read.size() + ends.size() + letters.size()) +
               8 * coefficients.size() + sizeof(Moment) * moments.size();
    }
};

// What is wrong with a recording that comes from elsewhere; null where it fits the program.
const char* mistake_in(const Recording&, const Program&);

std::unique_ptr<AnyWalk> make_replay(const Program&, const Recording&, const Call&, size_t first_sample, size_t lanes);
// Samples that a replay takes together.
size_t lanes_of(const Recording&);

}  // namespace qloom::propagation
