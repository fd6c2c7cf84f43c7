"""Execution: what runs, what is kept of it, what pages take from it.

Nothing here imports PyTorch or Matplotlib: when nothing changed, knowing so takes milliseconds.
"""

from x0_build.run.lab import Cell, Lab
from x0_build.run.module import Module, modules
from x0_build.run.results import execute, load
from x0_build.run.store import Result
from x0_build.run.values import Tree, number

__all__ = ["Cell", "Lab", "Module", "Result", "Tree", "execute", "load", "modules", "number"]
