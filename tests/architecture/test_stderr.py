"""What goes to stderr is made inert in one place: an engine, a worker or a file may have written a part of it."""

import ast
from pathlib import Path

from retriage import console, store

PLACE = "console/cli/program.py"
ASKS = {"confirm", "prompt"}


def written_to_stderr(file: Path) -> list[str]:
    """The calls of a file that write to stderr, as far as their arguments tell."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") in ASKS:
            continue
        to_stderr = any(word.arg in ("err", "file") and ast.unparse(word.value) in ("True", "sys.stderr")
                        for word in node.keywords)  # fmt: skip
        if to_stderr or ast.unparse(node.func) == "sys.stderr.write":
            found.append(f"{file.name}:{node.lineno}")
    return found


def test_one_file_writes_to_stderr() -> None:
    roots = [Path(package.__file__).parent for package in (console, store) if package.__file__]
    found = {
        str(file.relative_to(root.parent)): calls
        for root in roots
        for file in root.rglob("*.py")
        if (calls := written_to_stderr(file))
    }
    assert list(found) == [PLACE]
