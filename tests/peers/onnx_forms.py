"""Writes a model of mlp in other forms, with the tools of ONNX.

onnx_forms.py MODEL FOLDER: makes FOLDER/same/NAME.onnx, which compute what
MODEL does in the documented graph, and FOLDER/other/NAME.onnx, which do not.
"""
import os
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

original = onnx.load(sys.argv[1])
folder = sys.argv[2]
for kind in "same", "other":
    os.makedirs(os.path.join(folder, kind))


def write(kind, name, change, checked=True):
    """Let change(model, graph) alter a copy of the model, and save it."""
    model = onnx.ModelProto()
    model.CopyFrom(original)
    changed = change(model, model.graph)
    data = changed if isinstance(changed, bytes) \
        else model.SerializeToString()
    path = os.path.join(folder, kind, name.replace(" ", "-") + ".onnx")
    with open(path, "wb") as out:
        out.write(data)
    if kind == "same" and checked:
        onnx.checker.check_model(path, full_check=True)


def same(change):
    write("same", change.__doc__, change)


def other(change):
    write("other", change.__doc__, change)


def tensor(graph, name):
    return next(t for t in graph.initializer if t.name == name)


def replace(graph, name, array, raw=True):
    old = tensor(graph, name)
    new = numpy_helper.from_array(numpy.ascontiguousarray(array), name)
    if not raw:
        new = helper.make_tensor(name, new.data_type, array.shape,
                                 array.ravel())
    old.CopyFrom(new)


def arrays(graph):
    return {t.name: numpy_helper.to_array(t) for t in graph.initializer}


@same
def saved_again(model, graph):
    "saved again"


@same
def listed(model, graph):
    "numbers as a list"
    for name, array in arrays(graph).items():
        replace(graph, name, array, raw=False)
        assert not tensor(graph, name).HasField("raw_data")


@same
def listed_double(model, graph):
    "numbers of double precision as a list"
    for name, array in arrays(graph).items():
        replace(graph, name, array.astype(numpy.float64), raw=False)
    for port in (*graph.input, *graph.output):
        port.type.tensor_type.elem_type = TensorProto.DOUBLE


@same
def renamed(model, graph):
    "other names"
    for n, node in enumerate(graph.node):
        node.name = f"node {n}"
        for names in node.input, node.output:
            names[:] = ["a " + name for name in names]
    for item in (*graph.initializer, *graph.input, *graph.output):
        item.name = "a " + item.name
    graph.name = "another"


@same
def annotated(model, graph):
    "annotated"
    model.producer_name = "another program"
    model.producer_version = "7"
    model.doc_string = graph.doc_string = "words"
    model.model_version = 3
    entry = model.metadata_props.add()
    entry.key, entry.value = "author", "somebody"
    inferred = onnx.shape_inference.infer_shapes(model)
    assert inferred.graph.value_info
    model.CopyFrom(inferred)


@same
def without_notes(model, graph):
    "without notes"
    del model.metadata_props[:]


@same
def fixed(model, graph):
    "a fixed number of rows"
    for port in (*graph.input, *graph.output):
        port.type.tensor_type.shape.dim[0].dim_value = 7


@same
def inputs(model, graph):
    "parameters among the inputs"
    for t in graph.initializer:
        graph.input.insert(0, helper.make_tensor_value_info(
            t.name, t.data_type, t.dims))


@same
def spelled_out(model, graph):
    "defaults spelled out"
    for node in graph.node:
        if node.op_type == "Gemm":
            node.attribute.extend([helper.make_attribute("alpha", 1.0),
                                   helper.make_attribute("beta", 1.0),
                                   helper.make_attribute("transA", 0)])
        if node.op_type == "Softmax":
            node.attribute[0].i = -1


@same
def shuffled(model, graph):
    "parameters in another order"
    tensors = list(graph.initializer)[::-1]
    del graph.initializer[:]
    graph.initializer.extend(tensors)


@same
def unused(model, graph):
    "a parameter that nobody uses"
    graph.initializer.append(numpy_helper.from_array(numpy.zeros(9), "u"))


