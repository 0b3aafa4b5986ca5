// GPT-2's forward pass over rows of many texts at once.
#pragma once

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "attention.h"
#include "cache.h"
#include "linear.h"
#include "pool.h"
#include "rows.h"

namespace likeness {

struct Sizes {
    int32_t layers, heads, embedding, inner, positions, vocabulary, planes, threads;
    float epsilon;
};

// Tokens to read of one text, and for how many at its end logits are wanted.
struct Text {
    Cache* cache;
    const int32_t* ids;
    int count, wanted;
};

// Takes the packed weights one after the other, in the order that pack.py lays them in.
class Cursor {
  public:
    explicit Cursor(const void* const* tensors) : next_(tensors) {}

    template <class T>
    const T* take() {
        return static_cast<const T*>(*next_++);
    }

    Linear linear(int width, int outputs) {
        Linear found;
        found.tiles = take<int8_t>();
        found.scales = take<float>();
        found.sums = take<int32_t>();
        found.bias = take<float>();
        found.width = width;
        found.depth = (width + 63) / 64 * 64;
        found.outputs = outputs;
        return found;
    }

  private:
    const void* const* next_;
};

struct Norm {
    const float *gain, *bias;
};

struct Layer {
    Norm before_attention, before_inner;
    Linear fused, merge, widen, narrow;
};

class Model {
  public:
    Model(const Sizes& sizes, const void* const* tensors);

    // An empty one; it may outlive the model.
    std::unique_ptr<Cache> cache() const { return std::make_unique<Cache>(shape_, blocks_); }

    // Reads all texts; writes the wanted logits (wanted, V), text after text.
    void read(const std::vector<Text>& texts, float* logits);

  private:
    // A part of a text that is read in one pass.
    struct Span {
        const Text* text;
        int from, count;  // of the text's new tokens
        int row;          // of the pass, the first of them
    };

    void pass(const std::vector<Span>& spans, int rows, float*& logits);
    void embed(const Span& span);
    void attention(const Layer& layer, int index, const std::vector<Span>& spans, int rows);
    void inner(const Layer& layer, int rows);
    void predict(const std::vector<Span>& spans, float*& logits);
    void norm_and_round(const Norm& norm, const float* rows, int count);
    void round_rows(const float* rows, int count, int width, int depth);
    void add_to_stream(const Linear& linear, int rows);

    Norm norm(Cursor& cursor) const {
        const float* gain = cursor.take<float>();
        return {gain, cursor.take<float>()};
    }

    static constexpr int kPass = 256;  // rows at once: what they need stays in the caches
    static constexpr int kGroup = 4;   // rows of a piece

