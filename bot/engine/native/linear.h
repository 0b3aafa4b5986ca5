// Linear layers with weights of 8 bits.
#pragma once

#include <algorithm>

#include "dots.h"
#include "lanes.h"
#include "matrix_unit.h"
#include "pool.h"
#include "rows.h"

namespace likeness {

struct Linear {
    const int8_t* tiles;    // (outputs / 64, 4, depth / 4, 16, 4)
    const float* scales;    // (outputs,): a weight's worth
    const int32_t* sums;    // (outputs,): of each output's weights
    const float* bias;      // (outputs,)
    int width;              // inputs
    int depth;              // inputs, filled up with weights of 0 to a multiple of 64
    int outputs;
    // Scales, sums and bias are filled up with 0 to a multiple of 64 outputs too.
};

inline int tiles_of(const Linear& linear) { return (linear.outputs + kOutputs - 1) / kOutputs; }

// From how many rows on the matrix unit is faster; with fewer, most of its rows would be idle.
constexpr int kWorthTheUnit = 3;

inline Block block_for(int rows) {
    if (rows >= kWorthTheUnit && has_matrix_unit()) return kUnit;
    return rows <= kFew.rows ? kFew : kMany;
}

inline void any_dots(
    Block block, int some, const uint8_t* rows, size_t stride, const int8_t* part, size_t depth,
    int32_t* sums, Ahead& ahead) {
    if (block.rows == kUnit.rows) {
        unit_dots(some, rows, stride, part, depth, sums);
    } else if (block.rows == kFew.rows) {
        dots_upto<kFew.rows, kFew.outputs>(some, rows, stride, part, depth, sums, ahead);
    } else {
        dots_upto<kMany.rows, kMany.outputs>(some, rows, stride, part, depth, sums, ahead);
    }
}

// One row's whole numbers (planes, count) as the floats that they stand for (count,).
inline void to_floats(
    const Linear& linear, int first, int count, const int32_t* sums, int planes, float scale,
    float* out) {
    for (int i = 0; i < count; i += kLanes) {
        Integers excess, whole;
        std::memcpy(&excess, linear.sums + first + i, sizeof excess);
        std::memcpy(&whole, sums + i, sizeof whole);
        excess *= kExcess;
        Lanes value = __builtin_convertvector(whole - excess, Lanes);
        if (planes == 2) {
            std::memcpy(&whole, sums + count + i, sizeof whole);
            value = value * kBase + __builtin_convertvector(whole - excess, Lanes);
        }
        value = value * (load(linear.scales + first + i) * scale) + load(linear.bias + first + i);
        store(out + i, value);
    }
}

// A tile that is wanted next, asked for evenly while another goes by the rows in `blocks`.
inline Ahead ahead_of(const Linear& linear, int tile, int blocks) {
    const int size = kOutputs * linear.depth, dots = kOutputs / kMany.outputs * blocks;
    const int steps = dots * static_cast<int>(linear.depth / Ahead::kStep);
    const int8_t* from = linear.tiles + static_cast<size_t>(tile) * size;
    return {from, from + size, (size / Ahead::kLine + steps - 1) / steps};
}

// Applies a layer to some rows. `take(row, first, count, values)` gets the outputs `first` and on
// of a row; it is called on all threads, once for each output.
template <class Take>
void apply(Pool& pool, const Linear& linear, const Rounded& from, int rows, const Take& take) {
    const Block block = block_for(rows * from.planes);
    const int at_once = block.rows / from.planes;
    const bool asks = block.outputs < kOutputs && rows <= kWorthAsking;
    const auto outputs_of = [&](int piece, int next) {
        const MatrixUnit unit;
        alignas(64) int32_t sums[kUnit.rows * kUnit.outputs];
        alignas(64) float values[kOutputs];
        const int end = std::min((piece + 1) * kOutputs, linear.outputs);
        const int8_t* part = linear.tiles + static_cast<size_t>(piece) * kOutputs * linear.depth;
        Ahead ahead{};
        if (next >= 0) ahead = ahead_of(linear, next, (rows + at_once - 1) / at_once);
        for (int first = piece * kOutputs; first < end; first += block.outputs) {
            const int count = std::min(block.outputs, end - first);
            for (int row = 0; row < rows; row += at_once) {
                const int some = std::min(at_once, rows - row);
                any_dots(
                    block, some * from.planes, from.row(row), from.stride, part, linear.depth, sums,
                    ahead);
                for (int i = 0; i < some; ++i) {
                    const int32_t* whole = sums + i * from.planes * block.outputs;
                    const float scale = from.scales[row + i];
                    to_floats(linear, first, block.outputs, whole, from.planes, scale, values);
                    take(row + i, first, count, values);
                }
            }
            part += static_cast<size_t>(block.outputs) * linear.depth;
        }
    };
    if (asks) return pool.run(tiles_of(linear), outputs_of);
    pool.run(tiles_of(linear), [&](int piece) { outputs_of(piece, -1); });
}

}  // namespace likeness
