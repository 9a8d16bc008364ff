"""How well found spans agree with annotated ones: strict and overlap precision, recall and F1.

A mention is a tuple of fragments, each `(start, end)` in code points of one document; nearly all have a single one.
Counting is done document by document and added up (micro average). README.md beside this file says why it is so.
"""

from __future__ import annotations

from collections import Counter
from typing import Iterable, NamedTuple, Sequence, Tuple

Fragment = Tuple[int, int]
Mention = Tuple[Fragment, ...]


class Score(NamedTuple):
    """Counts over one corpus. `hits` are pairs of a gold and a found mention, each mention in one pair at most."""

    hits: int
    found: int
    gold: int

    @property
    def precision(self) -> float:
        """The share of what was found that is annotated; 0 where nothing was found."""
        return self.hits / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of what is annotated that was found; 0 where nothing is annotated."""
        return self.hits / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.hits / (self.found + self.gold) if self.hits else 0.0


def strict(gold: Sequence[Iterable[Mention]], found: Sequence[Iterable[Mention]]) -> Score:
    """Score a found mention as a hit only where an annotated one has exactly its fragments."""
    hits, total_found, total_gold = 0, 0, 0
    for wanted, given in documents(gold, found):
        hits += len(wanted & given)
        total_found += len(given)
        total_gold += len(wanted)
    return Score(hits, total_found, total_gold)


def overlap(gold: Sequence[Iterable[Mention]], found: Sequence[Iterable[Mention]]) -> Score:
    """Score a found mention as a hit where it shares a character with an annotated one that is not taken yet."""
    hits, total_found, total_gold = 0, 0, 0
    for wanted, given in documents(gold, found):
        hits += count_pairs(wanted, given)
        total_found += len(given)
        total_gold += len(wanted)
    return Score(hits, total_found, total_gold)


def misses(texts: Sequence[str], gold: Sequence[Iterable[Mention]], found: Sequence[Iterable[Mention]]) -> Counter[str]:
    """Annotated mentions that were not found with exactly these fragments, by word."""
    counts: Counter[str] = Counter()
    for text, (wanted, given) in zip(texts, documents(gold, found)):
        counts.update(word(text, mention) for mention in wanted - given)
    return counts


def false_hits(
    texts: Sequence[str], gold: Sequence[Iterable[Mention]], found: Sequence[Iterable[Mention]]
) -> Counter[str]:
    """Found mentions that no annotation has with exactly these fragments, by word."""
    return misses(texts, found, gold)


def top(counts: Counter[str], number: int) -> list[tuple[int, str]]:
    """The most frequent words with their counts, words of equal count in alphabetical order."""
    return [(count, name) for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:number]]


def word(text: str, mention: Mention) -> str:
    """The text of a mention as it is counted: lower case, white space as one blank, gaps between fragments as dots."""
    return " … ".join(" ".join(text[start:end].lower().split()) for start, end in mention)


def documents(
    gold: Sequence[Iterable[Mention]], found: Sequence[Iterable[Mention]]
) -> Iterable[tuple[set[Mention], set[Mention]]]:
    """The mentions of each document as two sets: a repeated one (two codes, two types) counts once."""
    if len(gold) != len(found):
        raise ValueError(f"{len(gold)} annotated documents, but found mentions for {len(found)}")
    return [(set(wanted), set(given)) for wanted, given in zip(gold, found)]


def count_pairs(wanted: set[Mention], given: set[Mention]) -> int:
    """The largest number of pairs of one annotated and one found mention that share a character.

    Augmenting paths (Kuhn): mentions may nest and have gaps, so taking them from left to right is not always best.
    """
    found = sorted(given)
    neighbours = [[number for number, other in enumerate(found) if share(mention, other)] for mention in sorted(wanted)]
    partner: dict[int, int] = {}

    def settle(mention: int, tried: set[int]) -> bool:
        for other in neighbours[mention]:
            if other not in tried:
                tried.add(other)
                if other not in partner or settle(partner[other], tried):
                    partner[other] = mention
                    return True
        return False

    return sum(settle(mention, set()) for mention in range(len(neighbours)))


def share(one: Mention, other: Mention) -> bool:
    """Whether two mentions have a character in common."""
    return any(start < till and begin < end for start, end in one for begin, till in other)
