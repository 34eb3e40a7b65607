// What is known of the state at every place of a circuit: Pauli words that it is symmetric under. |0..0> is symmetric
// under each Z. A word that anticommutes with one of them has value 0 there, and is not walked on with.
#pragma once
#include "propagation/program.hpp"

namespace qloom::propagation {

// Fills what the program says of symmetries.
void find_symmetries(Program& program);

}  // namespace qloom::propagation
