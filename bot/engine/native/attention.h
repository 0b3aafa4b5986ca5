// Causal attention of one head: new rows of one text over all that was read of it.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "cache.h"
#include "lanes.h"

namespace likeness {

// One head of one layer of one text, and where its new rows lie.
struct Head {
    const Cache* cache;
    int layer, head, width;
    int start;           // the position of the first new row
    const float* fused;  // (rows, 3 * embedding): queries, keys and values, from this head's on
    float* out;          // (rows, embedding), from this head's on
    int embedding;

    const float* queries(int row) const { return fused + static_cast<size_t>(row) * 3 * embedding; }
};

inline void remember(const Head& at, int row) {
    const int position = at.start + row;
    const int place = position % kBlock;
    const float* keys = at.queries(row) + at.embedding;
    Stored* columns = at.cache->keys(position / kBlock, at.layer, at.head);
    Stored* values = at.cache->values(position / kBlock, at.layer, at.head);
    for (int d = 0; d < at.width; d += kLanes) {
        Stored stored[kLanes];
        narrow(stored, load(keys + d));
        for (int i = 0; i < kLanes; ++i) columns[(d + i) * kBlock + place] = stored[i];
        narrow(values + place * at.width + d, load(keys + at.embedding + d));
    }
}

// How many vectors of sums R rows have at once: so many that half of the registers hold them.
constexpr int kSums = kRegisters / 2;
constexpr int columns(int rows, int most) { return std::min(kSums / rows, most / kLanes); }

// Where registers are many, even and odd dimensions are summed apart, so that one sum need not wait
// for the other.
constexpr int kApart = kRegisters / 16;

// The products of R rows' queries with 16, 32 or so keys of one block: (R, C lanes) of `scores`.
template <int R, int C>
void score(const Head& at, int row, const Stored* keys, float scale, float* scores, int stride) {
    const float* queries[R];
    for (int r = 0; r < R; ++r) queries[r] = at.queries(row + r);
    Lanes sums[R][kApart][C];
    UNROLL
    for (int r = 0; r < R; ++r)
        UNROLL
        for (int i = 0; i < kApart * C; ++i) sums[r][i / C][i % C] = fill(0.0f);
    for (int d = 0; d < at.width; d += kApart) {
        UNROLL
        for (int odd = 0; odd < kApart; ++odd) {
            Lanes column[C];
            UNROLL
            for (int c = 0; c < C; ++c) column[c] = widen(keys + (d + odd) * kBlock + c * kLanes);
            UNROLL
            for (int r = 0; r < R; ++r)
                UNROLL
                for (int c = 0; c < C; ++c) sums[r][odd][c] += column[c] * queries[r][d + odd];
        }
    }
    UNROLL
    for (int r = 0; r < R; ++r)
        UNROLL
        for (int c = 0; c < C; ++c) {
            Lanes sum = sums[r][0][c];
            if constexpr (kApart == 2) sum += sums[r][1][c];
            store(scores + r * stride + c * kLanes, sum * scale);
        }
}

// Scores to e^(score - the largest), 0 from `count` on; returns their sum.
inline float weigh(float* scores, int count, int padded) {
    std::fill(scores + count, scores + padded, -3e38f);
    Lanes most = fill(-3e38f);
    for (int i = 0; i < padded; i += kLanes) most = larger(most, load(scores + i));
    const float peak = largest(most);
    for (int i = 0; i < padded; i += kLanes)
        store(scores + i, exponential(load(scores + i) - peak));
    std::fill(scores + count, scores + padded, 0.0f);
    Lanes sum = fill(0.0f);
    for (int i = 0; i < padded; i += kLanes) sum += load(scores + i);
    return total(sum);
}

// The values of all tokens by their weights (R, padded), for C lanes of dimensions from `d` on.
template <int R, int C>
void gather(const Head& at, int row, int d, const float* weights, int padded, const float* shares) {
    const int tokens = at.start + row + R;
    Lanes sums[R][C];
    UNROLL
    for (int r = 0; r < R; ++r)
        UNROLL
        for (int c = 0; c < C; ++c) sums[r][c] = fill(0.0f);
    for (int first = 0; first < tokens; first += kBlock) {
        const Stored* values = at.cache->values(first / kBlock, at.layer, at.head) + d;
        const int count = std::min(kBlock, tokens - first);
        for (int t = 0; t < count; ++t, values += at.width) {
            UNROLL
            for (int c = 0; c < C; ++c) {
                const Lanes value = widen(values + c * kLanes);
                UNROLL
                for (int r = 0; r < R; ++r) sums[r][c] += value * weights[r * padded + first + t];
            }
        }
    }
    UNROLL
    for (int r = 0; r < R; ++r)
        UNROLL
        for (int c = 0; c < C; ++c)
            store(
                at.out + static_cast<size_t>(row + r) * at.embedding + d + c * kLanes,
                sums[r][c] * shares[r]);
}

// R rows at once over all blocks. What a row gets does not depend on R: beyond its own position
// there are only weights of 0.
template <int R>
void attend(const Head& at, int row, std::vector<float>& scores) {
    const int blocks = (at.start + row + R - 1) / kBlock + 1;
    const int padded = blocks * kBlock;
    const float scale = 1.0f / std::sqrt(static_cast<float>(at.width));
    scores.resize(static_cast<size_t>(R) * padded);
    float* weights = scores.data();
    constexpr int kKeys = columns(R * kApart, kBlock) * kLanes;
    for (int key = 0; key < padded; key += kKeys) {
        const Stored* keys = at.cache->keys(key / kBlock, at.layer, at.head) + key % kBlock;
        score<R, kKeys / kLanes>(at, row, keys, scale, weights + key, padded);
    }
    float shares[R];
    for (int r = 0; r < R; ++r)
        shares[r] = 1.0f / weigh(weights + r * padded, at.start + row + r + 1, padded);
    constexpr int kColumns = columns(R, 64);
    int d = 0;
    for (; d + kColumns * kLanes <= at.width; d += kColumns * kLanes)
        gather<R, kColumns>(at, row, d, weights, padded, shares);
    for (; d < at.width; d += kLanes) gather<R, 1>(at, row, d, weights, padded, shares);
}

inline void attend_all(const Head& at, int rows) {
    static thread_local std::vector<float> scores;
    for (int row = 0; row < rows; ++row) remember(at, row);
    int row = 0;
    for (; row + 4 <= rows; row += 4) attend<4>(at, row, scores);
    for (; row < rows; ++row) attend<1>(at, row, scores);
}

}  // namespace likeness
