"""From a document to its lineage: a pure function of the steps and of the columns that sources have."""

from collections.abc import Callable, Mapping
from typing import Any

from etlml.clock import utc_now
from etlml.compute.schema import Schema
from etlml.compute.sql import expression_columns
from etlml.documents import PipelineDraft
from etlml.errors import EtlmlError
from etlml.services.lineage.graph import ColumnNode, LineageGraph, Origin, StepNode, Use
from etlml.services.lineage.ops import cut, traced
from etlml.steps.base import StepConfig
from etlml.steps.extract import ExtractConfig
from etlml.steps.graph import check_graph, execution_order, resolved_needs
from etlml.steps.load import LoadConfig
from etlml.steps.registry import typed_config
from etlml.steps.templating import filled, run_references
from etlml.steps.train import TrainConfig
from etlml.steps.transform import TransformConfig
from etlml.steps.validate import ValidateConfig
from etlml.validation.rule import Rule
from etlml.validation.step_rules import typed_rules

Schemas = Callable[[str, StepConfig, Mapping[str, Schema | None]], Schema | None]
"""The columns of a step's result, by its id, its configuration and its inputs' columns."""


def lineage_of(draft: PipelineDraft, schema_of: Schemas) -> LineageGraph:
    """The lineage of a pipeline, as far as it can be told; nothing that is wrong with a step keeps the others from it."""
    if check_graph(draft.steps):
        return LineageGraph()
    needs = resolved_needs(draft.steps)
    references = run_references(run_id="0" * 20, pipeline=draft.name, moment=utc_now(), params=draft.params)
    schemas: dict[str, Schema | None] = {}
    nodes: list[StepNode] = []
    for step in execution_order(draft.steps):
        inputs = {need: schemas[need] for need in needs[step.id]}
        node = StepNode(id=step.id, name=step.name, type=step.type, needs=list(inputs))
        schemas[step.id] = None
        try:
            config = typed_config(step, filled(step.config, references))
            schemas[step.id] = schema_of(step.id, config, inputs)
            _describe(node, config, inputs, schemas[step.id])
            node.uses += _rule_uses(typed_rules(filled(step.validations, references)), step.id, schemas[step.id])
        except EtlmlError as error:
            node.unknown = cut(error.message)
        nodes.append(node)
    return LineageGraph(steps=nodes)


def _describe(node: StepNode, config: StepConfig, inputs: Mapping[str, Schema | None], schema: Schema | None) -> None:
    if isinstance(config, TransformConfig):
        _transform(node, config, inputs, schema)
        return
    if schema is None:
        node.unknown = "Its columns are known after a first run."
    if isinstance(config, ExtractConfig):
        node.place = _place(config.source)
        node.columns = [ColumnNode(name=column.name, type=column.type, how="source") for column in schema or ()]
        return
    (need,) = list(inputs)[:1] or ("",)
    node.columns = [
        ColumnNode(name=column.name, type=column.type, origins=[Origin(step=need, column=column.name)])
        for column in schema or ()
    ]
    node.uses += _end_uses(config, need, inputs.get(need))
    if isinstance(config, LoadConfig):
        node.place = _place(config.sink)
    if isinstance(config, TrainConfig):
        node.place = config.register_as or ""


def _transform(
    node: StepNode, config: TransformConfig, inputs: Mapping[str, Schema | None], schema: Schema | None
) -> None:
    found = traced(config, inputs)
    node.uses, node.unknown = found.uses, found.unknown
    if found.columns is None:
        node.columns = [ColumnNode(name=column.name, type=column.type, how="unknown") for column in schema or ()]
        return
    types = {column.name: column.type for column in found.schema or ()}
    for name, trace in found.columns.items():
        origins = [Origin(step=step, column=column) for step, column in sorted(trace.sources)]
        is_new = trace.how == "same" and [origin.column for origin in origins] != [name]
        how = "renamed" if is_new and len(origins) == 1 else trace.how
        node.columns.append(
            ColumnNode(name=name, type=types.get(name, ""), how=how, texts=list(trace.texts), origins=origins)
        )


def _end_uses(config: StepConfig, need: str, schema: Schema | None) -> list[Use]:
    """What a validate, a load or a train step does with its input's columns."""
    if isinstance(config, ValidateConfig):
        return _rule_uses(config.rules, need, schema)
    if isinstance(config, LoadConfig):
        keys = [Use(purpose="join key", text="merge key", origins=_origins(need, config.keys))] if config.keys else []
        return [
            Use(purpose="sink", text=f"{_place(config.sink)} ({config.mode})", origins=_origins(need, _names(schema))),
            *keys,
        ]
    if isinstance(config, TrainConfig):
        features = config.features or [name for name in _names(schema) if name != config.target]
        name = config.register_as or config.algorithm
        learned = [Use(purpose="feature", text=f"feature of {name}", origins=_origins(need, features))]
        target = [Use(purpose="target", text=f"target of {name}", origins=_origins(need, [config.target]))]
        return learned + (target if config.target else [])
    return []


def _rule_uses(rules: list[Rule] | Any, step: str, schema: Schema | None) -> list[Use]:
    return [
        Use(purpose="rule", text=_rule_words(rule), origins=_origins(step, _rule_columns(rule, schema)))
        for rule in rules
        if rule.enabled
    ]


def _rule_words(rule: Rule) -> str:
    given = ", ".join(f"{name} {value}" for name, value in rule.arguments().items())
    return cut(f"{rule.label}{f': {given}' if given else ''}")


def _rule_columns(rule: Rule, schema: Schema | None) -> list[str]:
    """The columns that a rule speaks of: its own, others that it names, those of its condition."""
    names = [rule.target] if rule.target else []
    fields = rule.model_dump()
    for key, value in fields.items():
        if key == "where" and isinstance(value, str):
            try:
                names += expression_columns(value, schema)
            except EtlmlError:
                continue
        elif key != "column" and schema is not None:
            named = value if isinstance(value, list) else [value]
            if key in ("columns", "keys", "other", "than", "by", "group_by"):
                names += [name for name in named if isinstance(name, str) and name in schema]
    return list(dict.fromkeys(names))


def _origins(step: str, columns: Any) -> list[Origin]:
    return [Origin(step=step, column=str(column)) for column in columns]


def _names(schema: Schema | None) -> tuple[str, ...]:
    return schema.names if schema is not None else ()


def _place(end: Any) -> str:
    """A source or a sink in words: its file, with the table."""
    path = getattr(end, "path", None) or getattr(end, "connection", None) or f"{getattr(end, 'kind', '')} rows"
    table = getattr(end, "table", None)
    return f"{path}: {table}" if table else str(path)
