"""The whole script: what is imported, the steps, and of the parts only what they use."""

import ast
import builtins
import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from etlml.services.script.pieces import KEPT

PARTS = (
    "tables", "reading", "python_code", "rules", "saving", "saving_tables", "columns_in", "preparing", "judging", "training",
    "running",
)  # fmt: skip
SETTINGS = frozenset({"DATA", "PARAMS", "RUN", "FIXED", "STEPS"})  # the script has its own
_TYPE_IGNORE = re.compile(r"  # type: ignore\[[^\]]*\]")
ALIASES = {"numpy": "import numpy as np", "pandas": "import pandas as pd"}


@dataclass(frozen=True)
class Definition:
    """One thing that a part defines: its code, and the names that it uses."""

    part: str
    names: tuple[str, ...]
    code: str
    uses: frozenset[str]


@dataclass(frozen=True)
class Library:
    """All parts: what each name stands for, which import brings which name, and what each part is about."""

    definitions: tuple[Definition, ...]
    imports: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def names(self) -> frozenset[str]:
        """Every name that a script's own functions must not take."""
        defined = {name for each in self.definitions for name in each.names}
        return frozenset(defined | self.imports.keys() | set(keyword.kwlist) | set(dir(builtins)) | SETTINGS)


@lru_cache(maxsize=1)
def library() -> Library:
    """The parts as they lie in etlml.services.script.parts, read once."""
    definitions, imports, titles = list[Definition](), dict[str, str](), dict[str, str]()
    for part in PARTS:
        text = (files("etlml.services.script.parts") / f"{part}.py").read_text(encoding="utf-8")
        tree = ast.parse(text)
        titles[part] = ast.get_docstring(tree) or part
        for node in tree.body[1:]:
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports |= _brought(node)
            else:
                definitions.append(_definition(part, node, text))
    return Library(tuple(definitions), imports, titles)


def _brought(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Each name that an import brings, with a line that brings it alone; ours are in the script itself."""
    if isinstance(node, ast.ImportFrom):
        if (node.module or "").startswith("etlml"):
            return {}
        return {
            alias.asname or alias.name: ast.unparse(ast.ImportFrom(node.module, [alias], 0)) for alias in node.names
        }
    return {(alias.asname or alias.name).split(".")[0]: ast.unparse(ast.Import([alias])) for alias in node.names}


def _definition(part: str, node: ast.stmt, text: str) -> Definition:
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
    lines = text.split("\n")[first - 1 : node.end_lineno]
    names = [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else _assigned(node)
    return Definition(part, tuple(names), _TYPE_IGNORE.sub("", "\n".join(lines)), used_names(node))


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def used_names(node: ast.AST) -> frozenset[str]:
    """Every name that code uses, those in annotations written as texts included."""
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return frozenset(names)


def needed(names: Iterable[str]) -> list[Definition]:
    """What these names need of the parts, in the order of the parts."""
    by_name = {name: each for each in library().definitions for name in each.names}
    wanted, frontier = set[str](), [name for name in names if name in by_name]
    while frontier:
        name = frontier.pop()
        if name not in wanted:
            wanted.update(by_name[name].names)
            frontier += [use for use in by_name[name].uses if use in by_name and use not in wanted]
    return [each for each in library().definitions if wanted & set(each.names) and not set(each.names) & SETTINGS]


def helpers(code: str) -> tuple[str, list[str]]:
    """The functions that the code needs, each part under its title; and the imports of all."""
    used = used_names(ast.parse(code))
    chosen = needed(used | {"main"})
    sections: list[str] = []
    for part in PARTS:
        own = [each for each in chosen if each.part == part]
        if own:
            sections.append(_titled(library().titles[part]) + "\n\n\n" + _spaced(own))
    everything = used.union(*(each.uses for each in chosen))
    return "\n\n\n".join(sections), [line for name, line in library().imports.items() if name in everything]


def _titled(title: str) -> str:
    return f"# {'-' * 2} {title.split(chr(10))[0].rstrip('.')} {'-' * max(2, 110 - len(title.split(chr(10))[0]))}"


def _spaced(own: Sequence[Definition]) -> str:
    text = ""
    for number, each in enumerate(own):
        is_line = not each.code.startswith(("def ", "class ", "@"))
        follows_line = number > 0 and not own[number - 1].code.startswith(("def ", "class ", "@"))
        text += ("" if number == 0 else "\n" if is_line and follows_line else "\n\n\n") + each.code
    return text


def import_block(lines: Iterable[str]) -> str:
    """The imports: the standard library's first, those of a module on one line."""
    import sys

    plain = sorted({line for line in lines if line.startswith("import ")})
    froms: dict[str, set[str]] = {}
    for line in lines:
        if line.startswith("from "):
            module, _, names = line.removeprefix("from ").partition(" import ")
            froms.setdefault(module, set()).update(name.strip() for name in names.split(","))
    found = [*plain, *(f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(froms.items()))]

    def is_standard(line: str) -> bool:
        return line.split()[1].split(".")[0] in sys.stdlib_module_names

    ours, others = [line for line in found if is_standard(line)], [line for line in found if not is_standard(line)]
    return "\n".join(ours) + ("\n\n" + "\n".join(others) if others else "")


def indented(code: str) -> str:
    """Code as the body of a function; lines that begin within a text stay where they are."""
    moved = (
        line.removeprefix(KEPT) if line.startswith(KEPT) else f"    {line}" if line else line
        for line in code.split("\n")
    )
    return "\n".join(moved)
