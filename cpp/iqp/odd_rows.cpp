#include <bit>

#include "iqp/words.hpp"
#include "machine/interrupt.hpp"
#include "machine/threads.hpp"

namespace qloom {

void odd_rows(const Supports& words, const uint64_t* columns, size_t width, int64_t* odd, int threads) {
    parallel_for(words.count, threads, [&](size_t a) {
        Watch::check(words.size(a) * width);
        constexpr size_t PIECE = 64;
        int64_t sum = 0;
        for (size_t from = 0; from < width; from += PIECE) {
            uint64_t parity[PIECE] = {};
            const size_t count = width - from < PIECE ? width - from : PIECE;
            for (size_t k = 0; k < words.size(a); ++k) {
                const uint64_t* column = columns + size_t(words.of(a)[k]) * width + from;
                for (size_t i = 0; i < count; ++i) parity[i] ^= column[i];
            }
            for (size_t i = 0; i < count; ++i) sum += std::popcount(parity[i]);
        }
        odd[a] = sum;
    });
}

}  // namespace qloom
