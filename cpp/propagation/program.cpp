#include "propagation/program.hpp"

namespace qloom::propagation {

void bring_leading_forward(Program& program) {
    std::vector<bool> is_shared(program.n_qubits);
    const auto leads = [&](const Step& step) {
        const Letter* letters = &program.letters[step.first_letter];
        if (step.n_letters == 1 && !is_shared[letters->qubit]) return true;
        for (size_t k = 0; k < step.n_letters; ++k) is_shared[letters[k].qubit] = true;
        return false;
    };
    std::vector<std::vector<Step>> leading(program.n_qubits);
    std::vector<Step> others;
    for (const Step& step : program.steps)
        (leads(step) ? leading[program.letters[step.first_letter].qubit] : others).push_back(step);
    program.steps.clear(), program.first_leading = {0};
    for (const std::vector<Step>& of_qubit : leading) {
        program.steps.insert(program.steps.end(), of_qubit.begin(), of_qubit.end());
        program.first_leading.push_back(program.steps.size());
    }
    program.n_leading = program.steps.size();
    program.steps.insert(program.steps.end(), others.begin(), others.end());
}

}  // namespace qloom::propagation
