"""Makes models with random weights, exports them by optimum, and writes the scores that Python's onnxruntime gives.

`python make.py true|tiny TEXTS.txt FOLDER`, one text a line as JSON. Each model is a folder as `optimum-cli export onnx` writes it:
`minilm` (BERT, WordPiece, with token types), `distilbert` (WordPiece, without), `xlm-roberta` (SentencePiece unigram, positions
behind the padding id, many labels). `expected.json` has texts and scores. Their answers mean nothing; their shapes are the real ones.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import sentencepiece
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoTokenizer, BertConfig, BertForSequenceClassification, BertTokenizerFast, DistilBertConfig,
    DistilBertForSequenceClassification, DistilBertTokenizerFast, XLMRobertaConfig, XLMRobertaForSequenceClassification, XLMRobertaTokenizerFast,
)

BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SYLLABLES = [c + v for c in "bdfghklmnprstvwz" for v in "aeiouäöüéè"]


def wordpiece(texts: list[str], size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(
        vocab_size=size, limit_alphabet=size // 3, special_tokens=BERT, show_progress=False))
    # What the texts are too few for, as BERT's own has it.
    state = json.loads(tokenizer.to_str())
    vocabulary = state["model"]["vocab"]
    vocabulary.update({f"[unused{i}]": i for i in range(len(vocabulary), size)})
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def unigram(texts: list[str], trained: int, size: int) -> XLMRobertaTokenizerFast:
    """Trained by SentencePiece with XLM-R's normalization; pieces that the texts are too few for are made up, and unlikely."""
    with tempfile.TemporaryDirectory() as folder:
        rules = {"normalization_rule_name": "nmt_nfkc"}
        if size < 10_000:
            # The whole table is 300 kB.
            table = Path(folder) / "rules.tsv"
            table.write_text("FB01\t66 69\nA0\t20\n3000\t20\n65 301\tE9\n9\t20\nA\t20\nD\t20\n")
            rules = {"normalization_rule_tsv": str(table)}
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(text.replace("\0", " ") for text in texts), model_prefix=f"{folder}/sentencepiece.bpe", vocab_size=trained,
            hard_vocab_limit=False, model_type="unigram", character_coverage=0.98 if size < 10_000 else 0.9995, minloglevel=2, num_threads=2, **rules)
        Path(folder, "tokenizer_config.json").write_text("{}")
        tokenizer = XLMRobertaTokenizerFast.from_pretrained(folder)
        tokenizer.save_pretrained(folder)
        path = Path(folder) / "tokenizer.json"
        state = json.loads(path.read_text())
        vocabulary = state["model"]["vocab"]
        mask = next(token for token in state["added_tokens"] if token["content"] == "<mask>")
        vocabulary[:] = [piece for piece in vocabulary if piece[0] != "<mask>"]
        known = {piece for piece, _ in vocabulary}
        lowest = min(score for _, score in vocabulary)
        made_up = random.Random(5)
        while len(vocabulary) < size - 1:
            piece = ("▁" if made_up.random() < 0.5 else "") + "".join(made_up.choices(SYLLABLES, k=made_up.randint(2, 6)))
            if piece not in known:
                known.add(piece)
                vocabulary.append([piece, lowest - made_up.random()])
        vocabulary.append(["<mask>", 0.0])
        mask["id"] = len(vocabulary) - 1
        path.write_text(json.dumps(state, ensure_ascii=False))
        return XLMRobertaTokenizerFast(tokenizer_file=str(path))


def labels(names: list[str], problem: str) -> dict:
    return {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}, "problem_type": problem}


