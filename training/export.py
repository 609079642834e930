"""Write the trained classifier as ONNX in the Hugging Face export layout.

In:  `OUT/parameters.npz`, `OUT/tokenizer.json`.
Out: `MODEL/onnx/model.onnx`, `MODEL/config.json`, `MODEL/tokenizer.json`.

The embedding table is int8 with one scale per row and is looked up as int8; all
arithmetic is float32, so a score does not depend on what else is in the batch.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .batches import MAX_TOKENS
from .prepare import LABELS

OPSET = 18
IR_VERSION = 9


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def integers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))

    def add(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output


def quantized_rows(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = np.maximum(np.abs(table).max(axis=1), 1e-8) / 127
    return np.round(table / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def build(parameters: dict[str, np.ndarray]) -> onnx.ModelProto:
    graph = _Graph()
    add = graph.add
    rows, scale = quantized_rows(parameters["embedding"])
    embedding = rows.shape[1]
    width = parameters["convolution"].shape[0] // embedding
    before = (width - 1) // 2
    graph.constant("embedding", rows)
    graph.constant("embedding_scale", scale)
    for name in ("convolution", "convolution_bias", "hidden", "hidden_bias", "output", "output_bias"):
        graph.constant(name, parameters[name].astype(np.float32))
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
    add("Concat", ["strongest", "feature_mean", "embedded_mean"], "pooled", axis=1)
    add("Gemm", ["pooled", "hidden", "hidden_bias"], "hidden_sum")
    add("Relu", ["hidden_sum"], "hidden_activated")
    add("Gemm", ["hidden_activated", "output", "output_bias"], "logits")

    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(LABELS)])]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "sluice-default", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="sluice-training",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def config(parameters: dict[str, np.ndarray]) -> dict:
    return {
        "model_type": "sluice-cnn",
        "architectures": ["SluiceCnnForSequenceClassification"],
        "problem_type": "multi_label_classification",
        "id2label": {str(index): label for index, label in enumerate(LABELS)},
        "label2id": {label: index for index, label in enumerate(LABELS)},
        "vocab_size": int(parameters["embedding"].shape[0]),
        "hidden_size": int(parameters["embedding"].shape[1]),
        "max_position_embeddings": 512,
        "max_length": MAX_TOKENS,
        "pad_token_id": 0,
    }


def export(out: Path, model: Path) -> None:
    with np.load(out / "parameters.npz") as archive:
        parameters = dict(archive)
    (model / "onnx").mkdir(parents=True, exist_ok=True)
    onnx.save(build(parameters), str(model / "onnx" / "model.onnx"))
    (model / "config.json").write_text(json.dumps(config(parameters), indent=2) + "\n")
    shutil.copyfile(out / "tokenizer.json", model / "tokenizer.json")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    arguments = parser.parse_args()
    export(arguments.out, arguments.model)
