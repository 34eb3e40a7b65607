#include "propagation/program.hpp"

#include <algorithm>

namespace qloom::propagation {

void bring_leading_forward(Program& program) {
    std::vector<bool> is_shared(program.n_qubits);
    const auto leads = [&](const Step& step) {
        const Letter* letters = &program.letters[step.first_letter];
        if (step.n_letters == 1 && !is_shared[letters->qubit]) return true;
        for (size_t k = 0; k < step.n_letters; ++k) is_shared[letters[k].qubit] = true;
        return false;
    };
    std::vector<Step> leading, others;
    for (const Step& step : program.steps) (leads(step) ? leading : others).push_back(step);
    program.n_leading = leading.size();
    program.steps = std::move(leading);
    program.steps.insert(program.steps.end(), others.begin(), others.end());
}

}  // namespace qloom::propagation
