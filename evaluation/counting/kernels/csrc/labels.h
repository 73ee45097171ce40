/* From label maps to bit planes, in one look at every pixel.
 *
 * Included once for each type of PIXEL, which has BITS bits. A label map is
 * [height, width] with `pitch` pixels from one row to the next.
 */
#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define TYPED(name) NAME(PASTE(name, BITS))

/* Make `b` reach `column` in row `y`; rows come in order. */
INLINE void TYPED(grow_box)(box *b, int64_t y, int64_t column) {
    if (b->bottom < 0) {
        b->top = y;
        b->first = b->last = column;
    }
    b->bottom = y;
    b->first = smaller(b->first, column);
    b->last = larger(b->last, column);
}

/* Scatter 64 pixels of row `y` over the planes of the objects they show, leaving out
 * the first `skip`, 0 to 63. Returns whether a label is UNKNOWN. */
INLINE int64_t TYPED(scatter)(const PIXEL *pixels, int skip, int64_t y, int64_t column,
                              int64_t height, int64_t size, const int32_t *slots,
                              word *planes, box *boxes) {
    int64_t unknown = 0;
    word rest = ~TYPED(equal)(pixels, 0) >> skip;
    while (rest) {
        const PIXEL label = pixels[lowest_one(rest) + skip];
        const word same = TYPED(equal)(pixels, label) >> skip;
        const int32_t slot = slots[label];
        rest &= ~same;
        if (slot >= 0) {
            planes[slot * size + column * height + y] = same;
            TYPED(grow_box)(boxes + slot, y, column);
        } else if (slot == UNKNOWN) {
            unknown = 1;
        }
    }
    return unknown;
}

/* Fill the planes of the labels that have one: `slots[k]` is the number of label k's
 * plane, or UNKNOWN or IGNORED. Returns whether there is an UNKNOWN label. */
static int64_t TYPED(scan)(const PIXEL *labels, int64_t pitch, int64_t height,
                           int64_t width, const int32_t *slots, word *planes,
                           box *boxes) {
    const int64_t whole = width / 64, size = (width + 63) / 64 * height;
    const int skip = (int)((64 - width % 64) % 64);
    int64_t unknown = 0;
    PIXEL narrow[64] = {0};
    for (int64_t y = 0; y < height; y++) {
        const PIXEL *row = labels + y * pitch;
        for (int64_t column = 0; column < whole; column++)
            unknown |= TYPED(scatter)(row + 64 * column, 0, y, column, height, size,
                                      slots, planes, boxes);
        if (skip && whole) {
            /* The last 64 pixels of the row: the first of them were seen before. */
            unknown |= TYPED(scatter)(row + width - 64, skip, y, whole, height, size,
                                      slots, planes, boxes);
        } else if (skip) {
            memcpy(narrow, row, (size_t)width * sizeof(PIXEL));
            unknown |= TYPED(scatter)(narrow, 0, y, 0, height, size, slots, planes, boxes);
        }
    }
    return unknown;
}

/* Set `seen[label]` to 1 for every label of a label map, except background. */
static void TYPED(find)(const PIXEL *labels, int64_t pitch, int64_t height, int64_t width,
                        uint8_t *seen) {
    for (int64_t y = 0; y < height; y++) {
        const PIXEL *row = labels + y * pitch;
        for (int64_t x = 0; width < 64 && x < width; x++) seen[row[x]] = 1;
        for (int64_t x = 0; width >= 64 && x < width; x += 64) {
            const PIXEL *pixels = row + smaller(x, width - 64);
            word rest = ~TYPED(equal)(pixels, 0);
            while (rest) {
                const PIXEL label = pixels[lowest_one(rest)];
                rest &= ~TYPED(equal)(pixels, label);
                seen[label] = 1;
            }
        }
    }
    seen[0] = 0;
}

/* Make a half-open box of pixels reach the pixels `first` to `last` of row `y`. */
INLINE void TYPED(widen)(box *b, int64_t y, int64_t first, int64_t last) {
    if (b->bottom == 0) {
        b->top = y;
        b->first = first;
    }
    b->bottom = y + 1;
    b->first = smaller(b->first, first);
    b->last = larger(b->last, last + 1);
}

/* Find the box of every label of a label map, except background: first row, the row
 * after the last, first column, the column after the last. `boxes` holds four zeros
 * for each possible label; those of labels that do not occur stay. */
static void TYPED(bound)(const PIXEL *labels, int64_t pitch, int64_t height, int64_t width,
                         box *boxes) {
    for (int64_t y = 0; y < height; y++) {
        const PIXEL *row = labels + y * pitch;
        for (int64_t x = 0; width < 64 && x < width; x++)
            if (row[x]) TYPED(widen)(boxes + row[x], y, x, x);
        for (int64_t x = 0; width >= 64 && x < width; x += 64) {
            const int64_t start = smaller(x, width - 64);
            const PIXEL *pixels = row + start;
            word rest = ~TYPED(equal)(pixels, 0);
            while (rest) {
                const PIXEL label = pixels[lowest_one(rest)];
                const word same = TYPED(equal)(pixels, label);
                rest &= ~same;
                TYPED(widen)(boxes + label, y, start + lowest_one(same),
                             start + highest_one(same));
            }
        }
    }
}

#undef PASTE2
#undef PASTE
#undef TYPED
