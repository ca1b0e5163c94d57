/* The reader of IDX files, gzipped or not: labels with four good images, or
   images with or without four good labels, as the rank says. */
#include <stdlib.h>
#include "idx.h"
#include "memory.h"

static const uint8_t four_images[] = {
    0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 9, 8, 7, 6
};
static const uint8_t four_labels[] = {0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 255, 1};

/* Every element is touched, for the sanitizer to see that it is there. */
static void check(Dataset *data)
{
    size_t zeros = 0;

    if (data->n == 0 || data->d == 0 || data->values)
        abort();
    for (size_t i = 0; i < data->n * data->d; i++)
        zeros += data->bytes[i] == 0;
    for (size_t j = 0; j < data->n; j++)
        if (data->labels[j] < 0 || (data->m > 0
            && (size_t)data->labels[j] >= data->m))
            abort();
    if (zeros > data->n * data->d)
        abort();
    dataset_free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Dataset data;

    memory_file(MEMORY, bytes, n);
    if (n > 3 && (bytes[3] == 1 || bytes[0] == 0x1f)) {
        memory_file(PARTNER, four_images, sizeof four_images);
        if (idx_read(PARTNER, MEMORY, &data, NULL))
            check(&data);
    }
    if (n > 3 && bytes[3] == 1)
        return 0;
    memory_file(PARTNER, four_labels, sizeof four_labels);
    if (idx_read(MEMORY, PARTNER, &data, NULL))
        check(&data);
    if (idx_read_images(MEMORY, &data, NULL))
        check(&data);
    return 0;
}
