#include "statevector/draw.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include "machine/interrupt.hpp"

namespace qloom {

// Places are cut into equal cells, about as many as shots. A cell knows the first outcome that ends within or after it,
// so that a search goes over the few outcomes of one cell.
template <class T>
void draw(const T* probabilities, size_t n, const double* places, size_t shots, int64_t* outcomes) {
    std::vector<double> end(n);
    double sum = 0;
    for (size_t i = 0; i < n; ++i) end[i] = sum += double(probabilities[i]);

    // Powers of two: the cell of a place and the edge of a cell are exact.
    const size_t cells = std::bit_ceil(std::clamp<size_t>(shots, 1, n));
    const double width = 1 / double(cells);
    std::vector<uint32_t> first(cells + 1, uint32_t(n - 1));
    for (size_t i = 0, cell = 0; i < n; ++i)
        for (; cell < cells && end[i] > sum * (double(cell) * width); ++cell) first[cell] = uint32_t(i);

    // Places are at random, and so is the memory they lead to: it is asked for a few places ahead.
    constexpr size_t PIECE = 64;
    const uint32_t* cell[PIECE];
    for (size_t from = 0; from < shots; from += PIECE) {
        Watch::check(PIECE);
        const size_t m = std::min(PIECE, shots - from);
        for (size_t s = 0; s < m; ++s) __builtin_prefetch(cell[s] = &first[size_t(places[from + s] * double(cells))]);
        for (size_t s = 0; s < m; ++s) __builtin_prefetch(&end[*cell[s]]);
        for (size_t s = 0; s < m; ++s)
            outcomes[from + s] =
                std::upper_bound(&end[cell[s][0]], &end[cell[s][1]], places[from + s] * sum) - end.data();
    }
}

template void draw(const float*, size_t, const double*, size_t, int64_t*);
template void draw(const double*, size_t, const double*, size_t, int64_t*);

}  // namespace qloom
