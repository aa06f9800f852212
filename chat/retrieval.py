"""Which pages of a long document a question is about: those that share its telling words (BM25). Pure, no model."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chat.estimates import of_text

# The two constants of BM25: how soon repeating a word stops to matter, and how much long pages are held back.
REPEATS = 1.5
LENGTH = 0.75
# A letter of a script that is written without spaces is a word of its own.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")

type Page = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Chosen:
    """`pages` in their order; `how` says whether that is all of them, the relevant ones, or, when no page shares a word
    with the question, the beginning."""

    pages: list[Page]
    how: Literal["all", "relevant", "beginning"]

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.pages]


def words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def choose(pages: Sequence[Page], question: str, budget: int) -> Chosen:
    """As many pages as `budget` tokens hold, the most telling first. A single page may be cut to fit."""
    if sum(of_text(text) for _, text in pages) <= budget:
        return Chosen(list(pages), "all")
    scores = _scores(pages, question)
    found = any(scores)
    ranked = sorted(range(len(pages)), key=lambda index: (-scores[index], index)) if found else range(len(pages))
    taken: list[Page] = []
    left = budget
    for index in ranked:
        number, text = pages[index]
        if found and not scores[index]:
            break
        if of_text(text) <= left:
            taken.append((number, text))
            left -= of_text(text)
        elif not taken:
            # A letter has at most the four bytes of a token.
            return Chosen([(number, text[:left])], "relevant" if found else "beginning")
    return Chosen(sorted(taken), "relevant" if found else "beginning")


def _scores(pages: Sequence[Page], question: str) -> list[float]:
    counted = [Counter(words(text)) for _, text in pages]
    lengths = [counts.total() for counts in counted]
    average = sum(lengths) / len(pages) or 1.0
    scores = [0.0] * len(pages)
    for word in set(words(question)):
        holding = sum(word in counts for counts in counted)
        if not holding:
            continue
        weight = math.log(1 + (len(pages) - holding + 0.5) / (holding + 0.5))
        for index, counts in enumerate(counted):
            often = counts[word]
            held_back = REPEATS * (1 - LENGTH + LENGTH * lengths[index] / average)
            scores[index] += weight * often * (REPEATS + 1) / (often + held_back)
    return scores
