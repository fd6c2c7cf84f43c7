"""Equations that check themselves: reads the printed TeX and tests its relations."""

from x0_equations.marks import Mark, marks
from x0_equations.source import Printed, SourceError, equations

__all__ = ["Mark", "Printed", "SourceError", "equations", "marks"]
