"""Train the WordPiece vocabulary of a task.

In:  the texts of the train split (`OUT/examples.jsonl`).
Out: `OUT/<task>/tokenizer.json` in Hugging Face tokenizers format, without truncation or padding.
"""

import argparse
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from .tasks import TASKS, Task, vocabulary_texts

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
LARGEST_ALPHABET = 5_500
# Marks that people leave out as they please: accents of Latin letters, vowel signs and stretching of Arabic.
# One rule each and never a group: the pipeline then knows that no rule looks across a space, and caches words.
OPTIONAL_MARKS = [chr(code) for code in (*range(0x0300, 0x0305), 0x030C, 0x0323, 0x0327, *range(0x064B, 0x0653), 0x0640)]
SAME_LETTER = {"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "’": "'"}


def build_normalizer() -> normalizers.Normalizer:
    return normalizers.Sequence([
        normalizers.NFKD(),
        *(normalizers.Replace(mark, "") for mark in OPTIONAL_MARKS),
        normalizers.NFKC(),
        *(normalizers.Replace(letter, same) for letter, same in SAME_LETTER.items()),
        # Account names and addresses say nothing, yet they would fill the vocabulary; so would numbers.
        normalizers.Replace(Regex(r"@\w+"), "@user"),
        normalizers.Replace(Regex(r"https?://\S+"), " http "),
        normalizers.Replace(Regex(r"\d\d\d\d\d\d\d+"), "0long"),
        normalizers.Replace(Regex(r"\d\d\d+"), "000"),
        normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=True),
    ])


def train_tokenizer(task: Task, out: Path) -> None:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=60))
    tokenizer.normalizer = build_normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.BertPreTokenizer(),
        # WordPiece gives up a whole word for one unknown character, so every symbol stands alone.
        pre_tokenizers.Split(Regex(r"[\p{So}\p{Sk}\p{Sm}\p{Sc}]"), "isolated"),
        # It gives up overlong words as well: unspaced Thai, or a letter held down.
        pre_tokenizers.Split(Regex(r"\S{40}"), "isolated"),
    ])
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=task.vocabulary, special_tokens=SPECIAL, limit_alphabet=LARGEST_ALPHABET, min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(vocabulary_texts(task, out), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    (out / task.name).mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / task.name / "tokenizer.json"), pretty=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--task", choices=TASKS, required=True)
    arguments = parser.parse_args()
    train_tokenizer(TASKS[arguments.task], arguments.out)
