#include "iqp/words.hpp"
#include "kernels/kernels.hpp"
#include "machine/interrupt.hpp"
#include "machine/threads.hpp"

namespace qloom {

template <class T>
void walsh(T* values, size_t rows, size_t size, int threads) {
    parallel_for(rows, threads, [&](size_t row) {
        Watch::check(size);
        kernels<T>().walsh(values + row * size, size, 1);
    });
}

template void walsh(float*, size_t, size_t, int);
template void walsh(double*, size_t, size_t, int);

}  // namespace qloom
