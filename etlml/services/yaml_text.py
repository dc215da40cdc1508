"""Pipelines as YAML text, after YAML 1.2's core schema.

Only ``true`` and ``false`` are booleans: ``on:`` of a join, ``yes``, ``no`` and dates stay the text that they look like,
where YAML 1.1 would turn them into True, False and dates. What is written here reads the same under both.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from etlml.documents import PipelineDraft, Step
from etlml.errors import InvalidInput
from etlml.services.plain import DEEPEST

LARGEST_TEXT = 2**20
MOST_NODES = 200_000  # after aliases are followed: a few lines of nested aliases can stand for billions of nodes
_ORDER = (
    "name",
    "description",
    "schedule",
    "timezone",
    "params",
    "tags",
    "max_running",
    "priority",
    "timeout_s",
    "options",
    "triggers",
    "steps",
)
_STEP_ORDER = (
    "id",
    "name",
    "type",
    "needs",
    "config",
    "validations",
    "retries",
    "timeout_s",
    "on_failure",
    "cache",
    "position",
)
_WIDTH = 110
_LONGEST_LINE = 200
_CORE = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe, YAML 1.2 core schema, doubled keys refused."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[Any, yaml.Node] = {}
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is not None and key != "<<" and seen.setdefault(key, key_node) is not key_node:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands there twice", key_node.start_mark
                )
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping

    def _integer(self, node: yaml.ScalarNode) -> int:
        text = str(node.value).replace("0o", "0O", 1)
        if len(text) > 40:
            raise yaml.constructor.ConstructorError(
                None, None, "the integer is too long; put quotes around it", node.start_mark
            )
        return int(text, 0) if "x" in text or "O" in text else int(text)


for _tag, _pattern, _first in _CORE:
    for _character in _first:
        _entry = (f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"))
        _Loader.yaml_implicit_resolvers.setdefault("" if _character == "\0" else _character, []).append(_entry)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader._integer)


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key and writes texts of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def _text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))

    def _list(self, items: list[Any]) -> yaml.SequenceNode:
        flow = (
            all(isinstance(item, str | int | float | None) for item in items)
            and sum(len(str(item)) + 2 for item in items) < _WIDTH - 30
        )
        return self.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flow)


def _style(text: str) -> str | None:
    """Quotes where a reader of YAML 1.2 would take the text for something else; those of 1.1 the dumper knows itself."""
    if re.search(r"[\x85\u2028\u2029]", text):  # line breaks of YAML 1.1 only
        return '"'
    if "\n" in text and not re.search(r"[ \t]\n|\t|^[ \n]", text):
        return "|"
    return "'" if any(re.fullmatch(pattern, text) for _, pattern, _ in _CORE) else None


class _Place(dict[str, Any]):
    """A mapping that is written on one line."""


_Dumper.add_representer(_Place, lambda dumper, place: dumper.represent_mapping("tag:yaml.org,2002:map", place, True))
_Dumper.add_representer(str, _Dumper._text)
_Dumper.add_representer(list, _Dumper._list)


def to_yaml(pipeline: PipelineDraft) -> str:
    """What a person would write for this pipeline: fields in reading order, defaults left out."""
    draft = PipelineDraft.model_validate({name: getattr(pipeline, name) for name in PipelineDraft.model_fields})
    draft.triggers = [each for each in draft.triggers if each.kind != "webhook"]  # its token is not for files
    document = draft.model_dump(mode="json", exclude_defaults=True)
    document["steps"] = [_step(step) for step in draft.steps]
    for trigger in document.get("triggers", ()):
        del trigger["token_hash"]
    ordered = {key: document[key] for key in _ORDER if key in document}
    text: str = yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return re.sub(r"\n  - id:", r"\n\n  - id:", text).replace("steps:\n\n", "steps:\n", 1)


def _step(step: Step) -> dict[str, Any]:
    document = step.model_dump(mode="json", exclude_defaults=True)
    if document.get("name") == step.id:
        del document["name"]
    if step.position is not None:
        document["position"] = _Place(x=_plain_number(step.position.x), y=_plain_number(step.position.y))
    return {key: document[key] for key in _STEP_ORDER if key in document}


def _plain_number(value: float) -> float:
    return int(value) if value.is_integer() else value


def from_yaml(text: str | bytes) -> dict[str, Any]:
    """The mapping that a YAML text holds.

    Raises:
        InvalidInput: It is no YAML (the position is marked), doubles a key, is too large, or is no mapping.
    """
    source = _decoded(text)
    loader = None
    try:
        _check_depth(source)
        loader = _Loader(source)
        node = loader.get_single_node()
        _check_size(node)
        document = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        raise _marked(error, source) from None
    except yaml.YAMLError as error:
        raise InvalidInput(f"This is not YAML: {str(error).splitlines()[0]}.") from None
    except (
        RecursionError,
        ValueError,
        TypeError,
        OverflowError,
        AttributeError,
        LookupError,
    ) as error:  # a wrong !!tag
        raise InvalidInput(f"This YAML cannot be read: {type(error).__name__}. Simplify it.") from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(document, Mapping):
        kind = "empty" if document is None else f"a {type(document).__name__}"
        raise InvalidInput(f"The YAML is {kind}; a mapping is needed, such as `name: flights` and `steps: [...]`.")
    return dict(document)


def _decoded(text: str | bytes) -> str:
    if len(text) > LARGEST_TEXT:
        raise InvalidInput(
            f"The YAML is {len(text):,} bytes long; at most {LARGEST_TEXT:,} are read. Put data into files."
        )
    if isinstance(text, bytes):
        try:
            return text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"The YAML is not UTF-8: byte {error.start + 1} cannot be read. Save it as UTF-8."
            ) from None
    return text.removeprefix("\ufeff")


def _check_depth(source: str) -> None:
    """Refuse deep nesting before nodes are made of it: libyaml's composer recurses on the C stack and would end the process."""
    depth = 0
    for event in yaml.parse(source, Loader=_Loader):
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
            if depth > DEEPEST:
                mark: Any = event.start_mark
                raise yaml.composer.ComposerError(None, None, f"this nests deeper than {DEEPEST} levels", mark)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1