@same
def more_sets(model, graph):
    "another operator set beside"
    model.opset_import.insert(0, helper.make_opsetid("ai.onnx.ml", 2))


def with_opset(version, domain=""):
    def change(model, graph):
        model.opset_import[0].version = version
        model.opset_import[0].domain = domain
    return change


for version in 11, 12, 13, 17:
    write("same", f"operator set {version}", with_opset(version))
# As the standard has it; the checker knows the empty name only.
write("same", "operator set by name", with_opset(15, "ai.onnx"),
      checked=False)
for version in -1, 0, 7, 10, 24, 1 << 40:
    write("other", f"operator set {version}", with_opset(version))
write("other", "no operator set", with_opset(13, "somebody.else"))


@other
def no_graph(model, graph):
    "no graph"
    model.ClearField("graph")


@other
def tanh(model, graph):
    "another function"
    graph.node[3].op_type = "Tanh"


@other
def lines(model, graph):
    "an operator with line ends"
    graph.node[3].op_type = "Re\nlu\x1b[31m" * 100


@other
def foreign(model, graph):
    "an operator of another set"
    graph.node[3].domain = "somebody.else"


@other
def nameless(model, graph):
    "an operator without a name"
    graph.node[3].ClearField("op_type")


@other
def longer(model, graph):
    "one node more"
    graph.node.append(helper.make_node("Relu", ["probabilities"], ["more"]))


@other
def shorter(model, graph):
    "one node less"
    del graph.node[-1]
    graph.output[0].name = "oa"


@other
def crossed(model, graph):
    "a node that reads another"
    graph.node[4].input[0] = "standardized"


@other
def no_inputs(model, graph):
    "a node that reads nothing"
    del graph.node[3].input[:]


@other
def two_outputs(model, graph):
    "a node with two outputs"
    graph.node[3].output.append("again")


@other
def no_outputs(model, graph):
    "a node without outputs"
    del graph.node[5].output[:]


@other
def fewer(model, graph):
    "no bias"
    del graph.node[4].input[2]


@other
def missing(model, graph):
    "a missing parameter"
    graph.initializer.remove(tensor(graph, "b2"))


@other
def another_output(model, graph):
    "the logits as output"
    graph.output[0].name = "oa"


@other
def more_outputs(model, graph):
    "two outputs"
    graph.output.append(helper.make_tensor_value_info(
        "oa", TensorProto.FLOAT, ["N", 2]))


@other
def without_outputs(model, graph):
    "no output"
    del graph.output[:]


@other
def two_inputs(model, graph):
    "two inputs"
    graph.input.append(helper.make_tensor_value_info(
        "Y", TensorProto.FLOAT, ["N", 2]))


@other
def first_input(model, graph):
    "an input before the input"
    graph.input.insert(0, helper.make_tensor_value_info(
        "Y", TensorProto.FLOAT, ["N", 2]))


@other
def other_input(model, graph):
    "an input that nobody reads"
    graph.input[0].name = "Y"


@other
def not_transposed(model, graph):
    "weights the other way round"
    graph.node[2].attribute[0].i = 0
    replace(graph, "W1", arrays(graph)["W1"].T)


@other
def attribute_missing(model, graph):
    "an attribute missing"
    del graph.node[2].attribute[:]


@other
def scaled(model, graph):
    "a factor"
    graph.node[2].attribute.append(helper.make_attribute("alpha", 2.0))


@other
def axis(model, graph):
    "another axis"
    graph.node[5].attribute[0].i = 0


@other
def words(model, graph):
    "an attribute in words"
    graph.node[2].attribute[0].CopyFrom(helper.make_attribute("transB", "1"))


@other
def first_factor(model, graph):
    "a factor before the attribute"
    graph.node[2].attribute.insert(0, helper.make_attribute("alpha", 2.0))


@other
def unnamed_input(model, graph):
    "an input without a name"
    graph.input[0].ClearField("name")


@other
def mixed(model, graph):
    "two types of number"
    replace(graph, "b1", arrays(graph)["b1"].astype(numpy.float64))


@other
def half(model, graph):
    "half precision"
    for name, array in arrays(graph).items():
        replace(graph, name, array.astype(numpy.float16))


