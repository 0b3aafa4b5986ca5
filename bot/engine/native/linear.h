// Linear layers with weights of 8 bits.
#pragma once

#include <algorithm>

#include "dots.h"
#include "lanes.h"
#include "pool.h"
#include "rows.h"

namespace likeness {

struct Linear {
    const int8_t* tiles;    // (outputs / 64, depth / 4, 64, 4)
    const float* scales;    // (outputs,): a weight's worth
    const int32_t* sums;    // (outputs,): of each output's weights
    const float* bias;      // (outputs,)
    int width;              // inputs
    int depth;              // inputs, filled up with weights of 0 to a multiple of 64
    int outputs;
    // Scales, sums and bias are filled up with 0 to a multiple of 64 outputs too.
};

inline int tiles_of(const Linear& linear) { return (linear.outputs + kOutputs - 1) / kOutputs; }

inline void any_dots(
    int rows, const uint8_t* from, size_t stride, const int8_t* tile, size_t depth, int32_t* sums) {
    switch (rows) {
        case 1: return dots<1>(from, stride, tile, depth, sums);
        case 2: return dots<2>(from, stride, tile, depth, sums);
        case 3: return dots<3>(from, stride, tile, depth, sums);
        case 4: return dots<4>(from, stride, tile, depth, sums);
        case 5: return dots<5>(from, stride, tile, depth, sums);
        default: return dots<6>(from, stride, tile, depth, sums);
    }
}

// One row's whole numbers (planes, 64) as the floats that they stand for (64,).
inline void to_floats(
    const Linear& linear, int first, const int32_t* sums, int planes, float scale, float* out) {
    for (int i = 0; i < kOutputs; i += kLanes) {
        Integers excess, whole;
        std::memcpy(&excess, linear.sums + first + i, sizeof excess);
        std::memcpy(&whole, sums + i, sizeof whole);
        excess *= kExcess;
        Lanes value = __builtin_convertvector(whole - excess, Lanes);
        if (planes == 2) {
            std::memcpy(&whole, sums + kOutputs + i, sizeof whole);
            value = value * kBase + __builtin_convertvector(whole - excess, Lanes);
        }
        value = value * (load(linear.scales + first + i) * scale) + load(linear.bias + first + i);
        store(out + i, value);
    }
}

// Applies a layer to some rows. `take(row, first, count, values)` gets the outputs `first` and on
// of a row; it is called on all threads, once for each row and tile.
template <class Take>
void apply(Pool& pool, const Linear& linear, const Rounded& from, int rows, const Take& take) {
    const int at_once = kRows / from.planes;
    pool.run(tiles_of(linear), [&](int piece) {
        const int first = piece * kOutputs;
        const int count = std::min(kOutputs, linear.outputs - first);
        const int8_t* tile = linear.tiles + static_cast<size_t>(first) * linear.depth;
        for (int row = 0; row < rows; row += at_once) {
            const int some = std::min(at_once, rows - row);
            alignas(64) int32_t sums[kRows * kOutputs];
            alignas(64) float values[kOutputs];
            any_dots(some * from.planes, from.row(row), from.stride, tile, linear.depth, sums);
            for (int i = 0; i < some; ++i) {
                const int32_t* whole = sums + i * from.planes * kOutputs;
                to_floats(linear, first, whole, from.planes, from.scales[row + i], values);
                take(row + i, first, count, values);
            }
        }
    });
}

}  // namespace likeness
