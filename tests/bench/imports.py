"""What the imports inside the functions of the console cost: ``python -m tests.bench imports``.

Each module is imported by a fresh interpreter that has loaded what is loaded at that moment: for the application what
its first frame needs, for the commands what every command loads, for all else what is loaded when the first list is
shown; the fastest of a few counts. The milliseconds are those of the processor.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FIRST_FRAME = ("retriage.console.cli", "retriage.console.app", "retriage.console.keymap")
FIRST_LIST = (*FIRST_FRAME, "retriage.console.engine_holder", "retriage.console.screens.app_verbs")
OPENING = ("retriage.console.cli",)
COMMAND = (*OPENING, "retriage.console.cli.commands")
RUNS = 5
_MEASURE = """
import importlib, json, sys, time
for name in sys.argv[2:]:
    importlib.import_module(name)
began = time.process_time()
importlib.import_module(sys.argv[1])
print(json.dumps((time.process_time() - began) * 1000))
"""


class InnerImport(NamedTuple):
    """One import inside a function.

    Attributes:
        file: where it stands, from the root.
        line: of that file.
        module: what is imported.
        source: the line as it is written.
    """

    file: Path
    line: int
    module: str
    source: str


def inner_imports(package: str = "console") -> Iterator[InnerImport]:
    """The imports inside functions of a package, each of them once."""
    for file in sorted((ROOT / package).rglob("*.py")):
        text = file.read_text("utf-8")
        lines = text.splitlines()
        found: dict[int, str] = {}
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.ImportFrom):
                        found[node.lineno] = node.module or ""
                    elif isinstance(node, ast.Import):
                        found[node.lineno] = node.names[0].name
        for number, module in sorted(found.items()):
            yield InnerImport(file.relative_to(ROOT), number, module, lines[number - 1])


def milliseconds(module: str, loaded: tuple[str, ...]) -> float:
    """What importing a module costs when others are loaded."""
    command = [sys.executable, "-c", _MEASURE, module, *loaded]
    run = [subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout for _ in range(RUNS)]
    return float(min(map(json.loads, run)))


def loaded_before(file: Path) -> tuple[str, ...]:
    """What is loaded before an import inside a function of that file is carried out."""
    if file == Path("console/app.py"):
        return FIRST_FRAME
    if file.parts[1] != "cli":
        return FIRST_LIST
    return OPENING if file.name in ("__init__.py", "screen.py") else COMMAND


def main() -> None:
    """Measure and print."""
    known: dict[tuple[str, tuple[str, ...]], float] = {}
    for one in inner_imports():
        before = loaded_before(one.file)
        if (one.module, before) not in known:
            known[one.module, before] = milliseconds(one.module, before)
        print(f"{known[one.module, before]:8.1f} ms  {one.file}:{one.line}  {one.source.strip()}", flush=True)
