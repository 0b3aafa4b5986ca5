// Some floats at a time on any processor, by the vector extension of GCC and Clang: as many as fill
// a register, since GCC keeps wider vectors in memory.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// For loops over registers: unrolled late, those would go through memory (with -O3 of GCC 12, too).
#define UNROLL _Pragma("GCC unroll 16")

namespace likeness {

#if defined(__AVX512F__)
constexpr int kLanes = 16, kRegisters = 32;
#elif defined(__AVX2__)
constexpr int kLanes = 8, kRegisters = 16;
#else
constexpr int kLanes = 4, kRegisters = 16;
#endif

typedef float Lanes __attribute__((vector_size(4 * kLanes)));
typedef int32_t Integers __attribute__((vector_size(4 * kLanes)));

// What keys and values are kept in: halves where the processor converts them, else floats.
#if defined(__AVX2__) && defined(__F16C__)
typedef uint16_t Stored;
#else
typedef float Stored;
#endif

inline Lanes load(const float* from) {
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

inline void store(float* to, Lanes lanes) { std::memcpy(to, &lanes, sizeof lanes); }

inline Lanes fill(float x) { return x - Lanes{}; }

inline Lanes larger(Lanes a, Lanes b) { return a > b ? a : b; }

inline Lanes smaller(Lanes a, Lanes b) { return a < b ? a : b; }

// The sum of all lanes, always in the same order.
inline float total(Lanes lanes) {
    float parts[kLanes];
    store(parts, lanes);
    for (int half = kLanes / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) parts[i] += parts[i + half];
    return parts[0];
}

inline float largest(Lanes lanes) {
    float parts[kLanes];
    store(parts, lanes);
    for (int i = 1; i < kLanes; ++i) parts[0] = parts[i] > parts[0] ? parts[i] : parts[0];
    return parts[0];
}

// Adding and subtracting this rounds a float below 2^22 to the nearest whole number, ties to even;
// in between, its lowest bits hold that number.
constexpr float kRounder = 12582912.0f;
constexpr int32_t kRounderBits = 0x4B400000;

inline Lanes round_to_whole(Lanes x) { return (x + kRounder) - kRounder; }

// e^x, with a relative error of about 1e-7; x is taken between -87 and 88.
// Source: the polynomial of Cephes' expf.
inline Lanes exponential(Lanes x) {
    x = smaller(larger(x, fill(-87.0f)), fill(88.0f));
    Lanes shifted = x * 1.44269504088896341f + kRounder;
    Lanes whole = shifted - kRounder;
    Lanes r = x - whole * 0.693359375f;
    r = r - whole * -2.12194440e-4f;
    Lanes sum = fill(1.9875691500e-4f);
    sum = sum * r + 1.3981999507e-3f;
    sum = sum * r + 8.3334519073e-3f;
    sum = sum * r + 4.1665795894e-2f;
    sum = sum * r + 1.6666665459e-1f;
    sum = sum * r + 5.0000001201e-1f;
    sum = sum * (r * r) + (r + 1.0f);
    Integers exponent = ((Integers)shifted - kRounderBits + 127) << 23;
    return sum * (Lanes)exponent;
}

// The lowest byte of each.
inline void store_bytes(uint8_t* to, Integers lanes) {
#if defined(__AVX2__) && !defined(__AVX512F__)
    const __m256i order = _mm256_setr_epi8(
        0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12, -1, -1, -1, -1, -1,
        -1, -1, -1, -1, -1, -1, -1);
    const __m256i halves = _mm256_shuffle_epi8((__m256i)lanes, order);
    const __m128i bytes = _mm_unpacklo_epi32(
        _mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
    _mm_storel_epi64((__m128i*)to, bytes);
#else
    typedef uint8_t Bytes __attribute__((vector_size(kLanes)));
    const Bytes bytes = __builtin_convertvector(lanes, Bytes);
    std::memcpy(to, &bytes, sizeof bytes);
#endif
}

#if defined(__AVX512F__)
inline Lanes widen(const Stored* from) {
    return (Lanes)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)from));
}

inline void narrow(Stored* to, Lanes lanes) {
    _mm256_storeu_si256((__m256i*)to, _mm512_cvtps_ph((__m512)lanes, _MM_FROUND_TO_NEAREST_INT));
}
#elif defined(__AVX2__) && defined(__F16C__)
inline Lanes widen(const Stored* from) {
    return (Lanes)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)from));
}

inline void narrow(Stored* to, Lanes lanes) {
    _mm_storeu_si128((__m128i*)to, _mm256_cvtps_ph((__m256)lanes, _MM_FROUND_TO_NEAREST_INT));
}
#else
inline Lanes widen(const Stored* from) { return load(from); }

inline void narrow(Stored* to, Lanes lanes) { store(to, lanes); }
#endif

}  // namespace likeness
