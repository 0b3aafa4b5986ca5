// Whole-number dot products: some rows of activations with a part of a tile of weights.
//
// A tile holds 64 outputs of a linear layer in four panels of 16, one after the other: for each four
// inputs in turn, four weights of each output, (4, depth / 4, 16, 4). They are -127..127, and the
// first two of four are 128 together at the most, and the last two, whatever their signs. Activations
// are -127..127 kept with kExcess added, and a sum has kExcess times the sum of its weights too much;
// without that, all ways below give the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lanes.h"

namespace likeness {

constexpr int kOutputs = 64;  // of a tile
constexpr int kPanel = 16;    // outputs

// How many rows and outputs go through at once: as many as the registers hold sums of. Outputs come
// in sixteens.
struct Block {
    int rows, outputs;
};

// Up to kWorthAsking rows, a tile is asked of the memory while a thread works on the one before it.
// With more, a tile takes far longer to compute with than to read, and its thread, which would take
// the next one early, more often keeps the others waiting at the end.

// What follows for every kind of processor: its vectors, and the blocks that suit it.
#if defined(__AVX512VNNI__)

constexpr int kExcess = 128;
constexpr Block kFew = {6, 64};    // reads each weight once, in the order of memory
constexpr Block kMany = {12, 32};  // half a tile stays in the first cache
constexpr int kWorthAsking = 0;

struct Vector {
    static constexpr int kOutputs = 16;
    __m512i lanes;

    static Vector zero() { return {_mm512_setzero_si512()}; }
    static Vector load(const int8_t* from) { return {_mm512_loadu_si512(from)}; }
    static Vector repeat(int32_t four) { return {_mm512_set1_epi32(four)}; }
    void store(int32_t* to) const { _mm512_storeu_si512(to, lanes); }
    void add(Vector activations, Vector weights) {
        lanes = _mm512_dpbusd_epi32(lanes, activations.lanes, weights.lanes);
    }
};

#elif defined(__AVX2__)

constexpr Block kFew = {1, 64};
constexpr Block kMany = {4, 16};
constexpr int kWorthAsking = 64;
constexpr int kExcess = 128;

struct Vector {
    static constexpr int kOutputs = 8;
    __m256i lanes;

    static Vector zero() { return {_mm256_setzero_si256()}; }
    static Vector load(const int8_t* from) { return {_mm256_loadu_si256((const __m256i*)from)}; }
    static Vector repeat(int32_t four) { return {_mm256_set1_epi32(four)}; }
    void store(int32_t* to) const { _mm256_storeu_si256((__m256i*)to, lanes); }
    void add(Vector activations, Vector weights) {
#if defined(__AVXVNNI__)
        lanes = _mm256_dpbusd_avx_epi32(lanes, activations.lanes, weights.lanes);
#else
        // Two products of neighbours stay within 16 bits: their weights are that small (pack.py).
        const __m256i pairs = _mm256_maddubs_epi16(activations.lanes, weights.lanes);
        lanes = _mm256_add_epi32(lanes, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
    }
};

#else

constexpr int kExcess = 0;
constexpr Block kFew = {2, 16};
constexpr Block kMany = kFew;
constexpr int kWorthAsking = 0;

// By the compiler's own vectors: of sixteen bytes, which nearly every processor has.
struct Vector {
    static constexpr int kOutputs = 2;
    typedef int8_t Bytes __attribute__((vector_size(8)));
    typedef int16_t Shorts __attribute__((vector_size(16)));
    typedef int32_t Longs __attribute__((vector_size(16)));
    Shorts lanes;  // of sums: two longs for each output

    static Vector zero() { return {Shorts{}}; }
    static Vector load(const int8_t* from) {
        Bytes bytes;
        std::memcpy(&bytes, from, sizeof bytes);
        return {__builtin_convertvector(bytes, Shorts)};
    }
    static Vector repeat(int32_t four) {
        Bytes bytes;
        for (int i = 0; i < 2; ++i) std::memcpy((char*)&bytes + 4 * i, &four, sizeof four);
        return {__builtin_convertvector(bytes, Shorts)};
    }
    void store(int32_t* to) const {
        const Longs sums = (Longs)lanes;
        for (int i = 0; i < kOutputs; ++i) to[i] = sums[2 * i] + sums[2 * i + 1];
    }
    void add(Vector activations, Vector weights) {
        const Longs pairs = (Longs)(activations.lanes * weights.lanes);
        lanes = (Shorts)((Longs)lanes + (pairs << 16 >> 16) + (pairs >> 16));
    }
};

#endif

// Weights that are wanted soon: asked of the memory a little at a time, while others are computed with.
struct Ahead {
    static constexpr int kLine = 64;
    static constexpr size_t kStep = 64;  // inputs between two askings
    const int8_t *from, *end;
    int lines;  // to ask for at once

    void ask() {
        for (int i = 0; i < lines && from < end; ++i, from += kLine) __builtin_prefetch(from, 0, 2);
    }
};

// The sums (R, N) of R rows with N outputs, which begin with the panel at `part`.
template <int R, int N>
void dots(
    const uint8_t* rows, size_t stride, const int8_t* part, size_t depth, int32_t* sums,
    Ahead& ahead) {
    constexpr int kVectors = N / Vector::kOutputs;
    constexpr int kInPanel = kPanel / Vector::kOutputs;
    Vector total[R][kVectors];
    UNROLL
    for (int r = 0; r < R; ++r)
        UNROLL
        for (int j = 0; j < kVectors; ++j) total[r][j] = Vector::zero();
    for (size_t step = 0; step < depth; step += Ahead::kStep) {
        ahead.ask();
        for (size_t k = step; k < step + Ahead::kStep; k += 4, part += 4 * kPanel) {
            Vector weights[kVectors];
            UNROLL
            for (int j = 0; j < kVectors; ++j)
                weights[j] = Vector::load(
                    part + j / kInPanel * kPanel * depth + j % kInPanel * 4 * Vector::kOutputs);
            UNROLL
            for (int r = 0; r < R; ++r) {
                int32_t four;
                std::memcpy(&four, rows + r * stride + k, sizeof four);
                const Vector activations = Vector::repeat(four);
                UNROLL
                for (int j = 0; j < kVectors; ++j) total[r][j].add(activations, weights[j]);
            }
        }
    }
    UNROLL
    for (int r = 0; r < R; ++r)
        UNROLL
        for (int j = 0; j < kVectors; ++j) total[r][j].store(sums + r * N + j * Vector::kOutputs);
}

// The same for a number of rows that is known only now, up to R.
template <int R, int N>
void dots_upto(
    int some, const uint8_t* rows, size_t stride, const int8_t* part, size_t depth, int32_t* sums,
    Ahead& ahead) {
    if (some == R) return dots<R, N>(rows, stride, part, depth, sums, ahead);
    if constexpr (R > 1) dots_upto<R - 1, N>(some, rows, stride, part, depth, sums, ahead);
}

}  // namespace likeness
