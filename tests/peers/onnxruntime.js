// onnxruntime.js FOLDER MODEL D < NUMBERS: runs a model with onnxruntime-web
// from FOLDER/node_modules on rows of D numbers, raw float32 (or float64, if
// the model is in double precision), and prints a line of probabilities a row.
'use strict';
const { createRequire } = require('module');
const { readFileSync } = require('fs');
const { resolve } = require('path');
const [folder, file, d] = process.argv.slice(2);
const ort = createRequire(resolve(folder) + '/')('onnxruntime-web');

async function main() {
    ort.env.wasm.numThreads = 1;
    const double = process.argv[5] === 'double';
    const session = await ort.InferenceSession.create(readFileSync(file));
    const bytes = readFileSync(0);
    const numbers = new (double ? Float64Array : Float32Array)(
        bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const X = new ort.Tensor(double ? 'float64' : 'float32', numbers,
        [numbers.length / d, Number(d)]);
    const output = await session.run({ [session.inputNames[0]]: X });
    const { data, dims } = output[session.outputNames[0]];
    for (let i = 0; i < dims[0]; i++)
        console.log(Array.from(data.slice(i * dims[1], (i + 1) * dims[1]))
            .join(' '));
}

main().catch(error => {
    console.error(String(error));
    process.exit(1);
});
