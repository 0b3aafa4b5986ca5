// A few threads that share the pieces of one job after another.
//
// Pieces are taken one at a time, so a thread that a busy neighbour holds up costs its share and no
// more: a job waits for the pieces that were taken, not for every thread to come round.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <type_traits>
#include <vector>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace likeness {

// Waits a little longer each time: a moment on the processor, then by letting others have it.
class Patience {
  public:
    void wait() {
        if (++turns_ > kSpins) return std::this_thread::yield();
#if defined(__x86_64__) || defined(__i386__)
        _mm_pause();
#endif
    }

    bool exhausted() const { return turns_ > kSpins + kYields; }

  private:
    static constexpr int kSpins = 2000;  // some tens of microseconds
    static constexpr int kYields = 200;
    int turns_ = 0;
};

class Pool {
  public:
    // Where the system gives fewer threads, those that it gives do the work.
    explicit Pool(int threads) {
        workers_.reserve(threads);
        try {
            for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
        } catch (const std::exception&) {
        }
    }

    ~Pool() {
        {
            std::lock_guard<std::mutex> guard(mutex_);
            ending_ = true;
        }
        wake_.notify_all();
        for (auto& worker : workers_) worker.join();
    }

    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Calls job(0) … job(pieces - 1), in any order, on all threads; returns when all are done. A job
    // of two arguments is told, too, what the same thread calls next, or -1 where that is not known.
    // A piece may fail for want of memory: then all others are done, too, before that is thrown.
    template <class Job>
    void run(int pieces, const Job& job) {
        if (pieces == 1 || workers_.empty()) {
            for (int i = 0; i < pieces; ++i) call(job, i, i + 1 < pieces ? i + 1 : -1);
            return;
        }
        job_ = &job;
        looks_ahead_ = std::is_invocable_v<const Job&, int, int>;
        call_ = [](const void* job, int piece, int next) {
            call(*static_cast<const Job*>(job), piece, next);
        };
        done_.store(0, std::memory_order_relaxed);
        left_.store(pieces, std::memory_order_seq_cst);
        if (sleeping_.load(std::memory_order_seq_cst) > 0) rouse();
        while (take()) {
        }
        for (Patience patience; done_.load(std::memory_order_acquire) < pieces;) patience.wait();
        if (failed_.exchange(false)) throw std::bad_alloc();
    }

  private:
    template <class Job>
    static void call(const Job& job, int piece, int next) {
        if constexpr (std::is_invocable_v<const Job&, int, int>) {
            job(piece, next);
        } else {
            job(piece);
        }
    }

    // Does pieces of whatever job is under way; false where none is left. Between taking a piece and
    // finishing it the job cannot change. For a job that is told what comes next, a thread takes its
    // next piece before it does one, while there is enough for all.
    bool take() {
        int piece = grab();
        if (piece < 0) return false;
        while (piece >= 0) {
            const int next = looks_ahead_ && left_.load() > enough() ? grab() : -1;
            try {
                call_(job_, piece, next);
            } catch (const std::exception&) {
                failed_.store(true);
            }
            done_.fetch_add(1, std::memory_order_acq_rel);
            piece = next;
        }
        return true;
    }

    int enough() const { return 2 * static_cast<int>(workers_.size()); }

    int grab() { return static_cast<int>(left_.fetch_sub(1, std::memory_order_acq_rel)) - 1; }

    void work() {
        for (Patience patience; !ending_.load(std::memory_order_relaxed);) {
            if (left_.load(std::memory_order_acquire) > 0 && take()) {
                patience = Patience();
            } else if (patience.exhausted()) {
                sleep();
                patience = Patience();
            } else {
                patience.wait();
            }
        }
    }

    void sleep() {
        std::unique_lock<std::mutex> guard(mutex_);
        sleeping_.fetch_add(1, std::memory_order_seq_cst);
        wake_.wait(guard, [this] { return ending_ || left_.load() > 0; });
        sleeping_.fetch_sub(1, std::memory_order_seq_cst);
    }

    void rouse() {
        { std::lock_guard<std::mutex> guard(mutex_); }
        wake_.notify_all();
    }

    std::vector<std::thread> workers_;
    std::atomic<int64_t> left_{0};  // pieces not taken yet; below 0 where threads came in vain
    std::atomic<int> done_{0};
    std::atomic<int> sleeping_{0};
    std::atomic<bool> ending_{false};
    std::atomic<bool> failed_{false};
    const void* job_ = nullptr;
    bool looks_ahead_ = false;
    void (*call_)(const void*, int, int) = nullptr;
    std::mutex mutex_;
    std::condition_variable wake_;
};

}  // namespace likeness
