"""Equations that check themselves: reads the printed TeX and tests its relations."""

from x0_equations.marks import Mark, marks

__all__ = ["Mark", "marks"]
