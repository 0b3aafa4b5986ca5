// Keys and values of one text, in blocks of 32 tokens that forks share until one of them writes.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "lanes.h"

namespace likeness {

constexpr int kBlock = 32;  // tokens

struct Shape {
    int layers, heads, head_width;

    // Of one head: its keys (head_width, 32), then its values (32, head_width).
    size_t head_size() const { return 2 * static_cast<size_t>(head_width) * kBlock; }
    size_t block_size() const { return head_size() * layers * heads; }
};

class Cache {
  public:
    explicit Cache(const Shape& shape) : shape_(shape) {}

    int length() const { return length_; }
    size_t bytes() const { return blocks_.size() * shape_.block_size() * sizeof(Stored); }

    void cut(int length) {
        length_ = length;
        blocks_.resize((length + kBlock - 1) / kBlock);
    }

    // Makes room for more tokens, and what they are written to this cache's own.
    void prepare(int more) {
        const size_t needed = (length_ + more + kBlock - 1) / kBlock;
        for (size_t i = length_ / kBlock; i < needed; ++i) {
            if (i == blocks_.size()) {
                blocks_.push_back(block(nullptr));
            } else if (blocks_[i].use_count() > 1) {
                blocks_[i] = block(blocks_[i].get());
            }
        }
    }

    // Counts tokens whose keys and values were written.
    void grow(int more) { length_ += more; }

    Stored* keys(int index, int layer, int head) const {
        return blocks_[index].get() + (layer * shape_.heads + head) * shape_.head_size();
    }

    Stored* values(int index, int layer, int head) const {
        return keys(index, layer, head) + shape_.head_size() / 2;
    }

  private:
    typedef std::shared_ptr<Stored> Block;

    // Zeros, since what is not written yet is multiplied by weights of 0.
    Block block(const Stored* like) const {
        const size_t bytes = shape_.block_size() * sizeof(Stored);
        void* memory = std::aligned_alloc(64, bytes);
        if (memory == nullptr) throw std::bad_alloc();
        if (like != nullptr) {
            std::memcpy(memory, like, bytes);
        } else {
            std::memset(memory, 0, bytes);
        }
        return Block(static_cast<Stored*>(memory), std::free);
    }

    Shape shape_;
    int length_ = 0;
    std::vector<Block> blocks_;
};

}  // namespace likeness