def _check_size(node: yaml.Node | None) -> None:
    """Refuse aliases that stand for too much, or for what they are part of."""
    sizes: dict[int, int] = {}

    def size(one: yaml.Node) -> int:
        known = sizes.get(id(one))
        if known is not None:
            if known < 0:
                raise yaml.constructor.ConstructorError(
                    None, None, "an alias stands for what it is a part of", one.start_mark
                )
            return known
        sizes[id(one)] = -1
        children: list[Any] = []
        if isinstance(one, yaml.MappingNode):
            children = [part for pair in one.value for part in pair]
        elif isinstance(one, yaml.SequenceNode):
            children = one.value
        total = 1 + sum(size(child) for child in children)
        if total > MOST_NODES:
            raise yaml.constructor.ConstructorError(
                None, None, f"this stands for more than {MOST_NODES:,} values", one.start_mark
            )
        sizes[id(one)] = total
        return total

    if node is not None:
        size(node)


def _marked(error: yaml.MarkedYAMLError, source: str) -> InvalidInput:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "it cannot be read"
    if mark is None:
        return InvalidInput(f"This is not YAML: {problem}.")
    lines = source.splitlines() or [""]
    row = min(mark.line, len(lines) - 1)
    column = mark.column if row == mark.line else len(lines[row])
    indent = lines[row][: len(lines[row]) - len(lines[row].lstrip())]
    hint = " Tabs cannot indent YAML; use spaces." if "\t" in indent else ""
    shown = f"{lines[row][:_LONGEST_LINE]}\n{' ' * min(column, _LONGEST_LINE)}^"
    return InvalidInput(
        f"This is not YAML: {problem} at line {row + 1}, column {column + 1}.{hint}\n{shown}",
        line=row + 1,
        column=column + 1,
    )
