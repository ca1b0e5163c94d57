/* The reader of ONNX models: what has been read is finite, and has its names. */
#include <math.h>
#include <stdlib.h>
#include "memory.h"
#include "model.h"

static void check(const Model *model)
{
    const Network *net = &model->net;

    for (size_t i = 0; i < net->n_theta; i++)
        if (!isfinite(net->theta[i]))
            abort();
    for (size_t i = 0; i < net->d; i++)
        if (!isfinite(model->standardization.shift[i])
            || !isfinite(model->standardization.scale[i]))
            abort();
    if ((model->class_names && g_strv_length(model->class_names) != net->m)
        || (model->feature_names
            && g_strv_length(model->feature_names) != net->d))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Model model;

    memory_file(MEMORY, bytes, n);
    if (model_load(MEMORY, &model, NULL)) {
        check(&model);
        model_free(&model);
    }
    return 0;
}
