"""What a page can say: its blocks, its signs, the sections of modules that it includes.

The same reader serves the checks and the rendering, so that nothing is rendered unchecked.
"""

from x0_build.syntax.blocks import EXERCISE, HEADING, INCLUDE, MARK, Block, blocks, sections
from x0_build.syntax.page import LINK, Page, read_page
from x0_build.syntax.signs import PATTERNS, Use, scan, values

__all__ = [
    "EXERCISE",
    "HEADING",
    "INCLUDE",
    "LINK",
    "MARK",
    "PATTERNS",
    "Block",
    "Page",
    "Use",
    "blocks",
]
__all__ += ["read_page", "scan", "sections", "values"]
