/* One epoch of FANN, as a peer of bench.py (see bench_peer.py).
 *
 * FANN has neither softmax nor cross-entropy nor threads: its outputs are
 * sigmoids, its error is their mean square, and it uses one core.  A minibatch
 * is to FANN a training set of its own, of which it does one batch epoch; it
 * is a window on shuffled pointers, so that nothing is copied.
 */
#include <floatfann.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

enum { INPUTS = 784, CLASSES = 10 };

static void die(const char *what)
{
    fprintf(stderr, "bench_fann: %s\n", what);
    exit(1);
}

/* All bytes behind an IDX header; gzread also reads what is not gzipped. */
static unsigned char *read_idx(const char *path, size_t header, size_t each,
                               size_t *n)
{
    enum { MOST = 60000 };
    size_t room = header + MOST * each;
    unsigned char *bytes = malloc(room);
    gzFile file = gzopen(path, "rb");
    if (bytes == NULL || file == NULL)
        die("cannot read the data");
    int length = gzread(file, bytes, (unsigned)room);
    gzclose(file);
    if (length <= (int)header)
        die("an IDX file is too short");
    *n = ((size_t)length - header) / each;
    return bytes + header;
}

static void shuffle(struct fann_train_data *data)
{
    for (unsigned i = data->num_data - 1; i > 0; i--) {
        unsigned j = (unsigned)random() % (i + 1);
        fann_type *input = data->input[i], *output = data->output[i];
        data->input[i] = data->input[j];
        data->output[i] = data->output[j];
        data->input[j] = input;
        data->output[j] = output;
    }
}

static double epoch(struct fann *network, struct fann_train_data *data,
                    unsigned batch)
{
    double error = 0;
    shuffle(data);
    struct fann_train_data window = *data;
    window.num_data = batch;
    for (unsigned i = 0; i + batch <= data->num_data; i += batch) {
        window.input = data->input + i;
        window.output = data->output + i;
        error += (double)fann_train_epoch(network, &window) * batch;
    }
    return error / data->num_data;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc < 6)
        die("usage: bench_fann IMAGES LABELS HIDDEN BATCH RATE ...");
    size_t n, n_labels;
    unsigned char *pixels = read_idx(argv[1], 16, INPUTS, &n);
    unsigned char *labels = read_idx(argv[2], 8, 1, &n_labels);
    if (n != n_labels)
        die("there are not as many labels as images");
    struct fann_train_data *data =
        fann_create_train((unsigned)n, INPUTS, CLASSES);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < INPUTS; j++)
            data->input[i][j] = (fann_type)pixels[i * INPUTS + j] / 255;
        for (size_t k = 0; k < CLASSES; k++)
            data->output[i][k] = labels[i] == k;
    }
    struct fann *network = fann_create_standard(
        3, (unsigned)INPUTS, (unsigned)atoi(argv[3]), (unsigned)CLASSES);
    fann_set_training_algorithm(network, FANN_TRAIN_BATCH);
    fann_set_learning_rate(network, (float)atof(argv[5]));
    fann_set_activation_function_hidden(network, FANN_SIGMOID);
    fann_set_activation_function_output(network, FANN_SIGMOID);
    fann_set_train_error_function(network, FANN_ERRORFUNC_LINEAR);

    printf("ready\tFANN " VERSION "\tno BLAS\n");
    fflush(stdout);
    for (int c; (c = getchar()) != EOF;) {
        if (c != '\n')
            continue;
        double start = now();
        double error = epoch(network, data, (unsigned)atoi(argv[4]));
        printf("%.6f\t%.9g\n", now() - start, error);
        fflush(stdout);
    }
    return 0;
}
