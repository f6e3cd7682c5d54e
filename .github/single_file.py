"""One file that runs without an installation and without internet: ``python .github/single_file.py WHEEL FOLDER``.

The wheel with all that it needs, for the Python and the platform that this is run by: some of it is compiled. It is a
zip file that Python runs. Compiled modules cannot be loaded out of one, so all of it is unpacked once, to a folder that
only its user may write.
"""

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

START = '''
"""Unpack what is in this file, if that was not done before, and run it."""

import os
import stat
import sys
from pathlib import Path

MADE_FOR = {made_for!r}
DIGEST = {digest!r}
VARIABLE = "RETRIAGE_UNPACKED"


def this():
    import sysconfig

    return [list(sys.version_info[:2]), sysconfig.get_platform()]


def owned(folder):
    """Whether a folder is this user's, and only they may write to it: what is in it is run."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def place():
    """The folder for what is unpacked."""
    chosen = os.environ.get(VARIABLE)
    if not chosen:
        cache = os.environ.get("XDG_CACHE_HOME", "")
        chosen = Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"
        chosen = chosen / "retriage"
    folder = Path(chosen).expanduser()
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as problem:
        sys.exit(f"retriage: {{folder}} cannot be made: {{problem.strerror}}; {{VARIABLE}} names another folder.")
    if not owned(folder):
        sys.exit(f"retriage: {{folder}} is not yours alone; `chmod go-w` it, or name another folder by {{VARIABLE}}.")
    return folder


def unpacked():
    """The folder with the modules."""
    folder = place()
    modules = folder / DIGEST
    if not os.path.lexists(modules):
        import shutil
        import tempfile
        import zipfile

        beside = Path(tempfile.mkdtemp(prefix="unpacking-", dir=folder))
        try:
            with zipfile.ZipFile(sys.path[0]) as file:
                for name in file.namelist():
                    if name.startswith("modules/"):
                        file.extract(name, beside)
            try:
                (beside / "modules").rename(modules)
            except OSError:
                if not modules.is_dir():  # otherwise another start was faster
                    raise
        except OSError as problem:
            sys.exit(f"retriage: not unpacked to {{folder}}: {{problem.strerror}}; {{VARIABLE}} names another.")
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    if not owned(modules):
        sys.exit(f"retriage: {{modules}} is not yours alone: remove it.")
    return modules


if this() != MADE_FOR:
    (major, minor), platform = MADE_FOR
    sys.exit(f"retriage: this file is for Python {{major}}.{{minor}} on {{platform}}; this is {{this()[1]}}, "
             f"Python {{sys.version.split()[0]}}.")
mask = os.umask(0o077)
modules = unpacked()
os.umask(mask)
sys.path[0] = str(modules)

from retriage.console.cli import main

main()
'''


def build(wheel: Path, folder: Path) -> Path:
    """Build the file.

    Args:
        wheel: of Retriage; what it needs is taken from the package index that pip is set up with.
        folder: where the file is put.

    Returns:
        Its path: ``retriage-VERSION-py311-linux_x86_64.pyz``.
    """
    version, made_for = wheel.name.split("-")[1], [list(sys.version_info[:2]), sysconfig.get_platform()]
    tag = f"py{sys.version_info[0]}{sys.version_info[1]}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
    made = folder / f"retriage-{version}-{tag}.pyz"
    with tempfile.TemporaryDirectory() as scratch:
        modules = Path(scratch) / "modules"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", str(modules), str(wheel)], check=True)
        for beside in ("bin", "share"):
            shutil.rmtree(modules / beside, ignore_errors=True)
        files = sorted(file for file in modules.rglob("*") if file.is_file())
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file.relative_to(modules)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\0".encode())
        start = START.format(made_for=made_for, digest=f"{version}-{digest.hexdigest()[:20]}").lstrip()
        with made.open("wb") as out:
            out.write(b"#!/usr/bin/env python3\n")
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
                zipped.writestr("__main__.py", start)
                for file in files:
                    zipped.write(file, Path("modules") / file.relative_to(modules))
    made.chmod(0o755)
    return made


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), Path(sys.argv[2])))
