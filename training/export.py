"""Write the trained classifier as ONNX in the Hugging Face export layout.

In:  `OUT/<task>/NAME.npz`, `OUT/<task>/tokenizer.json`.
Out: `MODEL/onnx/model.onnx`, `MODEL/config.json`, `MODEL/tokenizer.json`.

The embedding table is int8 with one scale per row and is looked up as int8; the other weights are
stored as int8 with one scale per column, or float16 where they are few, and widened when the session
loads. All arithmetic is float32, so a score does not depend on what else is in the batch.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .batches import MAX_TOKENS
from .tasks import TASKS, Task
from .wide_features import BUCKETS, FACTOR

OPSET = 18
# A table with fewer rows in use than this share is stored without the others.
SPARSE = 0.8
IR_VERSION = 9
WEIGHTS = ("convolution", "convolution_bias", "attention", "hidden", "hidden_bias", "output", "output_bias")


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def integers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))

    def weight(self, name: str, value: np.ndarray) -> str:
        """Stored small; the runtime folds the cast and the scaling into one constant when it loads the graph."""
        if value.ndim < 2 or value.size < 50_000:
            self.constant(f"{name}_half", value.astype(np.float16))
            return self.add("Cast", [f"{name}_half"], name, to=TensorProto.FLOAT)
        columns, scale = quantized_rows(value.T)
        self.constant(f"{name}_int8", np.ascontiguousarray(columns.T))
        self.add("Cast", [f"{name}_int8"], f"{name}_units", to=TensorProto.FLOAT)
        return self.add("Mul", [f"{name}_units", self.constant(f"{name}_scale", scale)], name)

    def add(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output


def quantized_rows(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = np.maximum(np.abs(table).max(axis=1), 1e-8) / 127
    return np.round(table / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def wide_logits(graph: _Graph, parameters: dict[str, np.ndarray]) -> str:
    """The linear part (`linear.py`): weights of subwords and of hashed pairs, summed over the root of the length."""
    add = graph.add
    rows, scale = quantized_rows(parameters["wide"].T)
    graph.constant("wide", np.ascontiguousarray(rows.T))
    vocabulary = parameters["embedding"].shape[0]
    position, channel, one = graph.integers("wide_axis", 1), graph.integers("wide_channel", 2), graph.integers("next", 1)
    # Neither the first token nor the last one of a text is a subword: the frame of the tokenizer.
    last, end, two = graph.integers("before_last", -1), graph.integers("far_end", 2**31), graph.integers("second", 2)
    start = graph.integers("start", 0)
    # A position counts if its right neighbour is real, which leaves out the last token; Slice leaves out the first.
    add("Slice", ["mask", two, end, position], "inner_mask")
    add("Slice", ["input_ids", one, last, position], "inner_ids")
    add("Slice", ["input_ids", two, last, position], "second_ids")
    add("Slice", ["inner_ids", start, last, position], "first_ids")
    add("Mul", ["first_ids", graph.constant("factor", np.array(FACTOR, np.int64))], "first_spread")
    add("Add", ["first_spread", "second_ids"], "pair_sum")
    add("Mod", ["pair_sum", graph.constant("buckets", np.array(BUCKETS, np.int64))], "pair_bucket")
    add("Add", ["pair_bucket", graph.constant("pairs_from", np.array(vocabulary, np.int64))], "pair_ids")
    add("Concat", ["inner_ids", "pair_ids"], "wide_ids", axis=1)
    add("Slice", ["inner_mask", one, end, position], "pair_mask")
    add("Concat", ["inner_mask", "pair_mask"], "wide_mask", axis=1)
    add("Gather", ["wide", "wide_ids"], "wide_int8")
    add("Cast", ["wide_int8"], "wide_units", to=TensorProto.FLOAT)
    add("Unsqueeze", ["wide_mask", channel], "wide_mask_column")
    add("Mul", ["wide_units", "wide_mask_column"], "wide_real")
    add("ReduceSum", ["wide_real", position], "wide_sum", keepdims=0)
    add("ReduceSum", ["inner_mask", position], "inner_count", keepdims=1)
    add("Max", ["inner_count", "one"], "inner_length")
    add("Sqrt", ["inner_length"], "inner_root")
    add("Div", ["wide_sum", "inner_root"], "wide_scaled")
    add("Mul", ["wide_scaled", graph.constant("wide_scale", scale)], "wide_weighted")
    add("Add", ["wide_weighted", graph.constant("wide_bias", parameters["wide_bias"])], "wide_everywhere")
    if "gate" not in parameters:
        return "wide_everywhere"
    return add("Add", ["wide_everywhere", register_logits(graph, parameters)], "wide_logits")


def register_logits(graph: _Graph, parameters: dict[str, np.ndarray]) -> str:
    """What each register would add, times how much the text looks like it. After `wide_logits`."""
    add = graph.add
    vocabulary, registers, labels = parameters["own"].shape
    table = np.concatenate([parameters["gate"], parameters["own"].reshape(vocabulary, -1)], axis=1)
    bias = np.concatenate([parameters["gate_bias"], parameters["own_bias"].ravel()])
    used = np.flatnonzero(np.abs(table).max(axis=1) > 0)
    place = "inner_ids"
    if len(used) < SPARSE * vocabulary:
        # Row 0 is all zeros, for every subword without a weight here.
        rows_of = np.zeros(vocabulary, np.int32)
        rows_of[used] = np.arange(1, len(used) + 1)
        table = np.concatenate([np.zeros((1, table.shape[1]), table.dtype), table[used]])
        place = add("Gather", [graph.constant("register_rows", rows_of), "inner_ids"], "register_places")
    rows, scale = quantized_rows(table.T)
    graph.constant("register", np.ascontiguousarray(rows.T))
    add("Gather", ["register", place], "register_int8")
    add("Cast", ["register_int8"], "register_units", to=TensorProto.FLOAT)
    add("Unsqueeze", ["inner_mask", "wide_channel"], "inner_mask_column")
    add("Mul", ["register_units", "inner_mask_column"], "register_real")
    add("ReduceSum", ["register_real", "wide_axis"], "register_sum", keepdims=0)
    add("Div", ["register_sum", "inner_root"], "register_scaled")
    add("Mul", ["register_scaled", graph.constant("register_scale", scale)], "register_weighted")
    add("Add", ["register_weighted", graph.constant("register_bias", bias.astype(np.float32))], "register_all")
    add("Slice", ["register_all", "start", graph.integers("gates", registers), "wide_axis"], "gate_logits")
    add("Slice", ["register_all", "gates", "far_end", "wide_axis"], "own_flat")
    # None of the registers has the logit 0.
    add("Mul", ["inner_length", graph.constant("nothing", np.zeros(1, np.float32))], "gate_none")
    add("Concat", ["gate_none", "gate_logits"], "gate_choices", axis=1)
    add("Softmax", ["gate_choices"], "gate_shares", axis=1)
    add("Slice", ["gate_shares", "next", "far_end", "wide_axis"], "gate_own")
    add("Unsqueeze", ["gate_own", "wide_channel"], "gate_column")
    add("Reshape", ["own_flat", graph.integers("own_shape", -1, registers, labels)], "own_logits")
    add("Mul", ["own_logits", "gate_column"], "own_shared")
    return add("ReduceSum", ["own_shared", "wide_axis"], "register_logits", keepdims=0)


def build(parameters: dict[str, np.ndarray], task: Task) -> onnx.ModelProto:
    graph = _Graph()
    add = graph.add
    rows, scale = quantized_rows(parameters["embedding"])
    embedding = rows.shape[1]
    width = parameters["convolution"].shape[0] // embedding
    before = (width - 1) // 2
    graph.constant("embedding", rows)
    graph.constant("embedding_scale", scale)
    for name in WEIGHTS:
        graph.weight(name, parameters[name])
    filters, heads = parameters["attention"].shape
    position, channel = graph.integers("position_axis", 1), graph.integers("channel_axis", 2)

    add("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    add("Unsqueeze", ["mask", channel], "mask_column")
    add("Gather", ["embedding", "input_ids"], "embedded_int8")
    add("Cast", ["embedded_int8"], "embedded_units", to=TensorProto.FLOAT)
    add("Gather", ["embedding_scale", "input_ids"], "row_scale")
    add("Mul", ["row_scale", "mask"], "masked_scale")
    add("Unsqueeze", ["masked_scale", channel], "masked_scale_column")
    add("Mul", ["embedded_units", "masked_scale_column"], "embedded")

    add("Pad", ["embedded", graph.integers("border", 0, before, 0, 0, width - 1 - before, 0)], "padded")
    shifted = []
    for i in range(width):
        first = graph.integers(f"first_{i}", i)
        # An end of 0 would be empty, so the last window runs to the largest index.
        last = graph.integers(f"last_{i}", i - (width - 1) if i < width - 1 else 2**31)
        shifted.append(add("Slice", ["padded", first, last, position], f"shifted_{i}"))
    add("Concat", shifted, "windows", axis=2)
    add("MatMul", ["windows", "convolution"], "convolved")
    add("Add", ["convolved", "convolution_bias"], "convolved_biased")
    add("Relu", ["convolved_biased"], "activated")
    add("Mul", ["activated", "mask_column"], "features")

    add("ReduceSum", ["mask", position], "tokens", keepdims=1)
    # A row that is all padding must not become NaN.
    add("Max", ["tokens", graph.constant("one", np.ones(1, np.float32))], "length")
    add("ReduceMax", ["features", position], "strongest", keepdims=0)
    add("ReduceSum", ["features", position], "feature_sum", keepdims=0)
    add("Div", ["feature_sum", "length"], "feature_mean")
    add("ReduceSum", ["embedded", position], "embedded_sum", keepdims=0)
    add("Div", ["embedded_sum", "length"], "embedded_mean")
    # Padding must not draw attention: far below any real position before the softmax.
    one = graph.constant("one_scalar", np.array(1, np.float32))
    add("Sub", ["mask_column", one], "padding_below")
    add("Mul", ["padding_below", graph.constant("far", np.array(1e4, np.float32))], "padding_far_below")
    add("MatMul", ["features", "attention"], "attention_logits")
    add("Add", ["attention_logits", "padding_far_below"], "attention_masked")
    add("Transpose", ["attention_masked"], "attention_by_head", perm=[0, 2, 1])
    add("Softmax", ["attention_by_head"], "attention_share", axis=2)
    add("MatMul", ["attention_share", "features"], "attended_all")
    # Each head keeps its own share of the filters.
    own = np.kron(np.eye(heads), np.ones((1, filters // heads))).astype(np.float32)
    add("Mul", ["attended_all", graph.constant("own_filters", own[None])], "attended_own")
    add("ReduceSum", ["attended_own", position], "attended", keepdims=0)
    add("Concat", ["strongest", "feature_mean", "attended", "embedded_mean"], "pooled", axis=1)
    add("Gemm", ["pooled", "hidden", "hidden_bias"], "hidden_sum")
    add("Relu", ["hidden_sum"], "hidden_activated")
    add("Gemm", ["hidden_activated", "output", "output_bias"], "deep_logits")
    add("Add", ["deep_logits", wide_logits(graph, parameters)], "logits")

    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(task.labels)])]
    model = helper.make_model(
        helper.make_graph(graph.nodes, f"sluice-{task.name}", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="sluice-training",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def config(parameters: dict[str, np.ndarray], task: Task) -> dict:
    return {
        "model_type": "sluice-cnn",
        "architectures": ["SluiceCnnForSequenceClassification"],
        "problem_type": "single_label_classification" if task.exclusive else "multi_label_classification",
        "id2label": {str(index): label for index, label in enumerate(task.labels)},
        "label2id": {label: index for index, label in enumerate(task.labels)},
        "vocab_size": int(parameters["embedding"].shape[0]),
        "hidden_size": int(parameters["embedding"].shape[1]),
        "max_position_embeddings": 512,
        "max_length": MAX_TOKENS,
        "pad_token_id": 0,
    }


def export(task: Task, out: Path, name: str, model: Path) -> None:
    with np.load(out / task.name / f"{name}.npz") as archive:
        parameters = dict(archive)
    (model / "onnx").mkdir(parents=True, exist_ok=True)
    onnx.save(build(parameters, task), str(model / "onnx" / "model.onnx"))
    (model / "config.json").write_text(json.dumps(config(parameters, task), indent=2) + "\n")
    shutil.copyfile(out / task.name / "tokenizer.json", model / "tokenizer.json")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--name", default="parameters")
    parser.add_argument("--model", type=Path, required=True)
    arguments = parser.parse_args()
    export(TASKS[arguments.task], arguments.out, arguments.name, arguments.model)
