/* The reader of CSV files, with each way to find the header and the label. What has
   been read as training data must also be readable as test data, alike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "csv.h"
#include "memory.h"

static void check(const Dataset *data)
{
    if (data->n == 0 || data->d == 0 || data->m == 0 || data->bytes)
        abort();
    for (size_t i = 0; i < data->n * data->d; i++)
        if (!isfinite(data->values[i]))
            abort();
    for (size_t j = 0; j < data->n; j++)
        if (data->labels[j] < 0 || (size_t)data->labels[j] >= data->m)
            abort();
}

static void read_again(const CsvFormat *format, const Dataset *like)
{
    CsvFormat as = *format;
    Dataset data;

    as.like = like;
    if (!csv_read(MEMORY, &as, &data, NULL))
        abort();
    check(&data);
    if (data.n != like->n || data.d != like->d || data.m != like->m
        || memcmp(data.labels, like->labels, data.n * sizeof(int)) != 0)
        abort();
    dataset_free(&data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const CsvFormat formats[] = {
        {.label = NULL}, {.label = "1"}, {.label = "k"},
        {.label = NULL, .header = HEADER_YES},
        {.label = "2", .header = HEADER_NO},
    };
    const CsvFormat *format = &formats[n % G_N_ELEMENTS(formats)];
    Dataset data;

    memory_file(MEMORY, bytes, n);
    if (csv_read(MEMORY, format, &data, NULL)) {
        check(&data);
        read_again(format, &data);
        dataset_free(&data);
    }
    return 0;
}
