/* All kernels for one instruction set: included once for each of them.
 *
 * LEVEL names it: functions are called `<name>_<LEVEL>`. WIDE says what it has:
 * nothing (0), SSE2 (1), AVX2 (2), AVX-512 (3) or NEON (4).
 */
#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(name) JOIN(name, LEVEL)

/* How many bits of a word are set. */
INLINE int64_t NAME(count_ones)(word w) {
#if WIDE == 2 || WIDE == 3
    return __builtin_popcountll(w);
#else
    /* Pairs, nibbles, bytes: the vectoriser does several words at once. */
    w -= w >> 1 & 0x5555555555555555u;
    w = (w & 0x3333333333333333u) + (w >> 2 & 0x3333333333333333u);
    return (int64_t)(((w + (w >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
#endif
}

#if WIDE == 4
/* The lanes of four vectors, all ones or zeros, as the bits of a word. */
INLINE word NAME(mask)(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
    const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
    a = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
    c = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
    a = vpaddq_u8(a, c);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(a, a)), 0);
}
#endif

/* Which of 64 pixels are `label`, as one word. */
INLINE word NAME(equal8)(const uint8_t *pixels, uint8_t label) {
    word same = 0;
#if WIDE == 3
    same = _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(pixels), _mm512_set1_epi8((char)label));
#elif WIDE == 2
    const __m256i wanted = _mm256_set1_epi8((char)label);
    for (int i = 0; i < 64; i += 32) {
        __m256i found = _mm256_loadu_si256((const __m256i *)(pixels + i));
        uint32_t bits = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(found, wanted));
        same |= (word)bits << i;
    }
#elif WIDE == 1
    const __m128i wanted = _mm_set1_epi8((char)label);
    for (int i = 0; i < 64; i += 16) {
        __m128i found = _mm_loadu_si128((const __m128i *)(pixels + i));
        uint32_t bits = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(found, wanted));
        same |= (word)bits << i;
    }
#elif WIDE == 4
    const uint8x16_t wanted = vdupq_n_u8(label);
    same = NAME(mask)(vceqq_u8(vld1q_u8(pixels), wanted),
                      vceqq_u8(vld1q_u8(pixels + 16), wanted),
                      vceqq_u8(vld1q_u8(pixels + 32), wanted),
                      vceqq_u8(vld1q_u8(pixels + 48), wanted));
#else
    for (int i = 0; i < 64; i++) same |= (word)(pixels[i] == label) << i;
#endif
    return same;
}

INLINE word NAME(equal16)(const uint16_t *pixels, uint16_t label) {
    word same = 0;
#if WIDE == 3
    const __m512i wanted = _mm512_set1_epi16((short)label);
    same = _mm512_cmpeq_epi16_mask(_mm512_loadu_si512(pixels), wanted);
    same |= (word)_mm512_cmpeq_epi16_mask(_mm512_loadu_si512(pixels + 32), wanted) << 32;
#elif WIDE == 1 || WIDE == 2
    const __m128i wanted = _mm_set1_epi16((short)label);
    for (int i = 0; i < 64; i += 16) {
        __m128i low = _mm_loadu_si128((const __m128i *)(pixels + i));
        __m128i high = _mm_loadu_si128((const __m128i *)(pixels + i + 8));
        __m128i found = _mm_packs_epi16(_mm_cmpeq_epi16(low, wanted),
                                        _mm_cmpeq_epi16(high, wanted));
        same |= (word)(uint32_t)_mm_movemask_epi8(found) << i;
    }
#elif WIDE == 4
    const uint16x8_t wanted = vdupq_n_u16(label);
    uint8x16_t found[4];
    for (int i = 0; i < 4; i++) {
        uint16x8_t low = vceqq_u16(vld1q_u16(pixels + 16 * i), wanted);
        uint16x8_t high = vceqq_u16(vld1q_u16(pixels + 16 * i + 8), wanted);
        found[i] = vcombine_u8(vmovn_u16(low), vmovn_u16(high));
    }
    same = NAME(mask)(found[0], found[1], found[2], found[3]);
#else
    for (int i = 0; i < 64; i++) same |= (word)(pixels[i] == label) << i;
#endif
    return same;
}

#define PIXEL uint8_t
#define BITS 8
#include "labels.h"
#undef PIXEL
#undef BITS
#define PIXEL uint16_t
#define BITS 16
#include "labels.h"
#undef PIXEL
#undef BITS
#include "masks.h"
#include "outlines.h"
#include "dilation.h"

#undef JOIN2
#undef JOIN
#undef NAME
#undef LEVEL
#undef WIDE
