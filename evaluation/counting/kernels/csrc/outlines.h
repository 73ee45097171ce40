/* Areas and outlines of masks. */

/* Pixels set in a plane. */
static int64_t NAME(area)(const word *plane, const box *b, int64_t height) {
    int64_t total = 0;
    for (int64_t column = b->first; column <= b->last; column++) {
        const word *words = plane + column * height;
        for (int64_t y = b->top; y <= b->bottom; y++) total += NAME(count_ones)(words[y]);
    }
    return total;
}

/* Pixels set in both planes, as far as both boxes go. */
static int64_t NAME(overlap)(const word *a, const box *a_box, const word *b,
                             const box *b_box, int64_t height) {
    const int64_t first = larger(a_box->first, b_box->first);
    const int64_t last = smaller(a_box->last, b_box->last);
    const int64_t top = larger(a_box->top, b_box->top);
    const int64_t bottom = smaller(a_box->bottom, b_box->bottom);
    int64_t total = 0;
    for (int64_t column = first; column <= last; column++) {
        const word *a_words = a + column * height, *b_words = b + column * height;
        for (int64_t y = top; y <= bottom; y++)
            total += NAME(count_ones)(a_words[y] & b_words[y]);
    }
    return total;
}

/* Which of 64 pixels differ from an eastern, southern or south-eastern neighbour.
 * `east` are the 64 pixels to their east, `south` and `south_east` those below;
 * `self_east` marks the pixels that stand in for their own eastern neighbour. */
INLINE word NAME(edge_word)(word here, word east, word south, word south_east,
                            word self_east) {
    const word right = here >> 1 | east << 63 | (here & self_east);
    const word below_right = south >> 1 | south_east << 63 | (south & self_east);
    return (here ^ right) | (here ^ south) | (here ^ below_right);
}

/* Replace rows `top` to `bottom` of a column by its outline. Downwards in place: what
 * is still to be read is untouched. The frame's last row is its own south. */
INLINE void NAME(outline_column)(word *words, const word *restrict east, int64_t top,
                                 int64_t bottom, int64_t height, word self_east) {
    for (int64_t y = top; y <= smaller(bottom, height - 2); y++)
        words[y] = NAME(edge_word)(words[y], east[y], words[y + 1], east[y + 1], self_east);
    if (bottom == height - 1) {
        const word here = words[bottom], right = east[bottom];
        words[bottom] = NAME(edge_word)(here, right, here, right, self_east);
    }
}

/* Replace a mask by its boundary map, and its box by that of the boundary.
 *
 * A boundary pixel differs from its eastern, southern or south-eastern neighbour;
 * beyond the last row and column the neighbour is the pixel itself. `zeros` is an empty
 * column. Returns the number of boundary pixels. */
static int64_t NAME(outline)(word *plane, box *b, int64_t height, int64_t width,
                             const word *zeros) {
    if (b->bottom < 0) return 0;
    const int64_t edge_column = (width - 1) / 64;
    const word edge = (word)1 << (width - 1) % 64;
    b->top = larger(b->top - 1, 0);
    b->first = larger(b->first - 1, 0);
    for (int64_t column = b->first; column <= b->last; column++) {
        word *words = plane + column * height;
        if (column == edge_column)
            NAME(outline_column)(words, zeros, b->top, b->bottom, height, edge);
        else
            NAME(outline_column)(words, words + height, b->top, b->bottom, height, 0);
    }
    return NAME(area)(plane, b, height);
}

/* Count the pixels of `count` masks, then turn each into its outline. Results: `areas`
 * and `outlines` [count], and `overlaps` [pair_count], pixels in both masks of a pair. */
static void NAME(measure)(word *planes, box *boxes, int64_t count, int64_t height,
                          int64_t width, const word *zeros, const int64_t *pairs,
                          int64_t pair_count, int64_t *areas, int64_t *overlaps,
                          int64_t *outlines) {
    const int64_t size = (width + 63) / 64 * height;
    for (int64_t k = 0; k < count; k++)
        areas[k] = NAME(area)(planes + k * size, boxes + k, height);
    for (int64_t p = 0; p < pair_count; p++) {
        const int64_t a = pairs[2 * p], b = pairs[2 * p + 1];
        overlaps[p] = NAME(overlap)(planes + a * size, boxes + a, planes + b * size,
                                    boxes + b, height);
    }
    for (int64_t k = 0; k < count; k++)
        outlines[k] = NAME(outline)(planes + k * size, boxes + k, height, width, zeros);
}
