/* Pixel counts of mask pairs: the functions that Python calls, by ctypes.
 *
 * C99 without Python's headers: any C compiler builds it, and one library serves every
 * version of Python. On x86-64 the kernels are compiled for several instruction sets,
 * and the best one that the processor has is taken at run time. Callers guarantee sizes,
 * alignment and ids (see workspace.py) and own all memory: functions may run in several
 * threads at the same time.
 */
#include "words.h"

/* Tests build it with BASE_ONLY (no choice at run time) or PLAIN (no intrinsics). */
#ifdef PLAIN
#define WIDE 0
#elif defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#define WIDE 1
#elif defined(__aarch64__) && defined(__ARM_NEON) && defined(__GNUC__)
#include <arm_neon.h>
#define WIDE 4
#else
#define WIDE 0
#endif
#define LEVEL base
#include "level.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(BASE_ONLY) && !defined(PLAIN)

#ifdef __clang__
#pragma clang attribute push( \
    __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,lzcnt,popcnt")
#endif
#define WIDE 2
#define LEVEL avx2
#include "level.h"
#ifdef __clang__
#pragma clang attribute pop
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq," \
                          "avx2,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq," \
                   "avx2,bmi,bmi2,lzcnt,popcnt,prefer-vector-width=512")
#endif
#define WIDE 3
#define LEVEL avx512
#include "level.h"
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

/* 0: what every x86-64 processor has, 1: AVX2, 2: AVX-512 of Ice Lake and Zen 4. */
static int level(void) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2")) return 0;
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vpopcntdq")
               ? 2
               : 1;
}
#define BEST(name) (level() == 2 ? name##_avx512 : level() == 1 ? name##_avx2 : name##_base)
#else
static int level(void) { return 0; }
#define BEST(name) name##_base
#endif

#include "png_filters.h"

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* Raised whenever a function changes what it takes, so that native.py does not call a
 * library that was built from other sources. */
EXPORT int64_t vos_interface(void) { return 4; }

EXPORT int64_t vos_level(void) { return level(); }

EXPORT int64_t vos_scan8(const uint8_t *labels, int64_t pitch, int64_t height,
                         int64_t width, const int32_t *slots, word *planes, box *boxes) {
    return BEST(scan8)(labels, pitch, height, width, slots, planes, boxes);
}

EXPORT int64_t vos_scan16(const uint16_t *labels, int64_t pitch, int64_t height,
                          int64_t width, const int32_t *slots, word *planes, box *boxes) {
    return BEST(scan16)(labels, pitch, height, width, slots, planes, boxes);
}

EXPORT void vos_find8(const uint8_t *labels, int64_t pitch, int64_t height, int64_t width,
                      uint8_t *seen) {
    BEST(find8)(labels, pitch, height, width, seen);
}

EXPORT void vos_find16(const uint16_t *labels, int64_t pitch, int64_t height,
                       int64_t width, uint8_t *seen) {
    BEST(find16)(labels, pitch, height, width, seen);
}

EXPORT void vos_bound8(const uint8_t *labels, int64_t pitch, int64_t height, int64_t width,
                       box *boxes) {
    BEST(bound8)(labels, pitch, height, width, boxes);
}

EXPORT void vos_bound16(const uint16_t *labels, int64_t pitch, int64_t height,
                        int64_t width, box *boxes) {
    BEST(bound16)(labels, pitch, height, width, boxes);
}

EXPORT void vos_compare(const uint8_t *one, const uint8_t *other, const uint8_t *left_out,
                        int64_t size, word keep, int64_t frames, int64_t pixels,
                        int64_t *counts) {
    const void_pixels out = {left_out, size, keep};
    BEST(compare)(one, other, &out, frames, pixels, counts);
}

EXPORT void vos_pack(const uint8_t *mask, const uint8_t *left_out, int64_t size, word keep,
                     int64_t height, int64_t width, word *plane, box *b) {
    const void_pixels out = {left_out, size, keep};
    BEST(pack)(mask, &out, height, width, plane, b);
}

EXPORT void vos_measure(word *planes, box *boxes, int64_t count, int64_t height,
                        int64_t width, const word *zeros, const int64_t *pairs,
                        int64_t pair_count, int64_t *areas, int64_t *overlaps,
                        int64_t *outlines) {
    BEST(measure)(planes, boxes, count, height, width, zeros, pairs, pair_count, areas,
                  overlaps, outlines);
}

EXPORT void vos_match(const word *planes, const box *boxes, int64_t height, int64_t width,
                      const word *zeros, const int64_t *pairs, int64_t pair_count,
                      const int64_t *steps, const element *elements, const int64_t *use,
                      word *grown, int64_t *matched) {
    BEST(match)(planes, boxes, height, width, zeros, pairs, pair_count, steps, elements,
                use, grown, matched);
}

/* A checksum of each of `count` planes: of what pixels are set and where, from 0 to
 * 2^32 - 1; 0 for an empty plane only. The same as `object_digest` in label_map.py. */
EXPORT void vos_digest(const word *planes, const box *boxes, int64_t count,
                       int64_t height, int64_t width, word *digests) {
    const int64_t columns = (width + 63) / 64;
    for (int64_t k = 0; k < count; k++) {
        const box b = boxes[k];
        word sum = 0;
        int64_t any = 0;
        for (int64_t column = b.first; column <= b.last; column++) {
            const word *plane = planes + (k * columns + column) * height;
            const word at = (word)column * 0xC2B2AE3D27D4EB4Fu;
            for (int64_t y = b.top; y <= b.bottom; y++) {
                const word key = (word)y * 0x9E3779B97F4A7C15u + at;
                const word mixed = (plane[y] ^ key) * 0x165667B19E3779F9u;
                sum += plane[y] ? mixed ^ mixed >> 32 : 0;
                any |= plane[y] != 0;
            }
        }
        sum = (sum ^ sum >> 32) & 0xFFFFFFFFu;
        digests[k] = any && !sum ? 1 : sum;
    }
}

/* Make `count` planes zero and their boxes empty again. */
EXPORT void vos_clear(word *planes, box *boxes, int64_t count, int64_t height,
                      int64_t width) {
    const int64_t columns = (width + 63) / 64;
    const box empty = {0, -1, 0, -1};
    for (int64_t k = 0; k < count; k++) {
        const box b = boxes[k];
        for (int64_t column = b.first; column <= b.last; column++)
            memset(planes + (k * columns + column) * height + b.top, 0,
                   (size_t)(b.bottom - b.top + 1) * sizeof(word));
        boxes[k] = empty;
    }
}

/* Undo the PNG row filters of one-byte pixels, in place. `data` is [height, 1 + width],
 * each row led by its filter type; `zeros` has `width` bytes. Returns whether all types
 * are in 0..4. */
EXPORT int64_t vos_unfilter(uint8_t *data, int64_t height, int64_t width,
                            const uint8_t *zeros) {
    int64_t valid = 1;
    for (int64_t y = 0; y < height; y++) {
        uint8_t *row = data + y * (width + 1) + 1;
        if (row[-1] > 4)
            valid = 0;
        else
            unfilter_row(row, y ? row - (width + 1) : zeros, row[-1], width);
    }
    return valid;
}
