"""The command line of the build: `python -m x0_build <command>`."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from typing import Any

from x0_build.project import BuildError, Project

# What a command calls, with its options and their defaults. Modules are imported when called.
COMMANDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "site": ("build both languages into site/", "publish.site", {}),
    "check": ("say what is wrong with the sources", "check.tools.report", {"tools": False}),
    "serve": ("serve both languages, with live reload", "serve.serve", {"port": 8000}),
    "new": ("lay out a concept", "new.new", {"area": "", "concept": ""}),
    "rename": ("rename an equation or a concept", "rename.rename", {"old": "", "new": ""}),
    "explain": ("say how the TeX of an equation is read", "publish.explain", {"key": ""}),
    "notebooks": ("write the clean notebooks of the labs", "publish.notebooks", {"push": False}),
    "readme": ("redraw the figure of the README", "publish.readme", {}),
}


def main() -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m x0_build", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (text, _, options) in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        for option, default in options.items():
            if default is False:
                command.add_argument(f"--{option}", action="store_true")
            else:
                command.add_argument(f"--{option}", type=type(default), default=default)
    given = vars(parser.parse_args())
    module, _, function = COMMANDS[given.pop("command")][1].rpartition(".")
    try:
        call = getattr(importlib.import_module(f"x0_build.{module}"), function)
        call(Project.find(), **given)
    except BuildError as error:
        print(f"\n{error}\n\n{len(error.problems)} problem(s).", file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        print("\nAn error of x0_build, not of your sources: please report it.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
