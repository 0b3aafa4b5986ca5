// Whole-number dot products: some rows of activations with a tile of weights.
//
// A tile holds 64 outputs of a linear layer, for each four inputs in turn four weights of each
// output: (depth / 4, 64, 4), -127..127. Activations are -127..127 kept with 128 added, and a sum
// has kExcess times the sum of its weights too much; without that, all ways below give the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace likeness {

constexpr int kOutputs = 64;  // of a tile
constexpr int kRows = 6;      // at once, at the most

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
constexpr int kExcess = 128;
#else
constexpr int kExcess = 0;
#endif

#if defined(__AVX512VNNI__)

template <int R>
void dots(const uint8_t* rows, size_t stride, const int8_t* tile, size_t depth, int32_t* sums) {
    __m512i total[R][4];
    for (auto& row : total)
        for (auto& part : row) part = _mm512_setzero_si512();
    for (size_t k = 0; k < depth; k += 4, tile += 4 * kOutputs) {
        __m512i weights[4];
        for (int j = 0; j < 4; ++j) weights[j] = _mm512_loadu_si512(tile + 64 * j);
        for (int r = 0; r < R; ++r) {
            int32_t four;
            std::memcpy(&four, rows + r * stride + k, sizeof four);
            for (int j = 0; j < 4; ++j)
                total[r][j] =
                    _mm512_dpbusd_epi32(total[r][j], _mm512_set1_epi32(four), weights[j]);
        }
    }
    for (int r = 0; r < R; ++r)
        for (int j = 0; j < 4; ++j)
            _mm512_storeu_si512(sums + r * kOutputs + 16 * j, total[r][j]);
}

#elif defined(__AVX2__)

// Adds four products for each of eight outputs.
inline __m256i add_products(__m256i sums, __m256i activations, __m256i weights) {
#if defined(__AVXVNNI__)
    return _mm256_dpbusd_avx_epi32(sums, activations, weights);
#else
    // Unsigned times signed would pass 16 bits; the sign of a weight goes to its activation.
    const __m256i offset = _mm256_set1_epi8(-128);
    __m256i centred = _mm256_sign_epi8(_mm256_xor_si256(activations, offset), weights);
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(weights), centred);
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
}

template <int R>
void dots(const uint8_t* rows, size_t stride, const int8_t* tile, size_t depth, int32_t* sums) {
    for (int first = 0; first < kOutputs; first += 8) {
        const int8_t* part = tile + 4 * first;
        __m256i total[R];
        for (auto& row : total) row = _mm256_setzero_si256();
        for (size_t k = 0; k < depth; k += 4) {
            __m256i weights = _mm256_loadu_si256((const __m256i*)(part + k * kOutputs));
            for (int r = 0; r < R; ++r) {
                int32_t four;
                std::memcpy(&four, rows + r * stride + k, sizeof four);
                total[r] = add_products(total[r], _mm256_set1_epi32(four), weights);
            }
        }
        for (int r = 0; r < R; ++r)
            _mm256_storeu_si256((__m256i*)(sums + r * kOutputs + first), total[r]);
    }
}

#else

template <int R>
void dots(const uint8_t* rows, size_t stride, const int8_t* tile, size_t depth, int32_t* sums) {
    std::memset(sums, 0, sizeof(int32_t) * R * kOutputs);
    for (size_t k = 0; k < depth; k += 4, tile += 4 * kOutputs)
        for (int r = 0; r < R; ++r)
            for (int n = 0; n < kOutputs; ++n)
                for (int i = 0; i < 4; ++i)
                    sums[r * kOutputs + n] += (rows[r * stride + k + i] - 128) * tile[4 * n + i];
}

#endif

}  // namespace likeness
