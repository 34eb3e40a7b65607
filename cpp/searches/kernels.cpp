// Compiled once per instruction set with QLOOM_ISA and QLOOM_VECTOR_BYTES defined.
#include "searches/kernels.hpp"

#include "searches/local_fields.hpp"
#include "searches/oscillators.hpp"

namespace qloom {
namespace {

constexpr SearchKernels TABLE = {
    LANES<float>,       add_row<float>,      add_row<int16_t>,           best_flip<float>,
    best_flip<int16_t>, add_products<float>, add_sparse_products<float>, swing<float>,
};

}  // namespace

#define QLOOM_JOIN_(a, b) a##b
#define QLOOM_JOIN(a, b) QLOOM_JOIN_(a, b)
extern const SearchKernels& QLOOM_JOIN(search_kernels_, QLOOM_ISA);
const SearchKernels& QLOOM_JOIN(search_kernels_, QLOOM_ISA) = TABLE;

}  // namespace qloom
