// Rotations that turn the other way in some samples: tangents change their sign, tables of shared phases are made anew
// for the samples that flip some of their rotations and not all alike.
#include <algorithm>
#include <bit>

#include "statevector/tile.hpp"

namespace qloom {
namespace {

// out[i][lane] = values[i].
template <class T>
void spread(const T* values, size_t count, size_t lanes, T* out) {
    for (size_t i = 0; i < count; ++i, out += lanes) {
        const T value = values[i];
        for (size_t lane = 0; lane < lanes; lane += 4)
            out[lane] = out[lane + 1] = out[lane + 2] = out[lane + 3] = value;
    }
}

}  // namespace

template <class T>
void Tile<T>::find_flips() {
    for (size_t w = 0; w < batch.n_flips; ++w)
        for (uint64_t left = flipped[w]; left; left &= left - 1) {
            const size_t r = 64 * w + size_t(__builtin_ctzll(left));
            if (angles.is_shared(r)) turn[r] = angles.shared_turn(r);
        }
    std::copy_n(flips_of(0), batch.n_flips, flipped);
    for (size_t lane = 1; lane < used; ++lane)
        for (size_t w = 0; w < batch.n_flips; ++w) flipped[w] |= flips_of(lane)[w];
    flip_turns();
    for (size_t k = 0; k < schedule.tables.size(); ++k) own_table[k] = any_flipped(schedule.tables[k], flipped);
    // The tables of a step are read alike.
    for (const Step& step : schedule.steps) {
        bool any = false;
        for (int k = 0; k < step.tables; ++k) any |= own_table[step.rotations[k]];
        for (int k = 0; k < step.tables; ++k) own_table[step.rotations[k]] = any;
    }
    for (size_t k = 0; k < schedule.tables.size(); ++k) {
        if (!own_table[k]) continue;
        flip_table(k);
        for (size_t range = 0; own_sums && range < ranges; ++range)
            std::fill_n(own_sums + (range * angles.n_sums + angles.start(k)) * lanes, schedule.tables[k].size() * lanes,
                        T(0));
    }
}

template <class T>
bool Tile<T>::any_flipped(const Forms& forms, const uint64_t* flips) const {
    return std::any_of(forms.members.begin(), forms.members.end(), [&](uint32_t r) { return is_flipped(flips, r); });
}

template <class T>
void Tile<T>::flip_turns() {
    for (size_t w = 0; w < batch.n_flips; ++w)
        for (uint64_t left = flipped[w]; left; left &= left - 1) {
            const size_t r = 64 * w + size_t(__builtin_ctzll(left));
            T* own = own_turns + r * turn_size(lanes);
            if (angles.is_shared(r)) std::copy_n(angles.shared_turn(r), turn_size(lanes), own);
            for (size_t lane = 0; lane < (schedule.lane_bits ? lanes : used); ++lane)
                if (is_flipped(flips_of(lane), r)) own[lane] = -own[lane], own[lanes + lane] = -own[lanes + lane];
            turn[r] = own;
        }
}

// Where all flips are those of one word behind the table, its entries are the shared ones at index ^ shift.
template <class T>
std::optional<uint32_t> Tile<T>::shift_of(const Forms& forms, const uint64_t* flips) const {
    uint32_t shift = 0;
    for (size_t m = 0; m < forms.members.size(); ++m)
        if (const Mask c = forms.coordinates[m]; std::has_single_bit(c))
            shift = (shift & ~uint32_t(c)) | (is_flipped(flips, forms.members[m]) ? uint32_t(c) : 0);
    for (size_t m = 0; m < forms.members.size(); ++m)
        if (parity(shift & forms.coordinates[m]) != unsigned(is_flipped(flips, forms.members[m]))) return std::nullopt;
    return shift;
}

template <class T>
void Tile<T>::flip_table(size_t k) {
    const Forms& forms = schedule.tables[k];
    T* out = own_tables + 2 * angles.start(k) * lanes;
    if (schedule.lane_bits) return angles.fill_table(forms, flips_of(0), out);
    Scratch inner;
    const size_t size = forms.size();
    const T* shared = angles.table_of(k);
    spread(shared, 2 * size, lanes, out);
    T* one = inner.take<T>(2 * size);
    for (size_t lane = 0; lane < used; ++lane) {
        if (!any_flipped(forms, flips_of(lane))) continue;
        const std::optional<uint32_t> shift = shift_of(forms, flips_of(lane));
        if (!shift) angles.fill_table(forms, flips_of(lane), one);
        for (size_t i = 0; i < size; ++i) {
            const T* entry = shift ? shared + 2 * (i ^ *shift) : one + 2 * i;
            out[2 * i * lanes + lane] = entry[0], out[(2 * i + 1) * lanes + lane] = entry[1];
        }
    }
}

// What the tile's own tables have summed up goes to the entries of the shared ones, or becomes slopes of the rotations
// that made them.
template <class T>
void Tile<T>::give_flipped_sums() {
    Scratch inner;
    T* one = inner.take<T>(angles.n_sums);
    for (size_t k = 0; k < schedule.tables.size(); ++k) {
        if (!own_table[k]) continue;
        const Forms& forms = schedule.tables[k];
        const size_t size = forms.size(), start = angles.start(k) * lanes;
        T *own = own_sums + start, *shared = table_sums + start;
        if (schedule.lane_bits) {
            give_flipped_sums(k, 0, nullptr);
            continue;
        }
        for (size_t lane = 0; lane < used; ++lane) {
            if (!any_flipped(forms, flips_of(lane))) continue;
            for (size_t i = 0; i < size; ++i) one[i] = own[i * lanes + lane], own[i * lanes + lane] = 0;
            const std::optional<uint32_t> shift = shift_of(forms, flips_of(lane));
            if (!shift) give_flipped_sums(k, lane, one);
            for (size_t i = 0; shift && i < size; ++i) shared[(i ^ *shift) * lanes + lane] += one[i];
        }
        for (size_t i = 0; i < size * lanes; i += 4)
            for (size_t j = i; j < i + 4; ++j) shared[j] += own[j];
    }
}

// Those of one sample: `one` by entry where lanes are samples.
template <class T>
void Tile<T>::give_flipped_sums(size_t k, size_t sample, const T* one) {
    const Forms& forms = schedule.tables[k];
    Scratch inner;
    double* sums = inner.take<double>(forms.size());
    std::fill_n(sums, forms.size(), 0.0);
    if (one) {
        std::copy_n(one, forms.size(), sums);
    } else {
        for (size_t range = 0; range < ranges; ++range)
            for (size_t lane = 0; lane < lanes; ++lane) {
                const T* own = own_sums + (range * angles.n_sums + angles.start(k)) * lanes;
                const size_t shift = schedule.lane_index(forms, lane);
                for (size_t i = 0; i < forms.size(); ++i) sums[i ^ shift] += own[i * lanes + lane];
            }
    }
    kernels<double>().walsh(sums, forms.size(), 1);
    const uint64_t* flips = flips_of(sample);
    for (size_t m = 0; m < forms.members.size(); ++m) {
        const size_t r = forms.members[m];
        slopes[r * lanes] += (is_flipped(flips, r) ? -1 : 1) * sums[forms.coordinates[m]];
    }
}

template class Tile<float>;
template class Tile<double>;

}  // namespace qloom
