// Sums of numbers over processes of one machine, through a file that all of them have mapped.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace qloom {

// Each process has a counter of sums that it has brought its numbers to, and two places for numbers, used in turn: when
// all have come to a sum, all have read what was there for the last but one. Numbers are added in the order of the
// processes, so that all have the same bits.
class SharedSums {
public:
    // Numbers that a process brings at once.
    static constexpr size_t PIECE = size_t(1) << 16;
    static size_t bytes(size_t count);

    // A file of so many bytes, zeros at first.
    SharedSums(const std::string& path, size_t rank, size_t count);
    ~SharedSums();
    SharedSums(const SharedSums&) = delete;
    SharedSums& operator=(const SharedSums&) = delete;

    void bring(const float* numbers, size_t n);
    // Whether all have brought theirs, after so long a time at most.
    bool wait(std::chrono::milliseconds time);
    // Throws where a process has ended that others may wait for.
    void check_all_live() const;
    void take(float* numbers, size_t n) const;

private:
    struct Counter;
    Counter& counter(size_t of) const;
    float* place(size_t of) const;

    const size_t rank, count;
    char* memory = nullptr;
    uint32_t sums = 0;
};

}  // namespace qloom
