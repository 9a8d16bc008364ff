"""flashtext as its README shows it: `add_keyword` for each name, `extract_keywords(span_info=True)` for each text."""

from __future__ import annotations

from typing import Any, Sequence

from flashtext import KeywordProcessor
from serve import Names, Spans, flat, serve


def build(names: Names) -> Any:
    processor = KeywordProcessor()
    for name in flat(names):
        processor.add_keyword(name)
    return processor


def search(processor: Any, texts: Sequence[str]) -> Spans:
    return [[(start, end) for _, start, end in processor.extract_keywords(text, span_info=True)] for text in texts]


if __name__ == "__main__":
    serve(build, search, "flashtext")
