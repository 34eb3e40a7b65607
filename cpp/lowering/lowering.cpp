#include "lowering/lowering.hpp"

#include <algorithm>

namespace qloom::lowering {
namespace {

// A rotation looks back over at most this many rotations, or passes, for one to join: lowering stays linear in the
// number of gates.
constexpr size_t LOOK_BACK = 64;

// The products of words, up to phases, as a basis: a word commutes with all of them if it does with the basis, which
// has at most two words a qubit.
template <class Mask>
class Span {
public:
    bool commutes(const PhasedWord<Mask>& word) const {  // the last one first: neighbours mostly do not
        return std::all_of(basis.rbegin(), basis.rend(), [&](const Pivoted& b) { return b.word.commutes(word); });
    }

    void add(PhasedWord<Mask> word) {
        support |= word.x | word.z;
        if (basis.size() == 2 * support.count()) return;
        for (const Pivoted& b : basis)
            if ((b.in_x ? word.x : word.z)[b.pivot]) word *= b.word;
        const bool in_x = word.x.any();
        const Mask& mask = in_x ? word.x : word.z;
        for (size_t q = 0; q < mask.size(); ++q)
            if (mask[q]) return basis.push_back({word, in_x, q});
    }

private:
    struct Pivoted {  // a bit that is set in this word and in no later one
        PhasedWord<Mask> word;
        bool in_x;
        size_t pivot;
    };
    std::vector<Pivoted> basis;
    Mask support;
};

template <class Mask>
struct Pass {
    Mask x;
    bool shared;
    std::vector<int64_t> members;
};

template <class Mask>
bool commutes(const Turn<Mask>& turn, const Pass<Mask>& pass, const std::vector<Turn<Mask>>& turns) {
    if (turn.x.none() && pass.x.none()) return true;
    const unsigned mine = parity(turn.z & pass.x);
    return std::all_of(pass.members.begin(), pass.members.end(),
                       [&](int64_t m) { return parity(turn.x & turns[m].z) == mine; });
}

template <class Mask>
void place(int64_t index, const std::vector<Turn<Mask>>& turns, std::vector<Pass<Mask>>& passes) {
    const Turn<Mask>& turn = turns[index];
    const bool shared = turn.angle.source != Source::input;
    const size_t nothing = passes.size(), stop = nothing > LOOK_BACK ? nothing - LOOK_BACK : 0;
    size_t earliest = nothing, partner = nothing;
    while (earliest > stop && commutes(turn, passes[earliest - 1], turns)) {
        --earliest;
        if (passes[earliest].x == turn.x && passes[earliest].shared == shared) partner = earliest;
    }
    if (partner != nothing)
        passes[partner].members.push_back(index);
    else
        passes.insert(passes.begin() + earliest, {turn.x, shared, {index}});
}

// Where among the kept rotations a number and what it is merged into meet; their count where they do not.
template <class Mask>
size_t partner_of(const Turn<Mask>& turn, const std::vector<Turn<Mask>>& turns, const std::vector<int64_t>& kept) {
    const bool is_number = turn.angle.source == Source::number;
    const PhasedWord<Mask> word = turn.word();
    for (size_t k = kept.size(), stop = k > LOOK_BACK ? k - LOOK_BACK : 0; k-- > stop;) {
        const Turn<Mask>& other = turns[kept[k]];
        if (other.x == turn.x && other.z == turn.z) {
            if (is_number != (other.angle.source == Source::number)) return k;
        } else if (!other.word().commutes(word)) {
            break;
        }
    }
    return kept.size();
}

}  // namespace

template <class Mask>
std::vector<int64_t> effective(const std::vector<Turn<Mask>>& turns, const std::vector<Turn<Mask>>& measured,
                               bool starts_in_zero) {
    std::vector<int64_t> measurable, effective;
    Span<Mask> later, earlier;
    for (const Turn<Mask>& word : measured) later.add(word.word());
    for (int64_t r = int64_t(turns.size()) - 1; r >= 0; --r) {
        const PhasedWord<Mask> word = turns[r].word();
        if (later.commutes(word)) continue;
        later.add(word);
        measurable.push_back(r);
    }
    std::reverse(measurable.begin(), measurable.end());
    if (!starts_in_zero) return measurable;
    for (int64_t r : measurable) {
        const PhasedWord<Mask> word = turns[r].word();
        if (word.x.none() && earlier.commutes(word)) continue;
        earlier.add(word);
        effective.push_back(r);
    }
    return effective;
}

template <class Mask>
Merged merge_numbers(const std::vector<Turn<Mask>>& turns) {
    Merged out;
    for (size_t r = 0; r < turns.size(); ++r) {
        const size_t partner = partner_of(turns[r], turns, out.kept);
        if (partner == out.kept.size()) {
            out.kept.push_back(int64_t(r)), out.turns.push_back(0);
            continue;
        }
        int64_t& kept = out.kept[partner];
        const bool is_number = turns[r].angle.source == Source::number;
        const Angle& number = turns[is_number ? r : size_t(kept)].angle;
        if (!is_number) kept = int64_t(r);
        double& turn = out.turns[partner];
        turn = 2 * whole_turns_off(turn / 2 + half_of(number, 0));
    }
    return out;
}

template <class Mask>
Passes fuse(const std::vector<Turn<Mask>>& turns) {
    std::vector<Pass<Mask>> passes;
    for (size_t r = 0; r < turns.size(); ++r) place(int64_t(r), turns, passes);
    Passes out{{}, {0}};
    for (const Pass<Mask>& pass : passes) {
        out.order.insert(out.order.end(), pass.members.begin(), pass.members.end());
        out.starts.push_back(int64_t(out.order.size()));
    }
    return out;
}

template std::vector<int64_t> effective(const std::vector<Turn<Narrow>>&, const std::vector<Turn<Narrow>>&, bool);
template std::vector<int64_t> effective(const std::vector<Turn<Wide>>&, const std::vector<Turn<Wide>>&, bool);
template Merged merge_numbers(const std::vector<Turn<Narrow>>&);
template Merged merge_numbers(const std::vector<Turn<Wide>>&);
template Passes fuse(const std::vector<Turn<Narrow>>&);
template Passes fuse(const std::vector<Turn<Wide>>&);

}  // namespace qloom::lowering
