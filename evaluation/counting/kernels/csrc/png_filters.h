/* PNG row filters. Source: PNG Specification, W3C, 2003, section 9. */

/* PNG's predictor: whichever neighbour is nearest to left + up - corner. */
INLINE int paeth(int left, int up, int corner) {
    const int to_left = up > corner ? up - corner : corner - up;
    const int to_up = left > corner ? left - corner : corner - left;
    const int sum = left + up - 2 * corner, to_corner = sum < 0 ? -sum : sum;
    if (to_left <= to_up && to_left <= to_corner) return left;
    return to_up <= to_corner ? up : corner;
}

/* Undo one row's filter; `above` is the row above, or zeros. */
INLINE void unfilter_row(uint8_t *restrict row, const uint8_t *restrict above, int kind,
                         int64_t width) {
    int left = 0, corner = 0;
    if (kind == 2) {
        for (int64_t x = 0; x < width; x++) row[x] = (uint8_t)(row[x] + above[x]);
        return;
    }
    for (int64_t x = 0; kind && x < width; x++) {
        const int up = above[x];
        const int predicted = kind == 1   ? left
                              : kind == 3 ? (left + up) / 2
                                          : paeth(left, up, corner);
        row[x] = (uint8_t)(row[x] + predicted);
        left = row[x];
        corner = up;
    }
}
