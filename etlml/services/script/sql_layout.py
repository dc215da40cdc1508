"""SQL over several lines, as a person would lay it out. Nothing but blanks and needless quotes is changed."""

import re
from functools import lru_cache

import duckdb

WIDTH = 92
DEEPEST = 12  # brackets within brackets that are opened over several lines; what lies deeper stays on one
_TOKEN = re.compile(
    r"""(?P<text>[eE]?'(?:[^'\\]|''|\\.)*')|(?P<name>"(?:[^"]|"")*")|(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<dollar>\$(?:\w*)\$.*?\$)"""
    r"""|(?P<fill>⟦[^⟧]*⟧)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)|(?P<blank>\s+)|(?P<word>\w+)|(?P<other>.)""",
    re.DOTALL,
)
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_CLAUSES = frozenset({"FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "HAVING", "UNION", "QUALIFY"})
_JOINS = frozenset({"INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "POSITIONAL", "JOIN", "CROSS"})


def laid_out(sql: str) -> str:
    """The statement on as many lines as it needs; one with comments stays as it is, but for its margin."""
    tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(sql.strip())]
    if any(kind in ("comment", "dollar") for kind, _ in tokens) or any(k == "text" and "\n" in t for k, t in tokens):
        return sql.strip()
    words = [_unquoted(text, tokens, place) if kind == "name" else text for place, (kind, text) in enumerate(tokens)]
    kinds = [kind for kind, _ in tokens]
    return "\n".join(_lines(kinds, words, ""))


def unquoted_names(sql: str) -> str:
    """The same SQL without needless quotes."""
    tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(sql)]
    return "".join(
        _unquoted(text, tokens, place) if kind == "name" else text for place, (kind, text) in enumerate(tokens)
    )


def _unquoted(text: str, tokens: list[tuple[str, str]], place: int) -> str:
    name = text[1:-1]
    before = tokens[place - 1][1] if place else ""
    after = tokens[place + 1][1] if place + 1 < len(tokens) else ""
    glued = before[-1:].isalnum() or after[:1].isalnum() or after == "("
    return name if _PLAIN.fullmatch(name) and name not in _keywords() and not glued else text


@lru_cache(maxsize=1)
def _keywords() -> frozenset[str]:
    with duckdb.connect() as connection:
        words = connection.execute(
            "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
        ).fetchall()
    return frozenset(str(word) for (word,) in words) | {
        "user",
        "current_user",
        "session_user",
        "current_date",
        "localtime",
    }


def _lines(kinds: list[str], words: list[str], indent: str) -> list[str]:
    """The tokens of one level on lines; a bracket that does not fit on its line is opened over several."""
    flat = " ".join("".join(words).split()) if not any(kind == "text" for kind in kinds) else _joined(kinds, words)
    breaks = _breaks(kinds, words)
    is_union = any(words[place].upper() == "UNION" for place in breaks)
    if len(indent) + len(flat) <= WIDTH and not is_union and (len(breaks) < 2 or len(flat) <= 60):
        return [indent + flat]
    lines: list[str] = []
    for start, end in zip([0, *breaks], [*breaks, len(words)], strict=True):
        if start < end:
            lines += _clause(kinds[start:end], words[start:end], indent)
    return lines


def _clause(kinds: list[str], words: list[str], indent: str) -> list[str]:
    flat = _joined(kinds, words)
    if not flat:
        return []
    if len(indent) + len(flat) <= WIDTH:
        return [indent + flat]
    items = _split(kinds, words, "comma")
    if len(items) > 1:
        head, first = _head(items[0])
        lines = [indent + head] if head else []
        deeper = indent + "    " if head else indent
        packed: list[str] = []
        for number, (item_kinds, item_words) in enumerate([first, *items[1:]]):
            tail = "," if number < len(items) - 1 else ""
            text = _joined(item_kinds, item_words) + tail
            if packed and len(packed[-1]) + len(text) + 1 <= WIDTH and "(" not in text and "(" not in packed[-1]:
                packed[-1] += f" {text}"
            elif len(deeper) + len(text) <= WIDTH:
                packed.append(deeper + text)
            else:
                opened = _opened(item_kinds, item_words, deeper)
                opened[-1] += tail
                packed += opened
        return lines + packed
    return _opened(kinds, words, indent)


def _head(item: tuple[list[str], list[str]]) -> tuple[str, tuple[list[str], list[str]]]:
    """SELECT, GROUP BY or ORDER BY apart from the first thing that it lists."""
    kinds, words = item
    for size, heads in ((1, ("SELECT",)), (3, ("GROUP BY", "ORDER BY"))):
        if " ".join("".join(words[:size]).split()).upper() in heads:
            return _joined(kinds[:size], words[:size]), (kinds[size:], words[size:])
    return "", item


def _opened(kinds: list[str], words: list[str], indent: str) -> list[str]:
    """The longest bracket of a clause over several lines."""
    spans, depth, start = [], 0, 0
    for place, kind in enumerate(kinds):
        if kind == "open":
            start, depth = (place if depth == 0 else start), depth + 1
        elif kind == "close":
            depth -= 1
            if depth == 0:
                spans.append((start, place))
    if not spans or len(indent) >= 4 * DEEPEST:
        return [indent + _joined(kinds, words)]
    start, end = max(spans, key=lambda span: len("".join(words[span[0] : span[1]])))
    inner = _lines(kinds[start + 1 : end], words[start + 1 : end], indent + "    ")
    tail = words[end] + _tail(kinds[end + 1 :], words[end + 1 :])
    return [indent + _joined(kinds[: start + 1], words[: start + 1]), *inner, indent + tail]


def _tail(kinds: list[str], words: list[str]) -> str:
    rest = _joined(kinds, words)
    return f" {rest}" if kinds and kinds[0] == "blank" and rest else rest


def _split(kinds: list[str], words: list[str], at: str) -> list[tuple[list[str], list[str]]]:
    parts: list[tuple[list[str], list[str]]] = [([], [])]
    depth = 0
    for kind, word in zip(kinds, words, strict=True):
        depth += (kind == "open") - (kind == "close")
        if kind == at and depth == 0:
            parts.append(([], []))
        else:
            parts[-1][0].append(kind)
            parts[-1][1].append(word)
    return parts


def _breaks(kinds: list[str], words: list[str]) -> list[int]:
    """Where clauses of this level begin."""
    found, depth, before = list[int](), 0, ""
    has_between = any(word.upper() == "BETWEEN" for word in words) or len(_joined(kinds, words)) <= WIDTH
    for place, (kind, word) in enumerate(zip(kinds, words, strict=True)):
        depth += (kind == "open") - (kind == "close")
        upper = word.upper()
        if depth == 0 and kind == "word" and place:
            splits_condition = word == "AND" and not has_between
            starts_join = upper in _JOINS and before not in _JOINS
            after_union = upper == "SELECT" and before in ("ALL", "NAME", ")")
            if (word == upper and (upper in _CLAUSES or starts_join or splits_condition)) or after_union:
                found.append(place)
        if kind != "blank":
            before = upper
    return found


def _joined(kinds: list[str], words: list[str]) -> str:
    return "".join(" " if kind == "blank" else word for kind, word in zip(kinds, words, strict=True)).strip()
