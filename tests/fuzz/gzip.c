/* The source of bytes under the readers of data: the input as it is, and as
   gzip members with right checksums, which chance would not find. A source
   must give the same whatever the sizes of the pieces that are asked for. */
#include <stdlib.h>
#include <string.h>
#include "memory.h"
#include "source.h"

enum { MOST = 20000 };
static uint8_t packed[2 * MOST], whole[MOST], pieces[MOST];

static bool read_by(size_t piece, uint8_t *to, size_t *n)
{
    g_auto(Source) s = {0};
    size_t got;

    *n = 0;
    if (!source_open(&s, MEMORY, NULL))
        return false;
    do {
        if (!source_read(&s, to + *n, MIN(piece, MOST - *n), &got, NULL))
            return false;
        *n += got;
    } while (got == piece && *n < MOST);
    g_free(source_sha256(&s));
    return true;
}

static bool read_both(size_t piece, size_t *n)
{
    size_t n_pieces;
    const bool ok = read_by(MOST, whole, n);

    if (read_by(piece, pieces, &n_pieces) != ok
        || (ok && (n_pieces != *n || memcmp(whole, pieces, *n) != 0)))
        abort();
    return ok;
}

/* A member of one stored block, RFC 1951 and 1952; returns its end. */
static uint8_t *pack(uint8_t *to, const uint8_t *bytes, size_t n)
{
    const uLong crc = crc32_z(0, bytes, n);
    uint8_t head[15] = {0x1f, 0x8b, 8, [9] = 3, 1};

    head[11] = (uint8_t)n;
    head[12] = (uint8_t)(n >> 8);
    head[13] = (uint8_t)~head[11];
    head[14] = (uint8_t)~head[12];
    memcpy(to, head, sizeof head);
    memcpy(to + sizeof head, bytes, n);
    to += sizeof head + n;
    for (int i = 0; i < 8; i++)
        *to++ = (uint8_t)((i < 4 ? crc : n) >> (8 * (i % 4)));
    return to;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    size_t first, got;
    uint8_t *end;

    if (n == 0 || n > MOST)
        return -1;
    memory_file(MEMORY, bytes, n);
    read_both(1 + bytes[n - 1], &got);
    first = bytes[0] % n;
    end = pack(packed, bytes, first);
    end = pack(end, bytes + first, n - first);
    memory_file(MEMORY, packed, (size_t)(end - packed));
    if (!read_both(1 + bytes[n - 1], &got) || got != n
        || memcmp(whole, bytes, n) != 0)
        abort();
    return 0;
}
