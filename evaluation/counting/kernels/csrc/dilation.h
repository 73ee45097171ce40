/* Boundary pixels within tolerance of other boundary pixels.
 *
 * `grown` is a plane with one more column on either side: a lopsided element may carry
 * pixels past the frame's edge and back. Its column c starts at (c + 1) * height. */

/* OR a plane, moved up by `dy` rows, into the region of `grown`. */
INLINE void NAME(add_row)(word *restrict grown, const box *region,
                          const word *restrict plane, const box *b, int64_t height,
                          int64_t dy) {
    const int64_t top = larger(region->top, b->top - dy);
    const int64_t bottom = smaller(region->bottom, b->bottom - dy);
    const int64_t first = larger(region->first, b->first);
    const int64_t last = smaller(region->last, b->last);
    for (int64_t column = first; column <= last; column++) {
        word *words = grown + (column + 1) * height;
        for (int64_t y = top; y <= bottom; y++)
            words[y] |= plane[column * height + dy + y];
    }
}

/* Move the rows of a column east or west by 1 to 63 pixels and OR what `keep` selects
 * of the old ones; `beside` is the column that pixels come in from. */
INLINE void NAME(shift_east)(word *words, const word *restrict beside, int64_t top,
                             int64_t bottom, int pixels, word keep) {
    for (int64_t y = top; y <= bottom; y++)
        words[y] = (words[y] & keep) | words[y] << pixels | beside[y] >> (64 - pixels);
}

INLINE void NAME(shift_west)(word *words, const word *restrict beside, int64_t top,
                             int64_t bottom, int pixels, word keep) {
    for (int64_t y = top; y <= bottom; y++)
        words[y] = (words[y] & keep) | words[y] >> pixels | beside[y] << (64 - pixels);
}

/* Move the region of `grown` by 1 to 63 pixels, east or (negative) west, in the
 * direction that reads each column before it is overwritten. */
INLINE void NAME(shift)(word *grown, const box *region, int64_t height, int pixels,
                        word keep, const word *zeros) {
    const int64_t first = region->first, last = region->last;
    for (int64_t i = 0; i <= last - first; i++) {
        const int64_t column = pixels > 0 ? last - i : first + i;
        word *words = grown + (column + 1) * height;
        if (pixels > 0)
            NAME(shift_east)(words, column > first ? words - height : zeros, region->top,
                             region->bottom, pixels, keep);
        else
            NAME(shift_west)(words, column < last ? words + height : zeros, region->top,
                             region->bottom, -pixels, keep);
    }
}

/* Fill the region of `grown` with a plane, dilated by the steps of an element. */
static void NAME(dilate)(word *grown, const box *region, const word *plane, const box *b,
                         int64_t height, const word *zeros, const int64_t *steps,
                         int64_t count) {
    for (int64_t column = region->first; column <= region->last; column++)
        memset(grown + (column + 1) * height + region->top, 0,
               (size_t)(region->bottom - region->top + 1) * sizeof(word));
    for (int64_t i = 0; i < count; i++) {
        const int64_t pixels = steps[2 * i + 1];
        if (steps[2 * i] == ADD_ROW)
            NAME(add_row)(grown, region, plane, b, height, pixels);
        else
            NAME(shift)(grown, region, height, (int)pixels,
                        steps[2 * i] == GROW ? ~(word)0 : 0, zeros);
    }
}

/* Make `joined` cover `b`, too. */
INLINE void NAME(join_boxes)(box *joined, const box *b) {
    if (joined->bottom < 0) {
        *joined = *b;
    } else if (b->bottom >= 0) {
        joined->top = smaller(joined->top, b->top);
        joined->bottom = larger(joined->bottom, b->bottom);
        joined->first = smaller(joined->first, b->first);
        joined->last = larger(joined->last, b->last);
    }
}

/* Whether any source of the pairs `start` to `end` has a pixel in a column's rows. */
INLINE int NAME(occupied)(const word *planes, const int64_t *pairs, int64_t start,
                          int64_t end, int64_t size, int64_t height, int64_t column,
                          int64_t top, int64_t bottom) {
    word any = 0;
    for (int64_t p = start; p < end; p++) {
        const word *words = planes + pairs[2 * p] * size + column * height;
        for (int64_t y = top; y <= bottom; y++) any |= words[y];
    }
    return any != 0;
}

