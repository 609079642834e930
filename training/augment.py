"""Other spellings and other cuts of the training texts.

In:  a text, or a tokenizer, and a source of random numbers.
Out: the text with one to three words respelt as people do who are in a hurry, excited, or hiding from a
     filter: digits for letters, letters apart, a letter masked, doubled, dropped or swapped, or all in
     capitals. Harmless texts are treated alike, so that odd spelling itself means nothing.
     Or the tokenizer without a random part of its subwords: it cuts the same words into other, shorter
     pieces, so that the pieces of rare words are learnt from frequent ones.
"""

import json
import random

from tokenizers import Tokenizer

_LOOKALIKE = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "b": "8", "g": "9", "u": "v", "l": "1"}
RESPELT = 0.3
CUT_OTHERWISE = 0.5
FORGOTTEN = (0.1, 0.5)


def _lookalike(word: str, chosen: random.Random) -> str:
    places = [i for i, letter in enumerate(word) if letter.lower() in _LOOKALIKE]
    picked = set(chosen.sample(places, min(len(places), chosen.choice((1, 1, 2)))))
    return "".join(chosen.choice(_LOOKALIKE[c.lower()]) if i in picked else c for i, c in enumerate(word))


def _apart(word: str, chosen: random.Random) -> str:
    return chosen.choice((" ", ".", "-", "_", "*")).join(word)


def _masked(word: str, chosen: random.Random) -> str:
    place = chosen.randrange(1, len(word) - 1)
    return word[:place] + chosen.choice("*#_-") + word[place + 1 :]


def _held(word: str, chosen: random.Random) -> str:
    place = chosen.randrange(len(word))
    return word[:place] + word[place] * chosen.choice((2, 3, 5)) + word[place + 1 :]


def _dropped(word: str, chosen: random.Random) -> str:
    place = chosen.randrange(1, len(word))
    return word[:place] + word[place + 1 :]


def _swapped(word: str, chosen: random.Random) -> str:
    place = chosen.randrange(len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


_WAYS = (_lookalike, _lookalike, _apart, _masked, _held, _dropped, _swapped)


def respelt(text: str, chosen: random.Random) -> str:
    if chosen.random() < 0.15:
        return text.upper()
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if 3 <= len(word) <= 14 and word.isalpha()]
    for i in chosen.sample(long, min(len(long), chosen.choice((1, 2, 3)))):
        words[i] = chosen.choice(_WAYS)(words[i], chosen)
    return " ".join(words)


def thinned(tokenizer: Tokenizer, chosen: random.Random) -> Tokenizer:
    content = json.loads(tokenizer.to_str())
    forgotten = chosen.uniform(*FORGOTTEN)
    special = {token["content"] for token in content["added_tokens"]}
    content["model"]["vocab"] = {
        token: place for token, place in content["model"]["vocab"].items()
        if token in special or len(token.removeprefix("##")) == 1 or chosen.random() >= forgotten
    }
    return Tokenizer.from_str(json.dumps(content))
