/* One object's masks, one byte per pixel: whatever is not 0 is the object. */

/* Which of up to 64 pixels are not 0, as one word. */
INLINE word NAME(object)(const uint8_t *pixels, int64_t count) {
    uint8_t few[64] = {0};
    if (count >= 64) return ~NAME(equal8)(pixels, 0);
    memcpy(few, pixels, (size_t)count);
    return ~NAME(equal8)(few, 0);
}

/* Which of up to 64 pixels from `at` on do not count. */
INLINE word NAME(void_word)(const void_pixels *out, int64_t at, int64_t count) {
    const uint8_t *start = out->numbers + at * out->size;
    word found = 0;
    if (out->size == 1) return NAME(object)(start, count);
    count = smaller(count, 64);
    if (out->size == 2)
        for (int64_t i = 0; i < count; i++)
            found |= (word)((((const uint16_t *)start)[i] & out->keep) != 0) << i;
    else if (out->size == 4)
        for (int64_t i = 0; i < count; i++)
            found |= (word)((((const uint32_t *)start)[i] & out->keep) != 0) << i;
    else
        for (int64_t i = 0; i < count; i++)
            found |= (word)((((const uint64_t *)start)[i] & out->keep) != 0) << i;
    return found;
}

/* Count the pixels in both of two masks of `pixels` each, and those in either. */
INLINE void NAME(compare_whole)(const uint8_t *one, const uint8_t *other, int64_t pixels,
                                int64_t *counts) {
    for (int64_t i = 0; i < pixels; i += 64) {
        const word a = NAME(object)(one + i, pixels - i);
        const word b = NAME(object)(other + i, pixels - i);
        counts[0] += NAME(count_ones)(a & b);
        counts[1] += NAME(count_ones)(a | b);
    }
}

/* Words that are looked at before what is void in them. */
#define RUN 64

/* The same without void pixels, which are numbered from `first` on. They are read only
 * where there is a mask, as reading is most of the work; and a run of words later, lest
 * the processor wait for each. */
INLINE void NAME(compare_part)(const uint8_t *one, const uint8_t *other,
                               const void_pixels *out, int64_t first, int64_t pixels,
                               int64_t *counts) {
    word both[RUN], either[RUN];
    int64_t places[RUN];
    for (int64_t start = 0; start < pixels; start += 64 * RUN) {
        const int64_t end = smaller(start + 64 * RUN, pixels);
        int64_t found = 0;
        for (int64_t i = start; i < end; i += 64) {
            const word a = NAME(object)(one + i, pixels - i);
            const word b = NAME(object)(other + i, pixels - i);
            both[found] = a & b;
            either[found] = a | b;
            places[found] = i;
            PREFETCH(out->numbers + (first + ((a | b) ? i : start)) * out->size);
            found += (a | b) != 0;
        }
        for (int64_t k = 0; out->size > 1 && k < found; k++)
            for (int64_t part = 1; part < out->size; part++)
                PREFETCH(out->numbers + (first + places[k]) * out->size + 64 * part);
        for (int64_t k = 0; k < found; k++) {
            const int64_t i = places[k];
            const word counted = ~NAME(void_word)(out, first + i, pixels - i);
            counts[0] += NAME(count_ones)(both[k] & counted);
            counts[1] += NAME(count_ones)(either[k] & counted);
        }
    }
}
#undef RUN

/* Compare `frames` pairs of masks of `pixels` each, one after another. Result: `counts`
 * [frames, 2], pixels in both and pixels in either. */
static void NAME(compare)(const uint8_t *one, const uint8_t *other,
                          const void_pixels *out, int64_t frames, int64_t pixels,
                          int64_t *counts) {
    for (int64_t t = 0; t < frames; t++) {
        const int64_t first = t * pixels;
        int64_t found[2] = {0, 0};
        if (out->numbers)
            NAME(compare_part)(one + first, other + first, out, first, pixels, found);
        else
            NAME(compare_whole)(one + first, other + first, pixels, found);
        memcpy(counts + 2 * t, found, sizeof(found));
    }
}

/* Fill an empty plane with a mask [height, width] without void pixels. */
static void NAME(pack)(const uint8_t *mask, const void_pixels *out, int64_t height,
                       int64_t width, word *plane, box *b) {
    for (int64_t y = 0; y < height; y++) {
        for (int64_t x = 0; x < width; x += 64) {
            const int64_t i = y * width + x;
            word found = NAME(object)(mask + i, width - x);
            if (out->numbers && found) found &= ~NAME(void_word)(out, i, width - x);
            if (!found) continue;
            plane[x / 64 * height + y] = found;
            NAME(grow_box8)(b, y, x / 64);
        }
    }
}
