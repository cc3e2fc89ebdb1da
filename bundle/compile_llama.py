"""Compiles llama-cpp-python into a wheel, once, with its progress on the screen.

    python bundle/compile_llama.py --wheels .wheels --constraints constraints.txt

A wheel of the wanted version that already lies in the folder is left alone. Only what Python's bindings load is built:
no multimodal library, no programs, no network. CMAKE_ARGS from the environment come last, so a GPU build is
`CMAKE_ARGS=-DGGML_CUDA=on make …`. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

PACKAGE = "llama-cpp-python"
_STEP = re.compile(r"^\s*\[(\d+)/(\d+)\] ")
_PERCENT = re.compile(r"^\s*\[ *(\d+)%\] ")
_PHASES = (
    (re.compile(r"^\s*(Collecting|Downloading) .*llama"), "downloading the source"),
    (re.compile(r"^\s*Installing build dependencies: started"), "getting the build tools"),
    (re.compile(r"^\s*(Preparing metadata|Getting requirements)"), "preparing"),
    (re.compile(r"^\s*\*\*\* Configuring CMake"), "configuring"),
    (re.compile(r"^\s*\*\*\* Making wheel"), "packing the wheel"),
)
_QUIET_SECONDS = 20


def wanted_version(constraints: Path) -> str:
    """The version that the constraints file pins."""
    found = re.search(rf"^{PACKAGE}==(\S+)", constraints.read_text("utf-8"), re.MULTILINE)
    if found is None:
        sys.exit(f"{constraints}: no line {PACKAGE}==VERSION")
    return found[1]


def cmake_args(folder: Path) -> str:
    """What is left out of the build, then what the environment asks for."""
    ours = f"-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_INCLUDE={folder / 'only_llama.cmake'}"
    return f"{ours} {os.environ.get('CMAKE_ARGS', '')}".strip()


class Progress:
    """One line that a terminal keeps redrawing; elsewhere a new line now and then."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.phase = "starting"
        self.done = self.total = 0
        self._building_since = 0.0
        self._terminal = sys.stdout.isatty()
        self._last_print = 0.0

    def read(self, line: str) -> None:
        """Take note of one line of the build's output."""
        if step := _STEP.match(line):
            self._count(int(step[1]), int(step[2]))
        elif percent := _PERCENT.match(line):
            self._count(int(percent[1]), 100)
        else:
            self.phase = next((name for pattern, name in _PHASES if pattern.match(line)), self.phase)

    def _count(self, done: int, total: int) -> None:
        self._building_since = self._building_since or time.monotonic()
        self.phase, self.done, self.total = "compiling", done, total

    def show(self) -> None:
        """Draw the line, if it is time to."""
        now = time.monotonic()
        if not self._terminal and now - self._last_print < _QUIET_SECONDS:
            return
        self._last_print = now
        text = f"  {PACKAGE}: {self.phase}"
        if self.phase == "compiling":
            filled = 24 * self.done // self.total
            text += f" [{'#' * filled}{'.' * (24 - filled)}] {self.done}/{self.total}"
        text += f"  {clock(now - self.start)}"
        if self.phase == "compiling" and self.done * 10 >= self.total:
            spent = now - self._building_since
            text += f", about {clock(spent / self.done * (self.total - self.done))} left"
        print(f"\r\033[K{text}" if self._terminal else text, end="" if self._terminal else "\n", flush=True)

    def end(self, text: str) -> None:
        """Replace the line by a last one."""
        print(("\r\033[K" if self._terminal else "") + f"  {PACKAGE}: {text}", flush=True)


def clock(seconds: float) -> str:
    """Seconds as m:ss."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def compile_wheel(version: str, wheels: Path, log: Path) -> bool:
    """Build the wheel into `wheels`, pip's output into `log`; whether it worked."""
    command = [sys.executable, "-m", "pip", "wheel", "-v", "--no-deps", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", "--wheel-dir", str(wheels), f"{PACKAGE}=={version}"]
    here = Path(__file__).resolve().parent
    jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL") or str(os.cpu_count() or 2)
    environment = {**os.environ, "CMAKE_ARGS": cmake_args(here), "CMAKE_BUILD_PARALLEL_LEVEL": jobs}
    progress = Progress()
    lines: queue.Queue[str | None] = queue.Queue()
    with (
        log.open("w", encoding="utf-8") as record,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment
        ) as build,
    ):
        assert build.stdout is not None
        output = build.stdout

        def pump() -> None:
            for line in output:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=pump, daemon=True).start()
        # The clock moves on while one big file compiles.
        while True:
            try:
                line = lines.get(timeout=0.5)
            except queue.Empty:
                progress.show()
                continue
            if line is None:
                break
            record.write(line)
            progress.read(line)
            if lines.empty():
                progress.show()
    worked = build.returncode == 0
    spent = clock(time.monotonic() - progress.start)
    progress.end(f"ready after {spent}, kept in {wheels}" if worked else f"FAILED after {spent}")
    return worked


def main() -> int:
    """Build the wheel unless it is there."""
    parser = argparse.ArgumentParser(description="Compile llama-cpp-python into a wheel, once.")
    parser.add_argument("--wheels", type=Path, required=True, help="folder that keeps the wheel")
    parser.add_argument("--constraints", type=Path, required=True, help="file that pins the version")
    args = parser.parse_args()
    version = wanted_version(args.constraints)
    args.wheels.mkdir(parents=True, exist_ok=True)
    if any(args.wheels.glob(f"llama_cpp_python-{version}-*.whl")):
        return 0
    compilers = [os.environ.get("CXX", ""), "c++", "g++", "clang++"]
    if sys.platform != "win32" and not any(c and shutil.which(c.split()[0]) for c in compilers):
        print("No C++ compiler found: install g++ or clang (Debian: apt-get install g++ cmake).", file=sys.stderr)
        return 1
    log = args.wheels / "llama_cpp_python.log"
    if compile_wheel(version, args.wheels, log):
        return 0
    print("".join(log.read_text("utf-8").splitlines(keepends=True)[-30:]), file=sys.stderr)
    print(f"The compilation failed; all of its output is in {log}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
