// What is done to one row of activations at a time: LayerNorm, GELU, and rounding to whole numbers.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "dots.h"
#include "lanes.h"

namespace likeness {

// Source: torch.nn.LayerNorm; the variance is that of the whole row, not of a sample.
inline void layer_norm(
    const float* row, const float* gain, const float* bias, float epsilon, int width, float* out) {
    Lanes sum = fill(0.0f);
    for (int i = 0; i < width; i += kLanes) sum += load(row + i);
    const float mean = total(sum) / width;
    Lanes squares = fill(0.0f);
    for (int i = 0; i < width; i += kLanes) {
        Lanes away = load(row + i) - mean;
        squares += away * away;
    }
    const float scale = 1.0f / std::sqrt(total(squares) / width + epsilon);
    for (int i = 0; i < width; i += kLanes)
        store(out + i, (load(row + i) - mean) * scale * load(gain + i) + load(bias + i));
}

// Source: transformers' NewGELUActivation, its tanh(u) written as 1 - 2 / (1 + e^2u).
inline Lanes gelu(Lanes x) {
    Lanes u = x * (x * x * 0.044715f + 1.0f) * 0.7978845608028654f;
    return x / (exponential(u * -2.0f) + 1.0f);
}

// Activations as whole numbers. With one plane a row is 8 bits wide; with two it is 254 times the
// first plus the second, about 15 bits, and each plane goes through the dot products as a row of
// its own.
struct Rounded {
    uint8_t* values;  // (rows, planes, stride), kExcess added
    float* scales;    // (rows,): a value's worth
    int planes;
    size_t stride;  // the longest depth there is

    const uint8_t* row(int index) const { return values + index * planes * stride; }
};

constexpr float kMost = 127.0f;   // of a plane
constexpr float kBase = 254.0f;   // what one of the first plane is worth in the second

inline void keep(uint8_t* to, Lanes whole) {
    store_bytes(to, (Integers)(whole + kRounder) - kRounderBits + kExcess);
}

inline void round_row(const float* row, int width, int depth, const Rounded& to, int index) {
    Lanes most = fill(0.0f);
    for (int i = 0; i < width; i += kLanes) {
        Lanes x = load(row + i);
        most = larger(most, larger(x, -x));
    }
    const float peak = largest(most);
    const float range = to.planes == 1 ? kMost : kMost * kBase;
    const float inverse = peak > 0.0f ? range / peak : 0.0f;
    to.scales[index] = peak / range;
    uint8_t* first = to.values + index * to.planes * to.stride;
    uint8_t* second = first + to.stride;
    for (int i = 0; i < width; i += kLanes) {
        Lanes whole = round_to_whole(load(row + i) * inverse);
        if (to.planes == 2) {
            Lanes high = round_to_whole(whole * (1.0f / kBase));
            keep(second + i, whole - high * kBase);
            whole = high;
        }
        keep(first + i, whole);
    }
    for (int plane = 0; plane < to.planes; ++plane)
        std::memset(first + plane * to.stride + width, kExcess, depth - width);
}

}  // namespace likeness
