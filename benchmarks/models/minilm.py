"""Writes a model of the size of MiniLM-L6 (6 layers of 384, 12 heads, 30,522 word pieces) with random weights, dynamic int8 and fp32.

Its answers mean nothing; its arithmetic is that of the real one. `python minilm.py TEXTS.txt FOLDER`, one text a line.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

LAYERS, WIDTH, HEADS, INNER, PIECES, POSITIONS, LABELS = 6, 384, 12, 1536, 30_522, 512, 6
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
random = np.random.default_rng(7)
constants: list = []
nodes: list = []


def weights(name: str, *shape: int) -> str:
    constants.append(numpy_helper.from_array((random.standard_normal(shape) * 0.02).astype(np.float32), name))
    return name


def constant(name: str, values, kind=np.int64) -> str:
    constants.append(numpy_helper.from_array(np.array(values, kind), name))
    return name


def node(kind: str, inputs: list, output: str, **attributes) -> str:
    nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
    return output


def linear(value: str, name: str, width: int, out: int) -> str:
    product = node("MatMul", [value, weights(f"{name}.weight", width, out)], f"{name}.product")
    return node("Add", [product, weights(f"{name}.bias", out)], name)


def normalised(value: str, name: str) -> str:
    constants.append(numpy_helper.from_array(np.ones(WIDTH, np.float32), f"{name}.scale"))
    return node("LayerNormalization", [value, f"{name}.scale", weights(f"{name}.bias", WIDTH)], name, axis=-1, epsilon=1e-12)


def heads(value: str, name: str, order: list) -> str:
    parts = node("Reshape", [value, "head_shape"], f"{name}.parts")
    return node("Transpose", [parts], f"{name}.heads", perm=order)


def attention(value: str, name: str) -> str:
    query = heads(linear(value, f"{name}.query", WIDTH, WIDTH), f"{name}.query", [0, 2, 1, 3])
    key = heads(linear(value, f"{name}.key", WIDTH, WIDTH), f"{name}.key", [0, 2, 3, 1])
    content = heads(linear(value, f"{name}.value", WIDTH, WIDTH), f"{name}.value", [0, 2, 1, 3])
    scores = node("Div", [node("MatMul", [query, key], f"{name}.raw"), "root"], f"{name}.scores")
    shares = node("Softmax", [node("Add", [scores, "bias_of_mask"], f"{name}.masked")], f"{name}.shares", axis=-1)
    mixed = node("Transpose", [node("MatMul", [shares, content], f"{name}.mixed")], f"{name}.back", perm=[0, 2, 1, 3])
    return linear(node("Reshape", [mixed, "flat_shape"], f"{name}.flat"), f"{name}.out", WIDTH, WIDTH)


def gelu(value: str, name: str) -> str:
    error = node("Erf", [node("Div", [value, "root_two"], f"{name}.scaled")], f"{name}.erf")
    grown = node("Mul", [value, node("Add", [error, "one"], f"{name}.plus")], f"{name}.grown")
    return node("Mul", [grown, "half"], name)


def graph() -> onnx.ModelProto:
    constant("head_shape", [0, 0, HEADS, WIDTH // HEADS])
    constant("flat_shape", [0, 0, WIDTH])
    for name, value in {"root": np.sqrt(WIDTH / HEADS), "root_two": np.sqrt(2), "one": 1, "half": 0.5, "low": -10_000}.items():
        constant(name, value, np.float32)
    constant("first", 0)
    constant("zero", [0])
    constant("second", [1])
    constant("third", [2])
    words = node("Gather", [weights("words", PIECES, WIDTH), "input_ids"], "word_rows")
    length = node("Slice", [node("Shape", ["input_ids"], "shape"), "second", "third"], "length")
    places = node("Slice", [weights("places", POSITIONS, WIDTH), "zero", length, "zero"], "place_rows")
    value = normalised(node("Add", [words, places], "embedded"), "embeddings")
    mask = node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    wide = node("Unsqueeze", [mask, constant("middle", [1, 2])], "wide_mask")
    node("Mul", [node("Sub", ["one", wide], "missing"), "low"], "bias_of_mask")
    for layer in range(LAYERS):
        name = f"layer{layer}"
        added = node("Add", [value, attention(value, f"{name}.attention")], f"{name}.added")
        value = normalised(added, f"{name}.norm")
        inner = gelu(linear(value, f"{name}.inner", WIDTH, INNER), f"{name}.gelu")
        value = normalised(node("Add", [value, linear(inner, f"{name}.outer", INNER, WIDTH)], f"{name}.sum"), f"{name}.norm2")
    head = node("Gather", [value, "first"], "head", axis=1)
    pooled = node("Tanh", [linear(head, "pooler", WIDTH, WIDTH)], "pooled")
    node("Identity", [linear(pooled, "classifier", WIDTH, LABELS)], "logits")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"]) for name in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", LABELS])]
    made = helper.make_graph(nodes, "minilm-sized", inputs, outputs, constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def tokenizer(texts: list) -> Tokenizer:
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    made.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=PIECES, special_tokens=SPECIAL, show_progress=False))
    made.post_processor = processors.BertProcessing(("[SEP]", SPECIAL.index("[SEP]")), ("[CLS]", SPECIAL.index("[CLS]")))
    return made


def main() -> None:
    texts, folder = Path(sys.argv[1]).read_text().splitlines(), Path(sys.argv[2])
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    plain = folder / "onnx" / "model_fp32.onnx"
    onnx.save(graph(), plain)
    quantize_dynamic(plain, folder / "onnx" / "model.onnx", weight_type=QuantType.QInt8)
    tokenizer(texts).save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({
        "model_type": "bert", "problem_type": "multi_label_classification", "pad_token_id": 0,
        "max_position_embeddings": POSITIONS, "id2label": {str(label): f"label_{label}" for label in range(LABELS)},
    }, indent=2) + "\n")


main()
