"""The part of Cloud Logging's query language that the alert policies use, evaluated on log entries.

Comparisons `path=value`, `:` (has), `=~` (regular expression), `<`, `<=`, `>`, `>=`, and lists of values such as
`path=("a" OR "b")`; NOT, OR, AND in this order of precedence, which is that of Cloud Logging; two comparisons side by
side are an AND. Texts are compared without regard to case, regular expressions with it. A comparison with a field that
an entry lacks is false. Anything else raises a `FilterError`, so that no filter means here what it does not mean there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, Mapping

ALERTS = Path(__file__).resolve().parents[2] / "monitoring" / "alerts"
METRICS = ALERTS.with_name("metrics")
Entry = Mapping[str, Any]
Test = Callable[[Entry], bool]

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<operator>=~|<=|>=|[=:<>])|(?P<mark>[()])|(?P<word>[\w.-]+))'
)
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


class FilterError(ValueError):
    """A filter that this module does not understand."""


def policies() -> dict[str, dict[str, Any]]:
    """Each alert policy by the name of its file."""
    import yaml  # the environment of Python 3.8 lacks it

    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(ALERTS.glob("*.yaml"))}


def filters() -> dict[str, Test]:
    """The filter of each alert policy that matches lines."""
    found = {}
    for name, policy in policies().items():
        matched = [condition["condition_matched_log"] for condition in policy["conditions"] if is_of_lines(condition)]
        if matched:
            (condition,) = matched
            found[name] = parse(condition["filter"])
    return found


def is_of_lines(condition: Mapping[str, Any]) -> bool:
    """Whether a condition of a policy matches lines, and not a metric."""
    return "condition_matched_log" in condition


def metrics() -> dict[str, Test]:
    """The filter of each metric of lines."""
    import yaml

    files = sorted(METRICS.glob("*.yaml"))
    return {path.stem: parse(yaml.safe_load(path.read_text(encoding="utf-8"))["filter"]) for path in files}


def parse(text: str) -> Test:
    """Read a filter; the result says whether it matches an entry."""
    tokens = _tokens(text)
    test = _all(tokens)
    if tokens:
        message = f"unexpected {tokens[0][1]} in {text!r}"
        raise FilterError(message)
    return test


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            message = f"not understood: {text[place:]!r}"
            raise FilterError(message)
        kind = str(match.lastgroup)
        found.append((kind, match.group(kind)))
        place = match.end()
    return found


def _all(tokens: list[tuple[str, str]]) -> Test:
    tests = [_any(tokens)]
    while tokens and tokens[0] != ("mark", ")"):
        if tokens[0] == ("word", "AND"):
            tokens.pop(0)
        tests.append(_any(tokens))
    return lambda entry: all(test(entry) for test in tests)


def _any(tokens: list[tuple[str, str]]) -> Test:
    tests = [_one(tokens)]
    while tokens and tokens[0] == ("word", "OR"):
        tokens.pop(0)
        tests.append(_one(tokens))
    return lambda entry: any(test(entry) for test in tests)


def _one(tokens: list[tuple[str, str]]) -> Test:
    kind, text = _next(tokens)
    if (kind, text) == ("word", "NOT"):
        inner = _one(tokens)
        return lambda entry: not inner(entry)
    if (kind, text) == ("mark", "("):
        inner = _all(tokens)
        if _next(tokens) != ("mark", ")"):
            raise FilterError("a parenthesis is not closed")
        return inner
    if kind != "word" or text in ("AND", "OR"):
        message = f"expected a field, found {text}"
        raise FilterError(message)
    operator_kind, operator = _next(tokens)
    if operator_kind != "operator":
        message = f"expected an operator behind {text}, found {operator}"
        raise FilterError(message)
    tests = [_comparison(operator, value) for value in _values(tokens)]
    return lambda entry: any(test(_field(entry, text)) for test in tests)


def _values(tokens: list[tuple[str, str]]) -> list[str]:
    """One value, or several in parentheses with OR between them."""
    kind, text = _next(tokens)
    if (kind, text) != ("mark", "("):
        return [_value(kind, text)]
    found = [_value(*_next(tokens))]
    while True:
        follows = _next(tokens)
        if follows == ("mark", ")"):
            return found
        if follows != ("word", "OR"):
            message = f"expected OR between values, found {follows[1]}"
            raise FilterError(message)
        found.append(_value(*_next(tokens)))


def _value(kind: str, text: str) -> str:
    if kind == "text":
        if re.search(r'\\[^"\\]', text):
            message = f"an escape whose meaning is not certain in {text}"
            raise FilterError(message)
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if kind != "word":
        message = f"expected a value, found {text}"
        raise FilterError(message)
    return text


def _comparison(operator: str, value: str) -> Callable[[Any], bool]:
    if operator == "=~":
        if re.search(r"\(\?|\\\d", value):
            message = f"the regular expression {value!r} may be none of RE2"
            raise FilterError(message)
        pattern = re.compile(value)
        return lambda found: isinstance(found, str) and pattern.search(found) is not None
    if operator == ":":
        return lambda found: found is not None and value.lower() in _text(found)
    if operator == "=":
        return lambda found: found is not None and _text(found) == value.lower()
    order, limit = _ORDERS[operator], float(value)
    return lambda found: isinstance(found, (int, float)) and order(found, limit)


def _text(found: Any) -> str:
    return str(found).lower()  # true and false as JSON has them


def _field(entry: Entry, path: str) -> Any:
    found: Any = entry
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _next(tokens: list[tuple[str, str]]) -> tuple[str, str]:
    if not tokens:
        raise FilterError("the filter ends too early")
    return tokens.pop(0)
