// A Clifford operator that permutes basis states with phases, as a map of their indices.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qloom::lowering {

// C |i> = i^quarter |target>, as tables over the low and the high half of an index's bits.
class BasisMap {
public:
    struct Image {
        uint64_t target;
        unsigned quarter;
    };
    struct Word {  // i^k X^x Z^z, bit b of the masks for bit b of an index
        uint64_t x, z;
        unsigned k;
    };

    // From C |0> = |start> and C X_b C^dagger for every bit b of an index.
    BasisMap(uint64_t start, const std::vector<Word>& forward_x_images);

    Image operator()(uint64_t index) const {
        const Image& image = low[index & (low.size() - 1)];
        const Word& word = high[index >> low_bits];
        const unsigned sign = 2 * __builtin_parityll(image.target & word.z);
        return {image.target ^ word.x, (image.quarter + word.k + sign) & 3};
    }

private:
    size_t low_bits;
    std::vector<Image> low;  // images of the basis states whose high bits are 0
    std::vector<Word> high;  // C X^h C^dagger takes them on to high bits h
};

}  // namespace qloom::lowering
