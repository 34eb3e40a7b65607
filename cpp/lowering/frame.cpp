#include "lowering/frame.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qloom::lowering {
namespace {

constexpr double QUARTER = 1.5707963267948966;
// How near a quarter turn is one: what rounding the multiples of pi / 2 that people write makes of them.
constexpr double NEAR = 1e-12, NEAR_AT_MOST = 1e-9;
// The phase of a monomial gate is a sum over paths, two for each quarter turn that flips bits: gates with more such
// turns go in rotation by rotation.
constexpr long MOST_BRANCHES = 8;

// k if the angle is the number k pi/2, modulo 8 (a rotation by 2 pi is -1); -1 otherwise.
int quarter_turns(const Angle& angle) {
    if (angle.source != Source::number) return -1;
    const double left = 2 * whole_turns_off(angle.offset / 2), k = std::nearbyint(left / QUARTER);
    if (std::abs(left - k * QUARTER) >= std::min(NEAR * std::max(1.0, std::abs(angle.offset)), NEAR_AT_MOST)) return -1;
    return int(k + 8) & 7;
}

template <class Mask>
bool is_clifford(const Turn<Mask>& turn) {
    return quarter_turns(turn.angle) >= 0;
}

template <class Mask>
bool branches(const Turn<Mask>& turn) {
    return turn.x.any() && quarter_turns(turn.angle) & 1;
}

// <to| the quarter turns from first to end |from>, summed over paths.
template <class Mask>
std::complex<double> amplitude(const Turn<Mask>* first, const Turn<Mask>* end, Mask from, const Mask& to) {
    static const std::complex<double> powers[] = {1, {0, 1}, -1, {0, -1}};
    std::complex<double> product = 1;
    for (; first != end; ++first) {
        const double half = quarter_turns(first->angle) * QUARTER / 2;
        const std::complex<double> stay = std::cos(half);
        const std::complex<double> flip =
            std::sin(half) * powers[(3 + first->word().k + 2 * parity(from & first->z)) & 3];
        const Mask flipped = from ^ first->x;
        if (branches(*first))
            return product *
                   (stay * amplitude(first + 1, end, from, to) + flip * amplitude(first + 1, end, flipped, to));
        const bool turned = quarter_turns(first->angle) % 4 == 2;
        product *= first->x.none() ? stay + flip : turned ? flip : stay;
        if (turned) from = flipped;
    }
    return from == to ? product : 0;
}

// Bit q of a mask of n qubits is bit n - 1 - q of an index.
template <class Mask>
uint64_t index_mask(const Mask& mask, unsigned n_qubits) {
    uint64_t out = 0;
    for (unsigned q = 0; q < n_qubits; ++q) out |= uint64_t(mask[q]) << (n_qubits - 1 - q);
    return out;
}

}  // namespace

template <class Mask>
Frame<Mask>::Frame(unsigned n, bool only_monomial) : n_qubits(n), monomial(only_monomial) {
    for (unsigned q = 0; q < n; ++q) {
        x_images.push_back({0, Mask().set(q), Mask()});
        z_images.push_back({0, Mask(), Mask().set(q)});
    }
}

template <class Mask>
void Frame<Mask>::lower(const std::vector<Turn<Mask>>& gate, const Qubits& qubits, std::vector<Turn<Mask>>& out) {
    const Turn<Mask>*first = gate.data(), *end = first + gate.size();
    if (take(first, end, qubits)) return;
    for (const Turn<Mask>* turn = first; turn != end; ++turn) {
        if (gate.size() > 1 && take(turn, turn + 1, qubits)) continue;
        const PhasedWord<Mask> word = pull(turn->word());
        const Angle& a = turn->angle;
        out.push_back({word.x, word.z, {a.source, a.index, word.sign() * a.scale, word.sign() * a.offset}});
    }
}

template <class Mask>
bool Frame<Mask>::take(const Turn<Mask>* first, const Turn<Mask>* end, const Qubits& qubits) {
    if (!std::all_of(first, end, is_clifford<Mask>)) return false;
    if (monomial && std::count_if(first, end, branches<Mask>) > MOST_BRANCHES) return false;
    std::vector<PhasedWord<Mask>> before;
    for (uint32_t q : qubits) before.insert(before.end(), {x_images[q], z_images[q]});
    const Mask from = basis_state(qubits);
    for (const Turn<Mask>* t = first; t != end; ++t) turn(*t, qubits);
    if (monomial && std::any_of(qubits.begin(), qubits.end(), [&](uint32_t q) { return z_images[q].x.any(); })) {
        for (size_t j = 0; j < qubits.size(); ++j)
            x_images[qubits[j]] = before[2 * j], z_images[qubits[j]] = before[2 * j + 1];
        return false;
    }
    if (monomial) {
        const double angle = std::arg(amplitude(first, end, from, basis_state(qubits)));
        eighths = unsigned(eighths + 8 + std::lround(angle / (QUARTER / 2))) & 7;
    }
    is_identity = is_identity && first == end;
    return true;
}

// C becomes R C: R^dagger W R is W (cos(k pi/2) - i sin(k pi/2) P) where W and P anticommute.
template <class Mask>
void Frame<Mask>::turn(const Turn<Mask>& turn, const Qubits& qubits) {
    static constexpr unsigned added[] = {0, 3, 2, 1};
    const unsigned turns = quarter_turns(turn.angle);
    const PhasedWord<Mask> generator = pull(turn.word());
    for (uint32_t q : qubits)
        for (PhasedWord<Mask>* image : {&x_images[q], &z_images[q]}) {
            if (image->commutes(generator)) continue;
            if (turns & 1) *image *= generator;
            image->k = (image->k + added[turns & 3]) & 3;
        }
}

// The bits at some qubits of the basis state that C |0> is, from the signs of C^dagger Z_q C.
template <class Mask>
Mask Frame<Mask>::basis_state(const Qubits& qubits) const {
    Mask state;
    for (uint32_t q : qubits) state[q] = z_images[q].k == 2;
    return state;
}

template <class Mask>
PhasedWord<Mask> Frame<Mask>::pull(const PhasedWord<Mask>& word) const {
    PhasedWord<Mask> out{word.k, {}, {}};
    for (unsigned q = 0; q < n_qubits; ++q)
        if (word.x[q]) out *= x_images[q];
    for (unsigned q = 0; q < n_qubits; ++q)
        if (word.z[q]) out *= z_images[q];
    return out;
}

// C X_q C^dagger, by the symplectic inverse of the images.
template <class Mask>
PhasedWord<Mask> Frame<Mask>::forward_x_image(unsigned qubit) const {
    PhasedWord<Mask> image{0, {}, {}};
    for (unsigned q = 0; q < n_qubits; ++q) image.x[q] = z_images[q].z[qubit], image.z[q] = x_images[q].z[qubit];
    image.k = (4 - pull(image).k) & 3;
    return image;
}

template <class Mask>
BasisMap Frame<Mask>::basis_map() const {
    Qubits all(n_qubits);
    std::iota(all.rbegin(), all.rend(), 0);
    std::vector<BasisMap::Word> forward;
    for (uint32_t q : all) {
        const PhasedWord<Mask> image = forward_x_image(q);
        forward.push_back({index_mask(image.x, n_qubits), index_mask(image.z, n_qubits), image.k});
    }
    return BasisMap(index_mask(basis_state(all), n_qubits), forward);
}

template class Frame<Narrow>;
template class Frame<Wide>;

}  // namespace qloom::lowering
