"""pubmed_parser reads PubMed's XML, with its own choice of fields and the whole date."""

from __future__ import annotations

import sys

import pubmed_parser


def main() -> None:
    print(sum(1 for _ in pubmed_parser.parse_medline_xml(sys.argv[1], year_info_only=False)))


if __name__ == "__main__":
    main()
