"""Train the WordPiece vocabulary.

In:  the texts of the train split (`OUT/examples.jsonl`).
Out: `OUT/tokenizer.json` in Hugging Face tokenizers format, without truncation or padding.
"""

import argparse
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from .prepare import read_examples

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
VOCABULARY_SIZE = 32_000
LARGEST_ALPHABET = 5_500


def train_tokenizer(out: Path) -> None:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=60))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFKC(),
        # Account names and addresses say nothing, yet they would fill the vocabulary.
        normalizers.Replace(Regex(r"@\w+"), "@user"),
        normalizers.Replace(Regex(r"https?://\S+"), " http "),
        normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=True),
    ])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.BertPreTokenizer(),
        # WordPiece gives up a whole word for one unknown character, so every symbol stands alone.
        pre_tokenizers.Split(Regex(r"[\p{So}\p{Sk}\p{Sm}\p{Sc}]"), "isolated"),
    ])
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY_SIZE, special_tokens=SPECIAL, limit_alphabet=LARGEST_ALPHABET, min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator((row["text"] for row in read_examples(out, "train")), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    train_tokenizer(parser.parse_args().out)
