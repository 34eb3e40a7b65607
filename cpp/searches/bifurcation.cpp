// Simulated bifurcation: tiles of replicas side by side.
#include <algorithm>

#include "machine/arena.hpp"
#include "machine/interrupt.hpp"
#include "machine/threads.hpp"
#include "searches/spin_walk.hpp"

namespace qloom {
namespace {

// The matrix -scale J in single precision: whole rows in panels, or as given.
class Forces {
public:
    Forces(const Couplings& c, float factor) : given(c), panels(is_dense(c) ? (c.n + PANEL_ROWS - 1) / PANEL_ROWS : 0) {
        values.assign(panels ? panels * PANEL_ROWS * c.n : size_t(c.starts[c.n]), 0.0f);
        for (size_t i = 0; i < c.n; ++i)
            for (int64_t k = c.starts[i]; k < c.starts[i + 1]; ++k) {
                const size_t row = i / PANEL_ROWS, part = i % PANEL_ROWS;
                const size_t place = (row * c.n + size_t(c.neighbours[k])) * PANEL_ROWS + part;
                values[panels ? place : size_t(k)] = factor * float(c.values[k]);
            }
    }
    // Rows of a tile's arrays.
    size_t rows() const { return panels ? panels * PANEL_ROWS : given.n; }
    void push(float* y, const float* x) const {
        if (panels)
            search_kernels().add_products(y, values.data(), x, panels, given.n);
        else
            search_kernels().add_sparse_products(y, given.starts, given.neighbours, values.data(), x, given.n);
    }

private:
    const Couplings& given;
    const size_t panels;
    std::vector<float> values;
};

// Replicas first .. first + count - 1, in lanes.
void run_tile(const Couplings& c, const Bifurcation& how, const Forces& forces, const Restarts& restarts, size_t first,
              size_t count) {
    const size_t lanes = TILE_VECTORS * search_kernels().lanes, size = forces.rows() * lanes;
    Scratch scratch;
    float *x = scratch.take<float>(size), *y = scratch.take<float>(size), *p = scratch.take<float>(size);
    float *controls = scratch.take<float>(lanes), *signs = how.discrete ? scratch.take<float>(size) : nullptr;
    std::fill_n(x, size, 0.0f), std::fill_n(y, size, 0.0f), std::fill_n(p, size, 1.0f);
    std::fill_n(controls, lanes, 0.0f);
    std::copy_n(how.controls + first, count, controls);
    for (size_t lane = 0; lane < count; ++lane) {
        Random random(restarts.seeds[first + lane]);
        for (float* at : {x, y})
            for (size_t i = 0; i < c.n; ++i) at[i * lanes + lane] = how.start * (2 * random.uniform() - 1);
    }
    if (signs)
        for (size_t k = 0; k < size; ++k) signs[k] = x[k] < 0 ? -1.0f : 1.0f;
    for (size_t m = 0; m < how.steps && !Watch::late(); ++m) {
        Watch::check((size_t(c.starts[c.n]) + 8 * c.n) * lanes / 4);
        forces.push(y, how.discrete ? signs : x);
        search_kernels().swing(x, y, p, signs, controls, c.n, how.step, 1 / float(how.steps - m));
    }
    for (size_t lane = 0; lane < count; ++lane)
        for (size_t i = 0; i < c.n; ++i) restarts.spins[(first + lane) * c.n + i] = x[i * lanes + lane] < 0 ? -1 : 1;
}

}  // namespace

void bifurcate(const Couplings& c, const Bifurcation& how, const Restarts& restarts, int threads) {
    const Forces forces(c, -how.scale * how.step);
    const size_t lanes = TILE_VECTORS * search_kernels().lanes;
    parallel_for((restarts.count + lanes - 1) / lanes, threads, [&](size_t tile) {
        const size_t first = tile * lanes;
        run_tile(c, how, forces, restarts, first, std::min(lanes, restarts.count - first));
    });
}

}  // namespace qloom
