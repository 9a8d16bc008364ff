"""lxml reads the fields of PubMed's XML that the silver table has, without cleaning them."""

from __future__ import annotations

import gzip
import sys
from typing import Any

from lxml import etree


def text(element: Any) -> str:
    return "" if element is None else "".join(element.itertext())


def main() -> None:
    rows = []
    with gzip.open(sys.argv[1]) as source:
        for _, article in etree.iterparse(source, tag="PubmedArticle"):
            rows.append(
                (
                    article.findtext("MedlineCitation/PMID"),
                    text(article.find(".//ArticleTitle")),
                    " ".join(text(section) for section in article.findall(".//Abstract/AbstractText")),
                    [(part.tag, part.text) for part in article.find(".//PubDate")],
                    article.findtext(".//Journal/Title"),
                )
            )
            article.clear()
    print(len(rows))


if __name__ == "__main__":
    main()