def make(size: str, texts: list[str]):
    """Name, model and tokenizer of each."""
    tiny = size == "tiny"
    pieces = 300 if tiny else 30_522
    words = wordpiece(texts, pieces)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 48}
    mini = shape if tiny else {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    six = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
    yield "minilm", BertForSequenceClassification(BertConfig(
        vocab_size=pieces, pad_token_id=0, **mini, **labels(six, "multi_label_classification"))), BertTokenizerFast(
        tokenizer_object=words, model_max_length=48 if tiny else 512)
    distil = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": 48} if tiny else {}
    yield "distilbert", DistilBertForSequenceClassification(DistilBertConfig(
        vocab_size=pieces, pad_token_id=0, **distil, **labels(["negative", "neutral", "positive"], "single_label_classification"))), DistilBertTokenizerFast(
        tokenizer_object=words, model_max_length=48 if tiny else 512)
    sentences = unigram(texts, 700 if tiny else 30_000, 800 if tiny else 250_002)
    large = {**shape, "max_position_embeddings": 50} if tiny else {
        "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "max_position_embeddings": 514}
    sentences.model_max_length = 48 if tiny else 512
    yield "xlm-roberta", XLMRobertaForSequenceClassification(XLMRobertaConfig(
        vocab_size=len(sentences), type_vocab_size=1, pad_token_id=sentences.pad_token_id, bos_token_id=sentences.bos_token_id,
        eos_token_id=sentences.eos_token_id, **large, **labels([f"policy_{i}" for i in range(28)], "multi_label_classification"))), sentences


def spread_out(model: torch.nn.Module) -> None:
    """The usual random weights give every text the same scores, which any mistake would reproduce: these tell texts apart."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "word_embeddings" in name:
                parameter.normal_()
            elif "embeddings" in name and parameter.dim() == 2:
                parameter.normal_(std=0.3)
            elif parameter.dim() == 2:
                parameter.normal_(std=2 / parameter.shape[1] ** 0.5)


def score(session: onnxruntime.InferenceSession, tokenizer, text: str, problem: str) -> list[float]:
    """One text, unpadded, as a user of transformers would."""
    encoded = tokenizer(text, truncation=True, return_tensors="np")
    inputs = {node.name: encoded[node.name].astype(np.int64) for node in session.get_inputs()}
    logits = session.run(["logits"], inputs)[0][0].astype(np.float64)
    if problem == "multi_label_classification":
        return [float(value) for value in 1 / (1 + np.exp(-logits))]
    grown = np.exp(logits - logits.max())
    return [float(value) for value in grown / grown.sum()]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("size", choices=["true", "tiny"])
    parser.add_argument("texts", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scored", type=int, default=200)
    options = parser.parse_args()
    torch.manual_seed(11)
    texts = [json.loads(line) for line in options.texts.read_text().splitlines()]
    for name, model, tokenizer in make(options.size, texts):
        spread_out(model)
        folder = options.folder / name
        with tempfile.TemporaryDirectory() as trained:
            model.save_pretrained(trained)
            tokenizer.save_pretrained(trained)
            subprocess.run([sys.executable, "-m", "optimum.commands.optimum_cli", "export", "onnx", "--task", "text-classification", "--model", trained, str(folder)], check=True)
        graph = onnx.load(str(folder / "model.onnx"))
        files = ["model.onnx"]
        if name == "minilm":
            # Half precision at the outputs too: the hardest case for a reader.
            files += ["model_fp16.onnx", "model_quantized.onnx"]
            onnx.save(convert_float_to_float16(graph, keep_io_types=False), str(folder / files[1]))
            # What optimum's quantizer does for processors: one scale for all activations of a batch.
            quantize_dynamic(folder / "model.onnx", folder / files[2], weight_type=QuantType.QInt8)
        if name == "distilbert" and options.size == "tiny":
            # As exporters do it with more than 2 GB.
            files.append("model_external.onnx")
            onnx.save(graph, str(folder / files[1]), save_as_external_data=True, location="model_external.onnx_data", size_threshold=256)
        # Every other one short, so that batches need padding.
        scored = [text if row % 2 else text[: 5 + row] for row, text in enumerate(texts[: options.scored])]
        # Longer than any model reads, nothing, and characters that normalizers change.
        scored += [" ".join(texts[:40]), "", "ﬁne ①②③ ｆｕｌｌ ｗｉｄｔｈ e\u0301 İ 👨‍👩‍👧", "x" * 3000]
        expected: dict = {"texts": scored, "scores": {}}
        reader = AutoTokenizer.from_pretrained(folder)
        for file in files:
            session = onnxruntime.InferenceSession(str(folder / file), providers=["CPUExecutionProvider"])
            expected["scores"][file] = [
                [round(value, 6) for value in score(session, reader, text, model.config.problem_type)] for text in expected["texts"]]
        (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
        scores = np.array(expected["scores"]["model.onnx"])
        print(f"{name}: {sum(p.numel() for p in model.parameters()):,} parameters, scores {scores.min():.3f} to {scores.max():.3f}, deviation between texts {scores.std(axis=0).mean():.3f}")


if __name__ == "__main__":
    main()