@other
def integers(model, graph):
    "integers"
    for name, array in arrays(graph).items():
        replace(graph, name, array.astype(numpy.int64))


@other
def no_type(model, graph):
    "no type"
    tensor(graph, "shift").ClearField("data_type")


@other
def external(model, graph):
    "numbers in another file"
    t = tensor(graph, "W1")
    t.ClearField("raw_data")
    t.data_location = TensorProto.EXTERNAL
    entry = t.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def reshape(name, *dims):
    def change(model, graph):
        tensor(graph, name).dims[:] = dims
    return change


for name, dims in (("W1", (2, 3)), ("W1", (6,)), ("W1", (6, 1)),
                   ("W2", (3, 2)), ("W2", ()), ("b1", (3, 1)), ("b1", (1, 3)),
                   ("shift", (1, 2)), ("scale", (2, 1)), ("b2", (1,)),
                   ("W1", (0, 2)), ("W1", (3, 0)), ("W1", (-3, -2)),
                   ("W1", (1 << 20, 1 << 20)), ("W1", (1 << 62, 4)),
                   ("W1", (1 << 32, 1 << 32)), ("W2", (1 << 31, 3)),
                   ("W1", (3, 1 << 32)), ("W1", (3, 2, 1)),
                   ("b1", (3, 1, 1, 1, 1))):
    write("other", f"{name} of shape {'x'.join(map(str, dims))}",
          reshape(name, *dims))


@other
def cut_numbers(model, graph):
    "a byte less in a parameter"
    t = tensor(graph, "W1")
    t.raw_data = t.raw_data[:-1]


@other
def half_a_number(model, graph):
    "a byte more in a parameter"
    tensor(graph, "W1").raw_data += bytes(1)


@other
def more_numbers(model, graph):
    "a number more in a parameter"
    tensor(graph, "b2").raw_data += bytes(4)


@other
def no_numbers(model, graph):
    "a parameter without numbers"
    tensor(graph, "b2").ClearField("raw_data")


@other
def infinite(model, graph):
    "an infinite number"
    replace(graph, "b2", numpy.float32([numpy.inf, 0]))


@other
def nan(model, graph):
    "no number in a list"
    replace(graph, "b2", numpy.float32([numpy.nan, 0]), raw=False)


def note(key, value):
    def change(model, graph):
        entry = model.metadata_props.add()
        entry.key, entry.value = "mlp." + key, value
    return change


for name, key, value in (
        ("a name too few", "class_names", "a\n"),
        ("a name too many", "class_names", "a\nb\nc\n"),
        ("a name without end", "class_names", "a\nb"),
        ("a bad escape", "class_names", "a%zz\nb\n"),
        ("an escaped end of string", "class_names", "a%00\nb\n"),
        ("no names", "feature_names", ""),
        ("a seed in words", "seed", "one"),
        ("a seed too large", "seed", str(1 << 32)),
        ("a negative seed", "seed", "-1")):
    write("other", name, note(key, value))


def varint(n):
    out = bytearray()
    while n >= 128:
        out.append(n % 128 + 128)
        n //= 128
    out.append(n)
    return bytes(out)


def field(number, payload):
    return varint(number * 8 + 2) + varint(len(payload)) + payload


def nested(depth):
    """A graph within an attribute of a node of a graph, and so on."""
    payload = b""
    for _ in range(depth):
        payload = field(1, field(5, field(6, payload)))
    return field(7, payload)


@other
def deep(model, graph):
    "a graph within a graph within"
    return nested(20000)


@other
def many(model, graph):
    "a million empty nodes"
    return field(7, field(1, b"") * 1000000)


@other
def many_numbers(model, graph):
    "a million numbers by single fields"
    return field(7, field(5, bytes([0x25, 0, 0, 0, 0]) * 1000000))


@other
def trailing(model, graph):
    "a byte more"
    return model.SerializeToString() + b"\0"


@other
def twice(model, graph):
    "two models"
    return model.SerializeToString() * 2


@other
def nothing(model, graph):
    "nothing"
    return b""


@other
def group(model, graph):
    "an open group"
    return model.SerializeToString() + b"\x0b"
