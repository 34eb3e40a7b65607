// A thread's place in its block. A block works on one sample, or, as one warp, on several.
#pragma once
#include "call.h"
#include "portable.h"
#include "registers.h"

namespace qloom_gpu {

constexpr u32 WARP = 32;
constexpr u32 MOST_THREADS = 256;
// Blocks of so many threads that a multiprocessor has registers for at least.
constexpr u32 LEAST_BLOCKS = sizeof(Held) <= 64 ? 2 : 1;

struct Place {
    u32 count;   // threads of a sample, a power of two
    u32 t;       // this thread among them
    u32 sample;  // of the block's
    u32 samples;
    u32 lanes;        // of this thread's warp
    double* scratch;  // MOST_IN_GROUP numbers a warp

    __device__ Place(u32 thread_bits, double* room) {
        count = 1u << thread_bits, t = threadIdx.x & (count - 1);
        sample = threadIdx.x >> thread_bits, samples = blockDim.x >> thread_bits;
        lanes = blockDim.x < WARP ? (1u << blockDim.x) - 1 : 0xFFFFFFFFu;
        scratch = room;
    }
    __device__ u32 warps() const { return count > WARP ? count / WARP : 1; }
    __device__ u32 warp() const { return count > WARP ? t / WARP : 0; }
    // Whether this thread gives what its warp has summed up for the sample.
    __device__ bool speaks() const { return (t & (WARP - 1)) == 0; }

    __device__ static void sync() {
        if (blockDim.x <= WARP)
            __syncwarp();
        else
            __syncthreads();
    }

    // Over the threads of a sample in one warp; each of them gets it.
    template <class Number>
    __device__ Number warp_sum(Number x) const {
        for (u32 step = (count < WARP ? count : WARP) / 2; step; step /= 2) x += __shfl_xor_sync(lanes, x, step);
        return x;
    }

    // Over all threads of a sample; each of them gets it. In one order, whatever ran first.
    template <class Number, u32 N>
    __device__ void sum(Number (&x)[N]) const {
        for (u32 k = 0; k < N; ++k) x[k] = warp_sum(x[k]);
        if (count <= WARP) return;
        if (speaks())
            for (u32 k = 0; k < N; ++k) scratch[warp() * N + k] = x[k];
        sync();
        for (u32 k = 0; k < N; ++k) {
            x[k] = 0;
            for (u32 w = 0; w < warps(); ++w) x[k] += Number(scratch[w * N + k]);
        }
        sync();
    }
    template <class Number>
    __device__ Number sum(Number x) const {
        Number one[1] = {x};
        sum(one);
        return one[0];
    }
};

// `number` with zeros put in where `pivots` has bits.
template <class Index>
__device__ __forceinline__ Index spread(Index number, Index pivots) {
    for (; pivots; pivots &= pivots - 1) {
        const Index below = (pivots & (~pivots + 1)) - 1;
        number = (number & ~below) << 1 | (number & below);
    }
    return number;
}

// The sum of vectors where `number` has bits.
template <class Index>
__device__ __forceinline__ Index sum_of(const Index* vectors, Index number) {
    Index out = 0;
    for (u32 k = 0; number; ++k, number >>= 1)
        if (number & 1) out ^= vectors[k];
    return out;
}

// 2^bits numbers of one sample in shared memory. Number i stands where no two lanes meet in a bank, for most sweeps:
// the bits that tell banks apart are XORed with those above. Samples of one warp are turned against each other.
template <class Number>
struct InBanks {
    using Index = u32;
    // So many side by side have banks of their own.
    static constexpr u32 BANK_BITS = 7 - (sizeof(Number) == 4 ? 2 : sizeof(Number) == 8 ? 3 : 4);
    Number* numbers;
    u32 size, turned;

    __device__ InBanks(Number* numbers, u32 bits, const Place& place) : numbers(numbers), size(1u << bits) {
        turned = place.sample * place.count & ((1u << BANK_BITS) - 1) & (size - 1);
    }
    // Linear over XOR.
    __device__ static u32 where(u32 i) { return i ^ ((i >> BANK_BITS ^ i >> 2 * BANK_BITS) & ((1u << BANK_BITS) - 1)); }
    __device__ Number& operator[](u32 i) const { return numbers[where(i) ^ turned]; }
};
using Shared = InBanks<Amplitude>;

// The same in global memory.
struct Global {
    using Index = u64;
    Amplitude* amplitudes;
    u64 size;

    __device__ Global(Amplitude* amplitudes, u32 bits) : amplitudes(amplitudes), size(u64(1) << bits) {}
    __device__ Amplitude& operator[](u64 i) const { return amplitudes[i]; }
};

// Arrays of a program.
struct Parts {
    const Program* head;

    __device__ Parts(const Call& call, u64 row)
        : head((const Program*)(call.programs + (call.work ? call.work[row].program : 0))) {}
    template <class A>
    __device__ const A* array(u64 offset) const {
        return (const A*)((const u8*)head + offset);
    }
    __device__ const Rotation* rotations() const { return array<Rotation>(head->rotations); }
    __device__ const Tile* tiles() const { return array<Tile>(head->tiles); }
    __device__ const Stage* stages() const { return array<Stage>(head->stages); }
    __device__ const Sweep* sweeps() const { return array<Sweep>(head->sweeps); }
    __device__ const u32* tables() const { return array<u32>(head->tables); }
    __device__ const Slot* slots() const { return array<Slot>(head->slots); }
    __device__ const Use* uses() const { return array<Use>(head->uses); }
    __device__ const Group* groups() const { return array<Group>(head->groups); }
    __device__ const Term* terms() const { return array<Term>(head->terms); }
    __device__ const Outcomes& outcomes() const { return *array<Outcomes>(head->outcomes); }
    __device__ const Amplitudes& amplitudes() const { return *array<Amplitudes>(head->amplitudes); }
    __device__ const double* initial() const { return array<double>(head->initial); }
};

}  // namespace qloom_gpu
