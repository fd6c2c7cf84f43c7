"""What the commands of TeX are to the reader; tests/build pins what the house macros show."""

from __future__ import annotations

# House macros that keep their meaning; every other one is expanded from snippets/macros.toml.
NAMES = frozenset({"fanin", "fanout", "gain", "loss", "depth"})
MACRO_FUNCTIONS = frozenset({"relu", "lrelu", "sign", "diag", "tr"})
MEANINGS = NAMES | MACRO_FUNCTIONS | {"E", "Var", "Prob", "order", "Normal", "Uniform", "dd"}

_FUNCTIONS = "sin cos tan sinh cosh tanh arctan arcsin arccos ln log exp min max"
FUNCTIONS = MACRO_FUNCTIONS | set(_FUNCTIONS.split())
_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho "
    "sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi "
    "Psi Omega ell infty"
)
SYMBOLS = NAMES | FUNCTIONS | set(_GREEK.split())
RELATIONS = {"=": "=", ":=": "=", "<": "<", ">": ">", "le": "≤", "leq": "≤", "ge": "≥"}
RELATIONS |= {"geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "∼"}
CONNECTIVES = ("iff", "implies")
# Fonts and accents make names: \hat{q} is hat_q, \mathcal{V} is cal_V, \mathbf{W} is W.
FONTS = {"hat": "hat_", "bar": "bar_", "tilde": "tilde_", "mathcal": "cal_"}
FONTS |= {"mathbf": "", "mathrm": ""}
# What closes each bracket, and what it makes of its inside.
BRACKETS = {"(": (")", "group"), "[": ("]", "group"), "\\{": ("\\}", "group")}
BRACKETS |= {"lVert": ("rVert", "norm"), "lvert": ("rvert", "absolute")}
NOT_A_FACTOR = RELATIONS.keys() | {*CONNECTIVES, "rVert", "rvert", "cdot", "times", "odot"}
NOT_A_FACTOR |= {"dd", "top", "mid"}
