"""The text of a script: what it is, its parameters, its steps, then what they are made with."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etlml.documents import PipelineDraft, Step
from etlml.services.script.assembly import ALIASES, helpers, import_block, indented, library
from etlml.services.script.marks import Marks
from etlml.services.script.pieces import literal_code
from etlml.steps.base import StepConfig
from etlml.steps.templating import References

_NO_MARKS = Marks(References(), ())


@dataclass(frozen=True)
class ScriptStep:
    """One step as a script has it."""

    step: Step
    config: StepConfig
    needs: tuple[str, ...]
    code: str
    imports: set[str] = field(default_factory=set)


def document(
    draft: PipelineDraft,
    version: int | None,
    params: Mapping[str, Any],
    steps: Sequence[ScriptStep],
    fixed: Mapping[str, str],
    data_dir: Path,
) -> str:
    """The script."""
    names = function_names([each.step.id for each in steps])
    functions = "\n\n\n".join(_function(names[each.step.id], each) for each in steps)
    settings = [
        f"DATA = {literal_code(_short(data_dir), _NO_MARKS)}  # where relative paths start; --data names another folder"
    ]
    settings.append(
        f"PARAMS = {literal_code(dict(params), _NO_MARKS)}" + ("  # --param NAME=VALUE changes one" if params else "")
    )
    if fixed:
        settings.append(
            f"FIXED = {literal_code(dict(fixed), _NO_MARKS)}  # parameters whose values are part of the script"
        )
    else:
        settings.append("FIXED = {}")
    settings.append('RUN = {"id": "", "scheduled_for": "", "scheduled_date": ""}  # main() fills them in')
    listed = "STEPS = [\n" + "\n".join(f"    {_listed(names[each.step.id], each)}," for each in steps) + "\n]"
    model = "\n    predict = predict" if any(each.step.type == "train" for each in steps) else ""
    code, imports = helpers(f"{functions}\n{listed}{'' if not model else chr(10) + 'predict'}")
    lines = {line for each in steps for name in each.imports for line in [ALIASES.get(name, name)]}
    heading = "# -- The pipeline " + "-" * 92
    parts = [
        _docstring(draft, version, steps),
        import_block([*imports, *lines]),
        "\n".join(settings),
    ]
    opening = "\n\n".join(parts)
    closing = 'if __name__ == "__main__":\n    sys.exit(main())'
    return f"{opening}\n\n{heading}\n\n\n{functions}\n\n\n{code}\n\n\n{listed}\n\n{closing}\n"


def function_names(ids: Sequence[str]) -> dict[str, str]:
    """For each step the name of its function."""
    taken = set(library().names())
    names: dict[str, str] = {}
    for step in ids:
        name = re.sub(r"\W", "_", step)
        while name in taken:
            name += "_step" if not name.endswith("_step") else "_"
        taken.add(name)
        names[step] = name
    return names


def _function(name: str, each: ScriptStep) -> str:
    return f"def {name}() -> None:\n    {_doc(_does(each))}\n{indented(each.code)}"


def _does(each: ScriptStep) -> str:
    """A step in a sentence."""
    title = "" if each.step.name in ("", each.step.id) else f"{each.step.name.rstrip('.')}: "
    config = each.config
    rows = ", ".join(each.needs)
    source, sink = getattr(config, "source", None), getattr(config, "sink", None)
    if source is not None:
        place = getattr(source, "path", "the rows that stand here")
        return f"{title}read {place}."
    if each.step.type == "transform":
        kinds = list(dict.fromkeys(str(getattr(op, "op", "")) for op in getattr(config, "ops", []) if op.enabled))
        return f"{title}transform {rows}: {', '.join(kinds)}." if kinds else f"{title}pass {rows} on."
    if each.step.type == "validate":
        on = sum(rule.enabled for rule in getattr(config, "rules", []))
        return f"{title}check {on} rule{'' if on == 1 else 's'} on {rows}."
    if sink is not None:
        return f"{title}{getattr(config, 'mode', 'load')} {getattr(sink, 'path', 'the sink')} with {rows}."
    target = getattr(config, "target", None)
    return f"{title}train a model{f' that tells {target}' if target else ' that groups the rows'} on {rows}."


def _doc(sentence: str) -> str:
    text = sentence[:1].upper() + sentence[1:]
    text = re.sub(r"\s+", " ", text).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{text}"""'


def _listed(name: str, each: ScriptStep) -> str:
    step = each.step
    given = [name, f'"{step.id}"']
    if each.needs:
        needs = ", ".join(f'"{need}"' for need in each.needs)
        given.append(f"({needs}{',' if len(each.needs) == 1 else ''})")
    if step.on_failure == "continue":
        given.append("may_fail=True")
    if step.retries:
        given.append(f"retries={step.retries}")
    return f"Step({', '.join(given)})"


def _docstring(draft: PipelineDraft, version: int | None, steps: Sequence[ScriptStep]) -> str:
    """What the script is and how it is run."""
    types = {each.step.type for each in steps}
    has_code = any("run_python" in each.code for each in steps)
    packages = ["duckdb"]
    packages += ["scikit-learn"] if "train" in types else []
    packages += ["pandas"] if has_code else []
    packages += (
        ["pyarrow"] if "train" in types or has_code or any("read_sqlite_query" in each.code for each in steps) else []
    )
    secrets = sorted(set(re.findall(r'secret\("([^"]+)"\)', "".join(each.code for each in steps))))
    lines = [f"{draft.name}{f' (version {version})' if version else ''}", ""]
    if draft.description:
        lines += [*_wrapped(draft.description.strip()), ""]
    lines += [
        f"It needs Python 3.11 or newer, and: {', '.join(packages)}.",
        "",
        "    python SCRIPT.py [--data FOLDER] [--param NAME=VALUE]...",
    ]
    if secrets:
        lines += ["", f"Secrets come from the environment: {', '.join(secrets)}."]
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{text}\n"""'


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 100)


def _short(folder: Path) -> str:
    home = Path.home()
    return f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else str(folder)
