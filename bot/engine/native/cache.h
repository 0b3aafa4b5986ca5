// Keys and values of one text, in blocks of 32 tokens that forks share until one of them writes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "lanes.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace likeness {

constexpr int kBlock = 32;  // tokens

struct Shape {
    int layers, heads, head_width;

    // Of one head: its keys (head_width, 32), then its values (32, head_width).
    size_t head_size() const { return 2 * static_cast<size_t>(head_width) * kBlock; }
    size_t block_size() const { return head_size() * layers * heads; }
};

// Memory for the blocks of all caches, in slabs of huge pages: scattered over small ones, what
// attention reads would take several times as long to find.
class Blocks {
  public:
    explicit Blocks(size_t block_bytes)
        : block_bytes_((block_bytes + kLine - 1) / kLine * kLine),
          slab_bytes_((std::max(block_bytes_, kSlab) + kHugePage - 1) / kHugePage * kHugePage) {}

    ~Blocks() {
        for (void* slab : slabs_) std::free(slab);
    }

    Blocks(const Blocks&) = delete;
    Blocks& operator=(const Blocks&) = delete;

    // A cache may be dropped by any thread, while another one reads.
    void* take() {
        std::lock_guard<std::mutex> guard(mutex_);
        if (free_.empty()) add_slab();
        void* block = free_.back();
        free_.pop_back();
        return block;
    }

    void give(void* block) {
        std::lock_guard<std::mutex> guard(mutex_);
        free_.push_back(block);
    }

  private:
    static constexpr size_t kLine = 64, kHugePage = 2 << 20, kSlab = 16 << 20;

    void add_slab() {
        void* slab = std::aligned_alloc(kHugePage, slab_bytes_);
        if (slab == nullptr) throw std::bad_alloc();
#if defined(__linux__)
        madvise(slab, slab_bytes_, MADV_HUGEPAGE);
#endif
        slabs_.push_back(slab);
        const size_t blocks = slab_bytes_ / block_bytes_;
        free_.reserve(slabs_.size() * blocks);  // so that `give` needs no memory
        for (size_t i = blocks; i-- > 0;)
            free_.push_back(static_cast<char*>(slab) + i * block_bytes_);
    }

    size_t block_bytes_, slab_bytes_;
    std::vector<void*> slabs_, free_;
    std::mutex mutex_;
};

class Cache {
  public:
    Cache(const Shape& shape, std::shared_ptr<Blocks> memory)
        : shape_(shape), memory_(std::move(memory)) {}

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
                blocks_.push_back(block());
            } else if (blocks_[i].use_count() > 1) {
                Block own = block();
                std::memcpy(own.get(), blocks_[i].get(), shape_.block_size() * sizeof(Stored));
                blocks_[i] = std::move(own);
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

    Block block() const {
        auto memory = memory_;
        return Block(static_cast<Stored*>(memory->take()), [memory](void* from) { memory->give(from); });
    }

    Shape shape_;
    std::shared_ptr<Blocks> memory_;
    int length_ = 0;
    std::vector<Block> blocks_;
};

}  // namespace likeness