/* What has to be computed for a tile, where a plane with box `b` is dilated by `e`: rows
 * within reach, and beside the tile the columns that pixels come in from. An element
 * that moves pixels may carry them past the tile, even past the frame, and back. */
INLINE box NAME(tile_region)(box tile, const box *b, const element *e, int64_t columns) {
    const int64_t margin = (e->reach + 63) / 64;
    box region;
    region.top = larger(tile.top, b->top - e->reach);
    region.bottom = smaller(tile.bottom, b->bottom + e->reach);
    region.first = larger(tile.first, b->first - margin);
    region.last = smaller(tile.last, b->last + margin);
    if (e->moves) {
        region.first = larger(larger(tile.first, b->first) - margin, -1);
        region.last = smaller(smaller(tile.last, b->last) + margin, columns);
    } else {
        if (b->first < region.first)
            region.first = larger(region.first - margin, b->first);
        if (b->last > region.last)
            region.last = smaller(region.last + margin, b->last);
    }
    return region;
}

/* Add the pixels of the sources of the pairs `start` to `end` that lie in a tile, within
 * tolerance of their common target, to `matched`. */
INLINE void NAME(match_tile)(box tile, const word *planes, const box *boxes,
                             int64_t height, int64_t columns, const word *zeros,
                             const int64_t *pairs, int64_t start, int64_t end,
                             const int64_t *steps, const element *e, word *grown,
                             int64_t *matched) {
    const int64_t size = columns * height, target = pairs[2 * start + 1];
    const box *b = boxes + target;
    const box region = NAME(tile_region)(tile, b, e, columns);
    if (region.bottom < region.top || region.last < region.first) return;
    NAME(dilate)(grown, &region, planes + target * size, b, height, zeros,
                 steps + 2 * e->start, e->count);
    tile.top = region.top;
    tile.bottom = region.bottom;
    tile.first = larger(tile.first, region.first);
    tile.last = smaller(tile.last, region.last);
    for (int64_t p = start; p < end; p++)
        matched[p] += NAME(overlap)(planes + pairs[2 * p] * size, boxes + pairs[2 * p],
                                    grown + height, &tile, height);
}

/* Rows of a tile: few enough that a dilation stays in the processor's nearest cache. */
#define TILE_ROWS 128

/* Count the pixels of one outline that are within tolerance of another.
 *
 * `pairs` is [pair_count, 2] numbers of planes, those with the same second one (the
 * target) together; `use` [pair_count] says which element they take. Result: `matched`
 * [pair_count]. An outline is thin: of the box around the sources, only tiles with
 * pixels in them are looked at. */
static void NAME(match)(const word *planes, const box *boxes, int64_t height,
                        int64_t width, const word *zeros, const int64_t *pairs,
                        int64_t pair_count, const int64_t *steps, const element *elements,
                        const int64_t *use, word *grown, int64_t *matched) {
    const int64_t columns = (width + 63) / 64, size = columns * height;
    int64_t end = 0;
    for (int64_t start = 0; start < pair_count; start = end) {
        const int64_t target = pairs[2 * start + 1];
        box all = {0, -1, 0, -1}, tile;
        for (; end < pair_count && pairs[2 * end + 1] == target && use[end] == use[start];
             end++) {
            NAME(join_boxes)(&all, boxes + pairs[2 * end]);
            matched[end] = 0;
        }
        if (boxes[target].bottom < 0) continue;
        for (tile.top = all.top; tile.top <= all.bottom; tile.top += TILE_ROWS) {
            tile.bottom = smaller(tile.top + TILE_ROWS - 1, all.bottom);
            for (tile.first = all.first; tile.first <= all.last; tile.first++) {
                tile.last = tile.first;
                while (tile.last <= all.last &&
                       NAME(occupied)(planes, pairs, start, end, size, height, tile.last,
                                      tile.top, tile.bottom))
                    tile.last++;
                if (tile.last-- == tile.first) continue;
                NAME(match_tile)(tile, planes, boxes, height, columns, zeros, pairs,
                                 start, end, steps, elements + use[start], grown,
                                 matched);
                tile.first = tile.last + 1;
            }
        }
    }
}
#undef TILE_ROWS
