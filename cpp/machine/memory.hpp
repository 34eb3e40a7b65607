// Memory for states: aligned to a cache line, large blocks to huge pages where the system gives them.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace qloom {

constexpr size_t LINE_BYTES = 64, HUGE_PAGE_BYTES = size_t(1) << 21;

// To be given back by std::free.
inline char* allocate(size_t bytes) {
    const size_t alignment = bytes >= 2 * HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : LINE_BYTES;
    void* out = std::aligned_alloc(alignment, (bytes / alignment + 1) * alignment);
    if (!out) throw std::bad_alloc();
#if defined(__linux__)
    if (alignment == HUGE_PAGE_BYTES) madvise(out, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<char*>(out);
}

// For containers that are read at places far apart.
template <class T>
struct Paged {
    using value_type = T;
    Paged() = default;
    template <class U>
    Paged(const Paged<U>&) {}
    T* allocate(size_t count) { return reinterpret_cast<T*>(qloom::allocate(count * sizeof(T))); }
    void deallocate(T* memory, size_t) { std::free(memory); }
    template <class U>
    bool operator==(const Paged<U>&) const {
        return true;
    }
};

}  // namespace qloom
