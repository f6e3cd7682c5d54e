"""The one file that runs without an installation, of a small wheel in place of Retriage's: how it unpacks itself."""

import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys\ndef main():\n    print(*sys.argv[1:], __file__)\n"
METADATA = "Metadata-Version: 2.1\nName: retriage\nVersion: 0.1\n"
TAG = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("file")
    wheel = folder / "retriage-0.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as zipped:
        for package in ("retriage", "retriage/console"):
            zipped.writestr(f"{package}/__init__.py", "")
        zipped.writestr("retriage/console/cli.py", PROGRAM)
        for name, text in (("METADATA", METADATA), ("WHEEL", TAG), ("RECORD", "")):
            zipped.writestr(f"retriage-0.1.dist-info/{name}", text)
    build: Callable[[Path, Path], Path] = runpy.run_path(str(ROOT / ".github/single_file.py"))["build"]
    return build(wheel, folder)


def started(file: Path, cache: Path, *words: str) -> subprocess.Popen[str]:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "XDG_CACHE_HOME": str(cache)
    }
    return subprocess.Popen([sys.executable, str(file), *words], env=variables, text=True, cwd=cache.parent,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def run(file: Path, cache: Path, *words: str) -> tuple[int, str, str]:
    program = started(file, cache, *words)
    out, err = program.communicate(timeout=60)
    return program.returncode, out, err


def test_it_is_unpacked_once_for_its_user_alone(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    code, out, err = run(file, cache, "tasks", "--json")
    assert (code, err) == (0, "")
    assert out.startswith(f"tasks --json {cache}/retriage/0.1-")
    (modules,) = (cache / "retriage").iterdir()
    assert all(
        not place.stat().st_mode & 0o077
        for place in (cache / "retriage", modules, modules / "retriage" / "console" / "cli.py")
    )
    written = (modules / "retriage" / "console" / "cli.py").stat().st_mtime_ns
    assert run(file, cache)[0] == 0
    assert (modules / "retriage" / "console" / "cli.py").stat().st_mtime_ns == written


def test_many_first_starts_at_once_are_one(file: Path, tmp_path: Path) -> None:
    programs = [started(file, tmp_path / "cache") for _ in range(8)]
    ended = [(program.communicate(timeout=120), program.returncode) for program in programs]
    assert [code for _, code in ended] == [0] * 8, ended
    assert len(list((tmp_path / "cache" / "retriage").iterdir())) == 1


def test_what_others_may_write_is_not_run(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run(file, cache)
    (modules,) = (cache / "retriage").iterdir()
    for place in (cache / "retriage", modules):
        place.chmod(0o770)
        code, out, err = run(file, cache)
        assert (code, out) == (1, "")
        assert f"{place} is not yours alone" in err
        place.chmod(0o700)
    elsewhere = modules.rename(tmp_path / "elsewhere")
    modules.symlink_to(elsewhere)
    assert "is not yours alone" in run(file, cache)[2]


def test_where_nothing_can_be_unpacked_it_says_what_to_do(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_text("a file")
    code, _, err = run(file, cache)
    assert code == 1
    assert "cannot be made" in err
    assert "RETRIAGE_UNPACKED" in err


def test_another_python_is_refused(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pyz"
    with zipfile.ZipFile(file) as read, zipfile.ZipFile(other, "w") as written:
        for name in read.namelist():
            text = read.read(name)
            if name == "__main__.py":
                here = f"[[{sys.version_info[0]}, {sys.version_info[1]}]".encode()
                assert here in text
                text = text.replace(here, b"[[3, 99]")
            written.writestr(name, text)
    code, out, err = run(other, tmp_path / "cache")
    assert (code, out) == (1, "")
    assert "this file is for Python 3.99" in err
    assert not (tmp_path / "cache").exists()


@pytest.mark.skipif(shutil.which("env") is None, reason="no env")
def test_it_runs_by_its_own_name(file: Path, tmp_path: Path) -> None:
    variables = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run([file, "runs"], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"runs {tmp_path}/.cache/retriage/")
