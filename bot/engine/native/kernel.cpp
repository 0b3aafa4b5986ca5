// The C functions that model.py calls. One thread at a time may use a model and its caches.

#include <new>
#include <vector>

#include "model.h"

using likeness::Cache;
using likeness::Model;
using likeness::Sizes;
using likeness::Text;

extern "C" {

// Returns null where there is no memory. The tensors must outlive the model.
Model* likeness_open(const Sizes* sizes, const void* const* tensors) try {
    return new Model(*sizes, tensors);
} catch (const std::exception&) {
    return nullptr;
}

void likeness_close(Model* model) { delete model; }

Cache* likeness_cache(const Model* model) try {
    return model->cache().release();
} catch (const std::bad_alloc&) {
    return nullptr;
}

Cache* likeness_fork(const Cache* cache) try {
    return new Cache(*cache);
} catch (const std::bad_alloc&) {
    return nullptr;
}

void likeness_drop(Cache* cache) { delete cache; }

void likeness_cut(Cache* cache, int32_t length) { cache->cut(length); }

int64_t likeness_bytes(const Cache* cache) { return static_cast<int64_t>(cache->bytes()); }

// Reads `counts[i]` ids for each of `texts` caches, the ids of all of them one after the other.
// Returns 0, or 1 where there is no memory: then the caches are to be cut to what they were.
int32_t likeness_read(
    Model* model, int32_t texts, Cache* const* caches, const int32_t* ids, const int32_t* counts,
    const int32_t* wanted, float* logits) try {
    std::vector<Text> all;
    for (int32_t i = 0; i < texts; ++i) {
        all.push_back({caches[i], ids, counts[i], wanted[i]});
        ids += counts[i];
    }
    model->read(all, logits);
    return 0;
} catch (const std::bad_alloc&) {
    return 1;
}
}
