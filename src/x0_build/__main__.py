"""The command line of the build: `python -m x0_build <command>`."""

from __future__ import annotations

import argparse
import os
import sys

from x0_build import labs, notebooks, site
from x0_build.book import Book
from x0_build.execute import execute
from x0_build.markdown import readme_figure
from x0_build.new import lay_out
from x0_build.paths import Project
from x0_build.problems import BuildError


def main() -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m x0_build", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("execute", help="run the modules that changed (the default)")
    commands.add_parser("prepare", help="run what changed and check the sources")
    commands.add_parser("site", help="build both languages into site/")
    server = commands.add_parser("serve", help="serve both languages with live reload")
    server.add_argument("--port", type=int, default=8000)
    commands.add_parser("readme", help="redraw the figure of the README")
    clean = commands.add_parser("notebooks", help="write the clean notebooks of the labs")
    clean.add_argument("--push", action="store_true", help="to the branch that Colab reads")
    new = commands.add_parser("new", help="lay out the files of a new concept")
    new.add_argument("area")
    new.add_argument("concept")
    options = parser.parse_args()
    project = Project.find()
    try:
        if options.command == "site":
            seconds = site.build(project)
            print(f"Both languages rendered in {seconds:.1f} s.")
            print(
                f"Open it with:  {sys.executable} -m http.server -d site 8000   (http://localhost:8000/)"
            )
        elif options.command == "prepare":
            if problems := site.prepare(project):
                raise BuildError(problems)
        elif options.command == "serve":
            site.serve(project, port=options.port)
        elif options.command == "readme":
            execute(project)
            print(project.relative(readme_figure(Book(project))))
        elif options.command == "notebooks":
            execute(project)
            labs.execute(project)
            sites = {"zh": os.getenv("X0_SITE_URL", ""), "en": os.getenv("X0_SITE_URL_EN", "")}
            target = project.build / "notebooks"
            for path in notebooks.write(Book(project), target, sites):
                print(project.relative(path))
            if options.push:
                notebooks.push(project, target)
        elif options.command == "new":
            for path in lay_out(project, options.area, options.concept):
                print(project.relative(path))
        else:
            execute(project)
            labs.execute(project)
    except BuildError as error:
        print(
            f"\n{error}\n\n{len(error.problems)} problem(s); nothing was published.",
            file=sys.stderr,
        )
        return 1
    except (ValueError, FileExistsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