    Sizes sizes_;
    Shape shape_;
    std::shared_ptr<Blocks> blocks_;
    Pool pool_;
    std::vector<Layer> layers_;
    Norm last_;
    Linear head_;
    const float* places_;
    std::vector<float> stream_, fused_, attended_, inner_, last_rows_, scales_;
    std::vector<uint8_t> values_;
    Rounded rounded_;
};

inline Model::Model(const Sizes& sizes, const void* const* tensors)
    : sizes_(sizes),
      shape_{sizes.layers, sizes.heads, sizes.embedding / sizes.heads},
      blocks_(std::make_shared<Blocks>(shape_.block_size() * sizeof(Stored))),
      pool_(sizes.threads) {
    const int width = sizes.embedding;
    Cursor cursor(tensors);
    head_ = cursor.linear(width, sizes.vocabulary);
    places_ = cursor.take<float>();
    for (int i = 0; i < sizes.layers; ++i) {
        Layer layer;
        layer.before_attention = norm(cursor);
        layer.fused = cursor.linear(width, 3 * width);
        layer.merge = cursor.linear(width, width);
        layer.before_inner = norm(cursor);
        layer.widen = cursor.linear(width, sizes.inner);
        layer.narrow = cursor.linear(sizes.inner, width);
        layers_.push_back(layer);
    }
    last_ = norm(cursor);
    const size_t stride = (std::max(width, sizes.inner) + 63) / 64 * 64;
    stream_.resize(static_cast<size_t>(kPass) * width);
    attended_.resize(stream_.size());
    last_rows_.resize(stream_.size());
    fused_.resize(stream_.size() * 3);
    inner_.resize(static_cast<size_t>(kPass) * sizes.inner);
    scales_.resize(kPass);
    values_.resize(kPass * sizes.planes * stride);
    rounded_ = {values_.data(), scales_.data(), sizes.planes, stride};
}

inline void Model::read(const std::vector<Text>& texts, float* logits) {
    for (const Text& text : texts) text.cache->prepare(text.count);
    std::vector<Span> spans;
    int rows = 0;
    for (const Text& text : texts) {
        for (int from = 0; from < text.count;) {
            const int count = std::min(text.count - from, kPass - rows);
            spans.push_back({&text, from, count, rows});
            from += count;
            rows += count;
            if (rows < kPass) continue;
            pass(spans, rows, logits);
            spans.clear();
            rows = 0;
        }
    }
    if (rows > 0) pass(spans, rows, logits);
}

inline void Model::pass(const std::vector<Span>& spans, int rows, float*& logits) {
    for (const Span& span : spans) embed(span);
    for (size_t i = 0; i < layers_.size(); ++i) {
        attention(layers_[i], static_cast<int>(i), spans, rows);
        inner(layers_[i], rows);
    }
    for (const Span& span : spans) span.text->cache->grow(span.count);
    predict(spans, logits);
}

inline void Model::embed(const Span& span) {
    const int width = sizes_.embedding;
    for (int i = 0; i < span.count; ++i) {
        const int id = span.text->ids[span.from + i];
        const int8_t* panel = head_.tiles + static_cast<size_t>(id / kPanel) * kPanel * head_.depth;
        const float* place = places_ + static_cast<size_t>(span.text->cache->length() + i) * width;
        float* row = stream_.data() + static_cast<size_t>(span.row + i) * width;
        for (int d = 0; d < width; ++d) {
            const int8_t weight = panel[(d / 4 * kPanel + id % kPanel) * 4 + d % 4];
            row[d] = weight * head_.scales[id] + place[d];
        }
    }
}

inline void Model::attention(
    const Layer& layer, int index, const std::vector<Span>& spans, int rows) {
    const int width = sizes_.embedding, heads = sizes_.heads;
    norm_and_round(layer.before_attention, stream_.data(), rows);
    apply(pool_, layer.fused, rounded_, rows, [&](int row, int first, int count, const float* from) {
        float* to = fused_.data() + static_cast<size_t>(row) * 3 * width + first;
        std::copy(from, from + count, to);
    });
    pool_.run(static_cast<int>(spans.size()) * heads, [&](int piece) {
        const Span& span = spans[piece / heads];
        const int head = piece % heads, head_width = width / heads;
        const size_t row = span.row;
        Head at;
        at.cache = span.text->cache;
        at.layer = index;
        at.head = head;
        at.width = head_width;
        at.start = span.text->cache->length();
        at.fused = fused_.data() + row * 3 * width + head * head_width;
        at.out = attended_.data() + row * width + head * head_width;
        at.embedding = width;
        attend_all(at, span.count);
    });
    round_rows(attended_.data(), rows, width, layer.merge.depth);
    add_to_stream(layer.merge, rows);
}

inline void Model::inner(const Layer& layer, int rows) {
    const size_t width = sizes_.inner;
    norm_and_round(layer.before_inner, stream_.data(), rows);
    apply(pool_, layer.widen, rounded_, rows, [&](int row, int first, int count, const float* from) {
        float* to = inner_.data() + row * width + first;
        for (int i = 0; i < count; i += kLanes) store(to + i, gelu(load(from + i)));
    });
    round_rows(inner_.data(), rows, sizes_.inner, layer.narrow.depth);
    add_to_stream(layer.narrow, rows);
}

inline void Model::predict(const std::vector<Span>& spans, float*& logits) {
    const size_t width = sizes_.embedding, vocabulary = sizes_.vocabulary;
    int rows = 0;
    for (const Span& span : spans) {
        const int unwanted = span.text->count - span.text->wanted - span.from;
        for (int i = std::max(0, unwanted); i < span.count; ++i, ++rows) {
            const float* from = stream_.data() + (span.row + i) * width;
            std::copy(from, from + width, last_rows_.data() + rows * width);
        }
    }
    if (rows == 0) return;
    norm_and_round(last_, last_rows_.data(), rows);
    apply(pool_, head_, rounded_, rows, [&](int row, int first, int count, const float* from) {
        std::copy(from, from + count, logits + row * vocabulary + first);
    });
    logits += rows * vocabulary;
}

inline void Model::norm_and_round(const Norm& norm, const float* rows, int count) {
    const int width = sizes_.embedding;
    pool_.run((count + kGroup - 1) / kGroup, [&](int piece) {
        static thread_local std::vector<float> normed;
        normed.resize(width);
        for (int row = piece * kGroup; row < std::min(count, (piece + 1) * kGroup); ++row) {
            const float* from = rows + static_cast<size_t>(row) * width;
            layer_norm(from, norm.gain, norm.bias, sizes_.epsilon, width, normed.data());
            round_row(normed.data(), width, head_.depth, rounded_, row);
        }
    });
}

inline void Model::round_rows(const float* rows, int count, int width, int depth) {
    pool_.run((count + kGroup - 1) / kGroup, [&](int piece) {
        for (int row = piece * kGroup; row < std::min(count, (piece + 1) * kGroup); ++row)
            round_row(rows + static_cast<size_t>(row) * width, width, depth, rounded_, row);
    });
}

inline void Model::add_to_stream(const Linear& linear, int rows) {
    const size_t width = sizes_.embedding;
    apply(pool_, linear, rounded_, rows, [&](int row, int first, int count, const float* from) {
        float* to = stream_.data() + row * width + first;
        for (int i = 0; i < count; i += kLanes) store(to + i, load(to + i) + load(from + i));
    });
}

}  // namespace likeness
