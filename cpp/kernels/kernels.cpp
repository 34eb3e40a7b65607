// Compiled once per instruction set with QLOOM_ISA and QLOOM_VECTOR_BYTES defined.
#include "kernels/kernels.hpp"

#include "kernels/angles.hpp"
#include "kernels/digits.hpp"
#include "kernels/iqp.hpp"
#include "kernels/measurement.hpp"
#include "kernels/moves.hpp"
#include "kernels/perceptron.hpp"
#include "kernels/phases.hpp"
#include "kernels/turns.hpp"
#include "kernels/walsh.hpp"
#include "kernels/words.hpp"

namespace qloom {
namespace {

static_assert(LANES<float> <= MOST_LANES && LANES<double> <= MOST_LANES);

template <int PARTS, class T>
constexpr CellKernels<T> OF_CELLS = {
    grow<PARTS, T>,        ungrow<PARTS, T>, gather<PARTS, T>,       scatter<PARTS, T>,
    add_weights<PARTS, T>, weigh<PARTS, T>,  measure_word<PARTS, T>, weigh_word<PARTS, T>,
};

template <class T>
constexpr Kernels<T> TABLE = {
    LANES<T>,
    {OF_CELLS<1, T>, OF_CELLS<2, T>},
    cos_sin<T>,
    turn<T>,
    unturn<T>,
    phase<T>,
    unphase<T>,
    scale<T>,
    add_squares<T>,
    exceeds<T>,
    add_lanes<T>,
    product<T>,
    silu<T>,
    bound<T>,
    multiply<T>,
    word_phase<T>,
    add_product<T>,
    sum_product<T>,
    pair_sums<T>,
    add<T>,
    gather_digits<T>,
    scatter_digits<T>,
    gather_lanes<T>,
    scatter_lanes<T>,
    map_digit<T>,
    pull_digit<T>,
    sum_digit<T>,
    map_rows<T>,
    sum_entries<T>,
    walsh<T>,
    find_odd_words,
    turn_pair<T>,
    turn_pair_back<T>,
    turn_pairs<T>,
    turn_pairs_back<T>,
};

}  // namespace

#define QLOOM_JOIN_(a, b) a##b
#define QLOOM_JOIN(a, b) QLOOM_JOIN_(a, b)
extern const Kernels<float>& QLOOM_JOIN(float_kernels_, QLOOM_ISA);
extern const Kernels<double>& QLOOM_JOIN(double_kernels_, QLOOM_ISA);
const Kernels<float>& QLOOM_JOIN(float_kernels_, QLOOM_ISA) = TABLE<float>;
const Kernels<double>& QLOOM_JOIN(double_kernels_, QLOOM_ISA) = TABLE<double>;

}  // namespace qloom
