"""Finds the browser that the tests of the built site drive, and installs one if there is none.

`python tests/site/browser.py` runs before the tests. It ends with exit code 1 and the command to
run if no browser can be had: tests in a browser are never skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "X0_BROWSER"
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (  # macOS
    "Applications/Chromium.app/Contents/MacOS/Chromium",
    "Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# How the tests start it too: no sandbox (containers run as root), and no calls to its maker.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGE = "data:text/html,<p>x0 is ready"


class NoBrowserError(RuntimeError):
    """No browser that starts; the message says what to run."""


def find() -> Path:
    """Return the browser: the one named by X0_BROWSER, else one that is installed.

    Raises:
        NoBrowserError: X0_BROWSER names no browser that starts, or none is installed.
    """
    if named := os.environ.get(VARIABLE):
        path = Path(shutil.which(named) or named)
        if problem := _problem(path):
            raise NoBrowserError(
                f"{VARIABLE} names a browser that does not start. Received: {named}\n{problem}\n"
                f"Run `unset {VARIABLE}`, or set it to the path of a Chromium or Chrome."
            )
        return path
    problems = []
    for path in _installed():
        if not (problem := _problem(path)):
            return path
        problems.append(f"{path}: {problem}")
    raise NoBrowserError("\n".join(["No Chromium or Chrome that starts is installed.", *problems]))


def install() -> Path:
    """Return the browser, after installing one if none is there.

    Raises:
        NoBrowserError: It cannot be installed here, or does not start.
    """
    try:
        return find()
    except NoBrowserError:
        if os.environ.get(VARIABLE):  # a wish that cannot be granted is no reason to install
            raise
    for commands in _installers():
        print("No browser found; running", " && ".join(map(" ".join, commands)), flush=True)
        try:
            for command in commands:
                subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
            return find()
        except (subprocess.CalledProcessError, OSError, NoBrowserError) as error:
            print(error, file=sys.stderr)
    raise NoBrowserError(_what_to_run())


def _installed() -> Iterator[Path]:
    for command in COMMANDS:
        if path := shutil.which(command):
            yield Path(path)
    for folder in (Path("/"), Path.home()):
        for application in APPLICATIONS:
            if (folder / application).is_file():
                yield folder / application
    if (path := _playwright()) and path.is_file():
        yield path


def _playwright() -> Path | None:
    """Return where Playwright keeps its own Chromium, whether or not it is there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return Path(path) if path else None


def _problem(path: Path) -> str:
    """Start a browser and read one page; return what went wrong, or nothing."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        own = (f"--user-data-dir={profile}", "--headless", "--dump-dom", PAGE)
        try:
            run = subprocess.run(
                [path, *ARGUMENTS, *own], capture_output=True, text=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    if "x0 is ready" in run.stdout:
        return ""
    return (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]


def _installers() -> Iterator[list[list[str]]]:
    """Yield the ways to install a browser that need no question answered."""
    download = [sys.executable, "-m", "playwright", "install", "chromium"]
    if shutil.which("apt-get") and (root := _as_root()) is not None:
        apt_get = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        yield [[*apt_get, "update"], [*apt_get, "install", "-y", "chromium"]]
        yield [[*download, "--with-deps"]]  # Ubuntu has Chromium as a snap only
    yield [download]


def _as_root() -> list[str] | None:
    """Return what to put before a command that needs root; None if that takes a password."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None


def _what_to_run() -> str:
    if sys.platform == "darwin":
        command = "brew install --cask chromium"
    elif shutil.which("apt-get"):
        command = "sudo apt-get update && sudo apt-get install -y chromium"
    else:
        command = f"{sys.executable} -m playwright install --with-deps chromium"
    return (
        "The tests need a browser, and none could be installed. Run\n"
        f"    {command}\n"
        f"or set {VARIABLE} to the path of a Chromium or Chrome, and run `make test` again."
    )


def main() -> int:
    """Install a browser if there is none; return the exit code."""
    try:
        print("Browser of the tests:", install())
    except NoBrowserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
