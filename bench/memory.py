"""``python -m bench.memory MODULE ...``: run a module and print its peak memory on stderr.

The kernel's figure for a finished child includes its parent's memory at the fork; the process
itself has the right one.
"""

import atexit
import re
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAID = re.compile(r"peak (\d+) kB")


def peak_of(module: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run ``python -m module`` to its end and return its peak resident size in kB."""
    command = [sys.executable, "-m", "bench.memory", *module]
    ended = subprocess.run(
        command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return int(SAID.findall(ended.stderr)[-1])


def _say() -> None:
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(f"peak {held[1] if held else 0} kB", file=sys.stderr)


if __name__ == "__main__":
    atexit.register(_say)
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
