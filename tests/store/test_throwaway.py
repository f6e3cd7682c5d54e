"""A throw-away folder of a process that was killed is removed by the next start; those in use, and others', stay."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from retriage.store.throwaway import remove_left_folders, throwaway_folder

PROGRAM = (
    "import sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
    "from retriage.store.throwaway import throwaway_folder\n"
    "with throwaway_folder('retriage-journal-') as folder:\n"
    "    (folder / 'journal.db').write_text('rows'); print(folder, flush=True); sys.stdin.read()"
)


def start(folder: Path) -> tuple["subprocess.Popen[str]", Path]:
    """A process that uses a folder until its stdin is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: "subprocess.Popen[str]") -> None:
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        stream.close()
    process.wait()


def test_what_a_killed_process_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("retriage-notes", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kept").write_text("")
    killed, left = start(tmp_path)
    killed.send_signal(signal.SIGKILL)
    end(killed)
    assert (left / "journal.db").exists()
    running, used = start(tmp_path)
    (tmp_path / "retriage-link").symlink_to(used)
    try:
        remove_left_folders()
        assert not left.exists()
        assert (used / "journal.db").exists()
        with throwaway_folder() as own:
            remove_left_folders()
            assert own.is_dir()
        assert not own.exists()
    finally:
        end(running)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["other", "retriage-link", "retriage-notes"]
    assert (tmp_path / "retriage-notes" / "kept").exists()
