// Vectors of the instruction set at hand, and the cells of a state. QLOOM_VECTOR_BYTES is given to the compiler.
// Nothing of the standard library is used in kernels: its inline functions, compiled for a newer processor, could
// replace those of the other files.
#pragma once
#include <cstddef>
#include <cstdint>

// Small functions take vectors by reference into arrays in registers: a call that is not inlined spills them all.
#define QLOOM_INLINE inline __attribute__((always_inline))

namespace qloom {
namespace {

template <class T>
struct VectorOf {
    typedef T type __attribute__((vector_size(QLOOM_VECTOR_BYTES)));
};
template <class T>
using Vec = typename VectorOf<T>::type;
template <class T>
constexpr int LANES = QLOOM_VECTOR_BYTES / sizeof(T);
constexpr uint32_t CELL_BYTES = 2 * QLOOM_VECTOR_BYTES;

QLOOM_INLINE unsigned parity(uint64_t bits) { return __builtin_parityll(bits); }

template <class T>
QLOOM_INLINE Vec<T> broadcast(T value) {
    return value - Vec<T>{};
}
template <class T>
QLOOM_INLINE const Vec<T>& vector(const T* at) {
    return *reinterpret_cast<const Vec<T>*>(at);
}
template <class T>
QLOOM_INLINE Vec<T>& vector(T* at) {
    return *reinterpret_cast<Vec<T>*>(at);
}

// The parts of a cell of a state: real, or real and imaginary.
template <int PARTS, class T>
QLOOM_INLINE const Vec<T>* parts_of(const T* state, size_t cell) {
    return reinterpret_cast<const Vec<T>*>(state) + cell * PARTS;
}
template <int PARTS, class T>
QLOOM_INLINE Vec<T>* parts_of(T* state, size_t cell) {
    return reinterpret_cast<Vec<T>*>(state) + cell * PARTS;
}

// A cell in registers: stores to one cell then do not make the others be read again.
template <int PARTS, class T>
struct Parts {
    Vec<T> at[PARTS];
    QLOOM_INLINE Vec<T>& operator[](int part) { return at[part]; }
    QLOOM_INLINE const Vec<T>& operator[](int part) const { return at[part]; }
};
template <int PARTS, class T>
QLOOM_INLINE Parts<PARTS, T> read_parts(const T* state, size_t cell) {
    const Vec<T>* from = parts_of<PARTS>(state, cell);
    if constexpr (PARTS == 1)
        return {{from[0]}};
    else
        return {{from[0], from[1]}};
}
template <int PARTS, class T>
QLOOM_INLINE void write_parts(T* state, size_t cell, const Parts<PARTS, T>& parts) {
    for (int p = 0; p < PARTS; ++p) parts_of<PARTS>(state, cell)[p] = parts[p];
}

// A cell of two parts.
template <class T>
struct Cell {
    Vec<T> re, im;
};
template <class T>
QLOOM_INLINE Cell<T>& cell(T* state, size_t bytes) {
    return *reinterpret_cast<Cell<T>*>(reinterpret_cast<char*>(state) + bytes);
}
template <class T>
QLOOM_INLINE const Cell<T>& cell(const T* state, size_t bytes) {
    return *reinterpret_cast<const Cell<T>*>(reinterpret_cast<const char*>(state) + bytes);
}
// A cell in two registers: copied whole it would go through memory in smaller pieces.
template <class T>
QLOOM_INLINE Cell<T> load(const T* state, size_t bytes) {
    const Cell<T>& from = cell(state, bytes);
    return {from.re, from.im};
}
template <class T>
QLOOM_INLINE void store(T* state, size_t bytes, Vec<T> re, Vec<T> im) {
    Cell<T>& to = cell(state, bytes);
    to.re = re;
    to.im = im;
}

// Lanes exchanged with lane ^ flip.
template <class T>
class LaneFlip {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    template <class U, size_t BYTES>
    struct IndexOf {
        typedef int32_t type __attribute__((vector_size(QLOOM_VECTOR_BYTES)));
    };
    template <class U>
    struct IndexOf<U, 8> {
        typedef int64_t type __attribute__((vector_size(QLOOM_VECTOR_BYTES)));
    };
    using Index = typename IndexOf<T, sizeof(T)>::type;
    Index from;

public:
    explicit LaneFlip(uint32_t flip = 0) {
        Index lanes{};
        for (int lane = 0; lane < LANES<T>; ++lane) lanes[lane] = lane;
        from = lanes ^ flip;
    }
    Vec<T> operator()(Vec<T> v) const {
#if defined(__GNUC__) && !defined(__clang__)
        return __builtin_shuffle(v, from);
#else
        Vec<T> out;
        for (int lane = 0; lane < LANES<T>; ++lane) out[lane] = v[from[lane]];
        return out;
#endif
    }
};

}  // namespace
}  // namespace qloom
