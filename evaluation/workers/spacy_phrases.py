"""spaCy's PhraseMatcher on lower-cased tokens of a blank English pipeline; of hits that overlap, the longest.

That is spaCy's own choice (`filter_spans`): the longest first, and of equally long ones the leftmost.
"""

from __future__ import annotations

from typing import Any, Sequence

import spacy
from serve import Names, Spans, flat, serve
from spacy.matcher import PhraseMatcher


def build(names: Names) -> tuple[Any, Any]:
    language = spacy.blank("en")
    matcher = PhraseMatcher(language.vocab, attr="LOWER")
    matcher.add("drug", list(language.tokenizer.pipe(flat(names))))
    return language, matcher


def search(built: tuple[Any, Any], texts: Sequence[str]) -> Spans:
    language, matcher = built
    spans: Spans = []
    for document in language.pipe(texts):
        found = spacy.util.filter_spans(matcher(document, as_spans=True))
        spans.append([(span.start_char, span.end_char) for span in found])
    return spans


if __name__ == "__main__":
    serve(build, search, "spacy")
