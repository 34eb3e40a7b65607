#include "density/program.hpp"

#include <algorithm>
#include <stdexcept>

namespace qloom::density {
namespace {

// Largest block: places in it are numbers of 16 bits.
constexpr size_t MOST_DIGITS_OF_BLOCK = 8;

void check(bool fits, const char* what) {
    if (!fits) throw std::invalid_argument(what);
}

// The number of a block's cell whose digits at `places` (0 is the most significant of `width`) are those of `number`.
size_t placed(size_t number, const std::vector<unsigned>& places, unsigned width) {
    size_t out = 0;
    for (size_t k = places.size(); k-- > 0; number >>= 2) out |= (number & 3) << 2 * (width - 1 - places[k]);
    return out;
}

// Of digits that ascend, lowest bit first.
std::vector<unsigned> bits_of(const std::vector<unsigned>& digits, unsigned n) {
    std::vector<unsigned> out;
    for (size_t k = digits.size(); k-- > 0;)
        for (unsigned half : {0, 1}) out.push_back(2 * (n - 1 - digits[k]) + half);
    return out;
}

std::vector<unsigned> others(const std::vector<unsigned>& places, unsigned width) {
    std::vector<unsigned> out;
    for (unsigned d = 0; d < width; ++d)
        if (std::find(places.begin(), places.end(), d) == places.end()) out.push_back(d);
    return out;
}

// Entries in the order of rows, which come in any.
Rows by_rows(const std::vector<uint16_t>& rows, const std::vector<uint16_t>& columns, size_t n_rows,
             const std::vector<unsigned>& places, unsigned width) {
    Rows out;
    out.starts.assign(n_rows + 1, 0);
    for (uint16_t row : rows) ++out.starts[row + 1u];
    for (size_t r = 0; r < n_rows; ++r) {
        out.places.push_back(uint16_t(placed(r, places, width)));
        out.starts[r + 1] += out.starts[r];
    }
    out.columns.resize(rows.size()), out.entries.resize(rows.size());
    std::vector<uint32_t> next(out.starts.begin(), out.starts.end() - 1);
    for (size_t e = 0; e < rows.size(); ++e) {
        const uint32_t at = next[rows[e]]++;
        out.entries[at] = uint32_t(e);
        out.columns[at] = uint16_t(placed(columns[e], places, width));
    }
    return out;
}

Map make_map(const Listing& list, size_t m, const std::vector<unsigned>& digits, unsigned width) {
    Map map;
    const size_t first = size_t(list.entry_starts[m]), count = size_t(list.entry_starts[m + 1]) - first;
    const std::vector<unsigned> rest = others(digits, width);
    for (size_t g = 0; g < size_t(1) << 2 * rest.size(); ++g) map.groups.push_back(uint16_t(placed(g, rest, width)));
    map.stride = size_t(1) << 2 * (width - 1 - digits.back());
    map.is_dense = count == 0;
    map.n_values = map.is_dense ? 12 : count;
    if (map.is_dense) {
        check(digits.size() == 1, "a dense map has other than one digit");
        return map;
    }
    const size_t n_rows = size_t(1) << 2 * digits.size();
    const std::vector<uint16_t> rows(list.rows + first, list.rows + first + count),
        columns(list.columns + first, list.columns + first + count);
    for (size_t e = 0; e < count; ++e) check(rows[e] < n_rows && columns[e] < n_rows, "an entry is outside its map");
    map.rows = by_rows(rows, columns, n_rows, digits, width);
    map.transposed = by_rows(columns, rows, n_rows, digits, width);
    for (size_t e = 0; e < count; ++e) {
        if (!list.varying[first + e]) continue;
        map.varying.push_back(uint32_t(e));
        map.varying_rows.push_back(uint16_t(placed(rows[e], digits, width)));
        map.varying_columns.push_back(uint16_t(placed(columns[e], digits, width)));
    }
    return map;
}

}  // namespace

Program::Program(unsigned n, const Listing& list) : n_digits(n), cells(list.cells, list.cells + list.n_cells) {
    for (size_t cell : cells) check(cell < size(), "a cell is outside");
    for (size_t s = 0; s < list.n_sweeps; ++s) {
        const size_t first = size_t(list.sweep_starts[s]), end = size_t(list.sweep_starts[s + 1]);
        check(first < end && end <= list.n_maps, "a sweep has no maps");
        std::vector<unsigned> of_sweep(list.digits + list.digit_starts[first], list.digits + list.digit_starts[end]);
        std::sort(of_sweep.begin(), of_sweep.end());
        of_sweep.erase(std::unique(of_sweep.begin(), of_sweep.end()), of_sweep.end());
        const unsigned width = unsigned(of_sweep.size());
        check(width > 0 && of_sweep.back() < n && width <= MOST_DIGITS_OF_BLOCK, "the digits of a sweep do not fit");
        widest = std::max(widest, width);
        Sweep sweep;
        sweep.first = first, sweep.end = end, sweep.first_value = n_values;
        sweep.bits = bits_of(of_sweep, n), sweep.free_bits = bits_of(others(of_sweep, n), n);
        for (size_t m = first; m < end; ++m) {
            std::vector<unsigned> places;
            for (int64_t d = list.digit_starts[m]; d < list.digit_starts[m + 1]; ++d)
                places.push_back(
                    unsigned(std::find(of_sweep.begin(), of_sweep.end(), list.digits[d]) - of_sweep.begin()));
            check(!places.empty(), "a map has no digits");
            maps.push_back(make_map(list, m, places, width));
            maps.back().first = n_values;
            n_values += maps.back().n_values;
        }
        sweep.end_value = n_values;
        sweeps.push_back(std::move(sweep));
    }
}

}  // namespace qloom::density
