/* Words of 64 pixels, boxes, and what compilers call the instructions on words.
 *
 * A *bit plane* is one object's mask with 64 pixels of a row in a word: pixel (y, x)
 * is bit `x % 64` of word `x / 64 * height + y`. So a plane is stored in columns of
 * words, and loops run down the rows of a column, several rows per instruction. Bits
 * beyond the image are zero. Everything is counted in bits, so every number is exact.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdint.h>
#include <string.h>

typedef uint64_t word;

/* First and last row, first and last column of words, inclusive; a plane is zero
 * outside its box. An empty box has bottom -1 and last -1. */
typedef struct {
    int64_t top, bottom, first, last;
} box;

/* A structuring element: where its steps start, how many it has, how many pixels it
 * reaches, whether it moves pixels. A step is two integers: what to do, and the row or
 * the distance. */
typedef struct {
    int64_t start, count, reach, moves;
} element;

/* Pixels that do not count: a number of 1, 2, 4 or 8 bytes for each, which is not 0 in
 * its bits `keep` where it does not (the sign of a zero is none). NULL marks none. */
typedef struct {
    const uint8_t *numbers;
    int64_t size;
    word keep;
} void_pixels;

enum { ADD_ROW, GROW, MOVE };

/* Slots of labels without a plane: not expected at all, or not wanted now. */
enum { UNKNOWN = -1, IGNORED = -2 };

#if defined(_MSC_VER) && !defined(__clang__)
#define INLINE static __forceinline
#else
#define INLINE static inline __attribute__((always_inline))
#endif

/* Ask for what is read soon. */
#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)(address))
#endif

INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* Where the lowest and the highest set bit is, in a word that is not zero. */
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
INLINE int lowest_one(word w) {
    unsigned long at;
    _BitScanForward64(&at, w);
    return (int)at;
}
INLINE int highest_one(word w) {
    unsigned long at;
    _BitScanReverse64(&at, w);
    return (int)at;
}
#else
INLINE int lowest_one(word w) { return __builtin_ctzll(w); }
INLINE int highest_one(word w) { return 63 - __builtin_clzll(w); }
#endif

#endif
