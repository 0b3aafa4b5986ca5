// The same dot products by a processor's matrix unit (Intel AMX): 32 rows with 32 outputs at once.
#pragma once

#include "dots.h"

#if defined(__AMX_INT8__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace likeness {

constexpr Block kUnit = {32, 32};

#if defined(__AMX_INT8__)

// Asks the kernel for the unit, once for all threads; it may be switched off in a virtual machine.
// Source: Linux, Documentation/arch/x86/xstate.rst: ARCH_REQ_XCOMP_PERM with XFEATURE_XTILEDATA.
inline bool has_matrix_unit() {
    static const bool granted = syscall(SYS_arch_prctl, 0x1023, 18) == 0;
    return granted;
}

// Sets the unit of this thread up for tiles of 16 rows of 64 bytes, until the end of a block.
class MatrixUnit {
  public:
    MatrixUnit() {
        struct alignas(64) {
            uint8_t palette = 1, start_row = 0, reserved[14] = {};
            uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
            uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
        } shapes;
        _tile_loadconfig(&shapes);
    }
    ~MatrixUnit() { _tile_release(); }
    MatrixUnit(const MatrixUnit&) = delete;
    MatrixUnit& operator=(const MatrixUnit&) = delete;
};

// The sums (32, 32); rows from 16 on are computed where there are more than 16. Rows up to the
// next 16 must be there, whatever they hold.
inline void unit_dots(
    int some, const uint8_t* rows, size_t stride, const int8_t* part, size_t depth, int32_t* sums) {
    constexpr int kStep = 64, kHalf = 16, kRow = 4 * kPanel, kOut = 4 * kUnit.outputs;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t k = 0; k < depth; k += kStep) {
        _tile_loadd(4, rows + k, stride);
        _tile_loadd(6, part + k * kPanel, kRow);
        _tile_loadd(7, part + (depth + k) * kPanel, kRow);
        _tile_dpbusd(0, 4, 6);
        _tile_dpbusd(1, 4, 7);
        if (some <= kHalf) continue;
        _tile_loadd(5, rows + kHalf * stride + k, stride);
        _tile_dpbusd(2, 5, 6);
        _tile_dpbusd(3, 5, 7);
    }
    _tile_stored(0, sums, kOut);
    _tile_stored(1, sums + kHalf, kOut);
    if (some <= kHalf) return;
    _tile_stored(2, sums + kHalf * kUnit.outputs, kOut);
    _tile_stored(3, sums + kHalf * kUnit.outputs + kHalf, kOut);
}

#else

inline bool has_matrix_unit() { return false; }

class MatrixUnit {};

inline void unit_dots(int, const uint8_t*, size_t, const int8_t*, size_t, int32_t*) {}

#endif

}  // namespace likeness
