// qloom._native. Each folder binds its own.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

void bind_density(nb::module_&);
void bind_gpu(nb::module_&);
void bind_iqp(nb::module_&);
void bind_kernels(nb::module_&);
void bind_lowering(nb::module_&);
void bind_machine(nb::module_&);
void bind_measuring(nb::module_&);
void bind_networks(nb::module_&);
void bind_propagation(nb::module_&);
void bind_statevector(nb::module_&);
void bind_trajectories(nb::module_&);

NB_MODULE(_native, m) {
    nb::set_leak_warnings(false);  // programs cached until the interpreter ends are no leak
    m.doc() = "Native engine: programs of Pauli rotations on batches of state vectors.";
    bind_machine(m);
    bind_kernels(m);
    bind_lowering(m);
    bind_statevector(m);
    bind_gpu(m);
    bind_density(m);
    bind_measuring(m);
    bind_networks(m);
    bind_iqp(m);
    bind_trajectories(m);
    bind_propagation(m);
}
