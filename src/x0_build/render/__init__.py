"""Writing the book as plain Markdown, and finishing the pages that a generator makes of it."""

from x0_build.render.finish import finish
from x0_build.render.tree import write_tree

__all__ = ["finish", "write_tree"]
