"""Real engines on in-memory H2, history full, from published Maven artifacts; the reference is Camunda 7.24.0.

Each is built once per version of ``assembled/`` into the user's cache folder (under a minute, most of it downloads) and
starts in some eight seconds with 600 MB.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tests.engines.processes import free_port, serving

BY_URL = "RETRIAGE_TEST_ENGINE"
"""Environment variable with the REST root of an engine that runs already, e.g. http://127.0.0.1:8080/engine-rest."""

EAGER = {
    "camunda.bpm.job-execution.wait-time-in-millis": "200",
    "camunda.bpm.job-execution.max-wait": "400",
}
"""Options that shorten the idle wait of the job executor, 5 to 60 s in the stock engine, and nothing else."""


@dataclass(frozen=True)
class EngineKind:
    """An engine of the family.

    Attributes:
        name: for the cache and the names of tests.
        vendor: the word in its packages and options.
        version: of the engine.
        spring_boot: version that its starter was made for.
    """

    name: str
    vendor: str
    version: str
    spring_boot: str


REFERENCE = EngineKind("camunda-7.24.0", "camunda", "7.24.0", "3.5.7")
OLD = EngineKind("camunda-7.21.0", "camunda", "7.21.0", "3.2.5")
"""An engine of the field: fewer filters and fields."""
OPERATON = EngineKind("operaton-1.0.3", "operaton", "1.0.3", "3.5.7")

_SOURCES = Path(__file__).parent / "assembled"
_JAR = "reference-engine.jar"


def what_is_missing(configured: bool = False, kind: EngineKind = REFERENCE) -> str | None:
    """Why this machine cannot run the reference engine; None if it can.

    ``configured`` asks for an engine with options of its own, which an engine by URL cannot be; nor is it of a kind
    that is asked for.
    """
    if os.environ.get(BY_URL) and kind is REFERENCE:
        return "by URL has settings of its own" if configured else None
    needed = ("java",) if _jar(kind).exists() else ("java", "mvn")
    absent = [tool for tool in needed if shutil.which(tool) is None]
    return f"needs {' and '.join(absent)} on the PATH, or an engine's URL in {BY_URL}" if absent else None


def build(kind: EngineKind = REFERENCE) -> Path:
    """The runnable jar; built if the cache has none for the present sources.

    Raises ``RuntimeError`` with Maven's words if the build fails.
    """
    jar = _jar(kind)
    if jar.exists():
        return jar
    jar.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jar.parent) as workshop:
        project = Path(workshop) / "project"
        shutil.copytree(_SOURCES, project)
        for file in (*project.rglob("*.java"), *project.rglob("*.yaml")):
            file.write_text(_of_vendor(kind, file.read_text()))
        properties = {
            "engine.group": f"org.{kind.vendor}.bpm.springboot",
            "engine.artifact": f"{kind.vendor}-bpm-spring-boot-starter-rest",
            "engine.version": kind.version,
            "spring-boot.version": kind.spring_boot,
        }
        command = ["mvn", "-q", "-B", "package", *(f"-D{name}={value}" for name, value in properties.items())]
        built = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            raise RuntimeError(f"{kind.name} does not build\n{built.stdout[-4000:]}{built.stderr[-2000:]}")
        # A rename: of two builds at the same time, both leave a whole jar.
        (project / "target" / _JAR).replace(jar)
    return jar


@contextmanager
def running(
    log: Path, options: Mapping[str, str] = EAGER, heap: str = "1g", kind: EngineKind = REFERENCE, timed: bool = False
) -> Iterator[str]:
    """A fresh engine; gives its REST root. The reference that is named by the environment is used as it is.

    One that is not ``timed``, since nothing hangs on how soon it answers, has the flags of short-lived machines: it
    takes half the processor time for its compilers, and is a little slower once it is warm.
    """
    if (given := os.environ.get(BY_URL)) and kind is REFERENCE:
        yield given.rstrip("/")
        return
    port = free_port()
    root = f"http://127.0.0.1:{port}/engine-rest"
    arguments = [f"--{_of_vendor(kind, name)}={value}" for name, value in {"server.port": str(port), **options}.items()]
    flags = () if timed else ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    command = ["java", *flags, f"-Xmx{heap}", "-jar", str(build(kind)), *arguments]
    with serving(command, f"{root}/engine", log, within=300):
        yield root


def slicing(jobs_per_seed: int, invocations_per_job: int) -> dict[str, str]:
    """Options that say how batches are cut into jobs."""
    properties = {"batch-jobs-per-seed": jobs_per_seed, "invocations-per-batch-job": invocations_per_job}
    return {f"camunda.bpm.generic-properties.properties.{name}": str(value) for name, value in properties.items()}


def guarded(user: tuple[str, str] | None) -> dict[str, str]:
    """Options that make it ask for a user by HTTP Basic, and know this one: a name and a password."""
    return {"reference.user": ":".join(user)} if user else {}


def turned_clock(ahead: int) -> dict[str, str]:
    """Options that turn its clock, and the Date of its answers, so many seconds ahead; negative is behind."""
    return {"reference.clock-ahead": str(ahead)} if ahead else {}


def _of_vendor(kind: EngineKind, text: str) -> str:
    """Packages and options as the engine's vendor names them."""
    return re.sub(r"\bcamunda(?=[.:])", kind.vendor, text)


def _jar(kind: EngineKind) -> Path:
    digest = hashlib.sha256()
    for file in sorted(_SOURCES.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(_SOURCES).as_posix().encode() + b"\0" + file.read_bytes())
    return platformdirs.user_cache_path("retriage-tests") / f"{kind.name}-{digest.hexdigest()[:12]}" / _JAR
