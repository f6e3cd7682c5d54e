"""The exit codes of all commands without a screen: one table, repeated in ``--help`` and ``console/RUNS.md``."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    COMMAND_LINE = 2
    NOTHING = 3
    REFUSED = 4
    ENGINE = 5
    HELD = 6
    UNANSWERED = 7
    RELEASED = 8
    INTERRUPTED = 130


MEANING: dict[ExitCode, str] = {
    ExitCode.DONE: "done, and the gate passed every wave",
    ExitCode.COMMAND_LINE: "the command line is wrong",
    ExitCode.NOTHING: "nothing matched, or nothing of a run was sent",
    ExitCode.REFUSED: "refused: the safety, the count, no --yes, or another console drives the run",
    ExitCode.ENGINE: "the engine or the journal was not reached, or refused",
    ExitCode.HELD: "held by the gate, batches of others or variables not set, or stopped by somebody else",
    ExitCode.UNANSWERED: "a launch was not answered, and its batch was not found",
    ExitCode.RELEASED: "finished, with waves that the operator let through",
    ExitCode.INTERRUPTED: "interrupted; the run is held and can be resumed",
}
EPILOG = "Exit codes: " + "; ".join(f"{code.value} {said}" for code, said in MEANING.items()) + "."
