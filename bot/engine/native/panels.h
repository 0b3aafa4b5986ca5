// Tiles laid out anew for several rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "dots.h"

namespace likeness {

// A tile as panels of 16 outputs, one after the other: (4, depth / 4, 16, 4). What the rows read
// again and again so lies together; in the tile itself every fourth line of the cache is all that
// 16 outputs have, which leaves most of a cache empty, and the processor reads ahead in vain. The
// tile itself is read once, in the order of memory. Holds until the thread's next call.
inline const int8_t* panels(const int8_t* tile, size_t depth) {
    constexpr size_t kLine = 4 * kMany.outputs, kCount = kOutputs / kMany.outputs;
    static thread_local std::vector<int8_t> room;
    room.resize(kOutputs * depth + kLine);
    int8_t* aligned = room.data() + (-reinterpret_cast<uintptr_t>(room.data()) & (kLine - 1));
    for (int8_t* to = aligned; to < aligned + kMany.outputs * depth; to += kLine)
        UNROLL
        for (size_t i = 0; i < kCount; ++i, tile += kLine)
            std::memcpy(to + i * kMany.outputs * depth, tile, kLine);
    return aligned;
}

}  // namespace likeness
