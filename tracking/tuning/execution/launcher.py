"""Becomes the program that it is told to, which gives way to others and dies with the process that started it.

    python -I -S launcher.py <pid of the parent> <niceness> <program> [argument …]

Linux only. It is a program of its own, because code between a fork and the program that follows may hang in a
process that has threads. It imports nothing of Podium: every evaluation waits for it.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, niceness, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    try:
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass  # whoever finds the worker dead kills its group
    if niceness:
        os.nice(niceness)
        try:
            # Where Linux shares the processors between sessions, niceness counts within one only (sched(7), autogroup).
            with open("/proc/self/autogroup", "w") as file:
                file.write(str(niceness))
        except OSError:
            pass  # not there, or asked for too often: then this trial gives way less
    if os.getppid() != parent:
        sys.exit(127)  # it died before we asked
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
