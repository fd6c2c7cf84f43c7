"""What fits a signature: what annotation and docstring say of an argument, and nothing else.

A type fits as the annotation says. A shape is what the docstring states ("shape (m, n)", "x (m, n)",
"any shape"); SHAPES holds it for functions that state none, which a test compares with what they
serve. Numbers that one call takes together have one type, as PyTorch wants it, and their sizes
change together. Where nothing is stated, everything fits.
"""

from __future__ import annotations

import numbers
import re
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Shape = tuple[str, ...]
ANY: Shape = ("...",)

# Shapes of arguments whose docstring states none, or whose sizes another argument holds fixed.
LINE = "theta (2) start (2) x (m) y (m)"
CLASSIFIED = "x (m, 4) inputs (m, 4) y (m) targets (m)"
SHAPES: dict[str, str] = {
    "activations_learnable.prelu": "z (...) p (1)",
    "activations_learnable.swish": "z (...) p (1)",
    "activations_learnable.rational": "z (...) p (5)",
    "activations_learnable.maxout": "z (m, 2n) p (...)",
    "networks.forward_pass": "x (m, 4)",
    "networks.reverse_pass": "delta (6, 3)",
    "networks.autograd_gradients": "x (m, 4) y (m, 3)",
    "networks_cost.tanh_loss": "x (m, 4)",
    "networks_cost.gradient_cost": "x (m, 4)",
    "networks_rescaling.relu_output": "x (m, n_0) w (n_1, n_0) b (n_1) u (n_2, n_1)",
    "networks_rescaling.pruned_accuracy": "w (32, 64) b (32) u (10, 32) score (2368)",
    "tasks.task_loss": "z (m, n) y (m, n)",
    "tasks.start_output_": "y (m, 4)",
    "tasks_others.pairwise_ranking": "better (...) worse (...)",
    "tasks_others.next_token": "z (m, T, 4) tokens (m, T)",
    "tasks_others.noise_prediction": "z (...) noise (...)",
    "tasks_others.adversarial": "real (...) fake (...)",
    "tasks_others.contrastive": "one (m, n) other (m, n)",
    "tasks_others.policy_gradient": "z (m, 4) actions (m) advantage (m)",
    "notation_layer.columns": "weight (k, n) bias (k) h (n, m)",
    "notation_layer.rows": "weight (k, n) bias (k) h (m, n)",
    "choosing_diagnosis.same_units": "x (m, n)",
    "choosing_diagnosis.diagnose": "batch (m, 4)",
    "he_moments.relu_share": "rows (r, n) h (n)",
    "mean_field_edge.settle_grid": "weight (...) bias (...)",
    "normalization.effective_learning_rates": "batch (m, 4)",
    "orthogonal_convolution.operator_singular_values": "kernel (out, in, 3, 3)",
    "orthogonal_lsuv.output_variances": "batch (m, 4)",
    "orthogonal_lsuv.lsuv_": "batch (m, 4)",
    "residual_gates.zero_start": "x (m, 4) top (m, 4)",
    "seeds.paired": "a (n) b (n)",
    "why.gradient_norms": CLASSIFIED,
    "applications_gauss_newton.curve_output": "theta (19) x (m, 1)",
    "applications_gauss_newton.curve_loss": "theta (19)",
    "applications_gauss_newton.gradient_and_hessian": "theta (19)",
    "applications_gauss_newton.gauss_newton": "theta (19)",
    "applications_gauss_newton.damped_gauss_newton": "theta (19)",
    "applications_gauss_newton.newton_lowest": "theta (19)",
    "applications_kfac.exact_block": "h (m, n) s (m, k, k)",
    "applications_kfac.label_block": "h (m, n) logits (m, 10) labels (m)",
    "applications_pruning.digits_loss": "theta (610) x (m, 64) y (m)",
    "applications_pruning.rank_correlation": "a (n) b (n)",
    "applications_sharpness.curve_output": "theta (19) x (m, 1)",
    "applications_sharpness.curve_loss": "theta (19)",
    "applications_sharpness.hessian_product": "theta (19) v (19)",
    "applications_sharpness.sharpness_at": "theta (19)",
    "linear_regression.newton_line": LINE,
    "linear_regression_descent.descend_line": LINE,
    "linear_regression_descent.line_modes": LINE,
    "linear_regression_descent.excess_loss": f"path (T, 2) {LINE}",
    "linear_regression_descent.predicted_loss": f"{LINE} steps (T)",
    "linear_regression_exercises.crossed_loss": LINE,
    "linear_regression_repairs.one_newton_step": "start (2, 1) x (m) y (m)",
    "multivariate.hessian_vector_product": "loss ()",
    "multivariate.taylor_terms": "point (n) step (n)",
    "multivariate_exercises.quadratic_forms": "point (n) vectors (m, n)",
    "multivariate_module.flat_loss": "inputs (m, 4)",
    "multivariate_traps.central_product": "point (...) vector (...)",
    "optimization.hessian_times": "gradient (...) x (...) v (...)",
    "optimization_descent.margin_loss": "w (n) data (m, n)",
    "optimization_descent.margin_gradient": "w (n) data (m, n)",
    "optimization_saddles.saddle_free_step": "gradient (n) matrix (n, n)",
    "optimization_trust.to_border": "step (n) direction (n)",
    "univariate.taylor_polynomial": "coefficients (n) step (...)",
    "adaptive.adagrad_step": "theta (...) g (...) u (...)",
    "adaptive.rmsprop_step": "theta (...) g (...) u (...)",
    "adaptive.adam_step": "theta (...) g (...) m (...) u (...)",
    "adaptive_muon.lion_step": "theta (...) g (...) m (...)",
    "adaptive_muon.muon_step": "theta (m, n) g (m, n) m (m, n)",
    "early_stopping_ridge.spectral_risk": "shares (n) eigenvalues (n) components (n)",
    "mini_batches.sgd_epoch": CLASSIFIED,
    "mini_batches_noise.row_gradients": CLASSIFIED,
    "mini_batches_scale.noise_scales": "x (6, 4) y (6) some (k)",
    "momentum.momentum_step": "theta (...) gradient (...) buffer (...)",
    "momentum_stability.torch_converges": "step (n) beta (n)",
}


def promised(document: str) -> str:
    """Return what a docstring says of errors."""
    return document.partition("Raises:")[2].split("Warns:")[0].split(">>>")[0]


def refuses(what: str, document: str) -> bool:
    """Tell whether a docstring promises an error for other shapes, types or functions.

    What is promised to be refused is met, also if it is outside what is stated.
    """
    words = {
        "shapes": r"shape|fit|vector|matrix|dimension",
        "types": r"\breal\b",
        "functions": r"scalar|depend|derivative|largest_curvature|second_order",
    }
    return bool(re.search(words[what], promised(document)))


def of_type(annotation: str, value: Any) -> bool:
    """Tell whether a value has the type of an annotation; True is no number."""
    optional = "None" in annotation
    if value is None or isinstance(value, bool):
        return (value is None and optional) or (isinstance(value, bool) and "bool" in annotation)
    if re.search(r"(NDArray|ndarray)", annotation):
        if re.search(r"int\d*\]", annotation):
            return value.dtype.kind in "iu"
        short = "float64" in annotation and value.dtype == np.float16  # linalg has no such type
        return value.dtype.kind in "fiu" and not short if "float" in annotation else True
    plain = annotation.replace(" | None", "")
    if plain == "int":
        return isinstance(value, (numbers.Integral, np.integer))
    if plain == "float":
        return isinstance(value, (numbers.Real, np.floating))
    return isinstance(value, str) if plain == "str" else True


def head(document: str) -> str:
    """Return a docstring up to what it returns, raises or shows."""
    return re.split(r"^ *(?:Returns|Raises|Warns):|^ *>>>", document, maxsplit=1, flags=re.M)[0]


def words(name: str, document: str) -> str:
    """Return what a docstring says of an argument: its entry, or the words beside its name."""
    entry = re.search(rf"^ *{name}: (.*?)(?=^ *[\w*]+: |^ *$|\Z)", head(document), re.M | re.S)
    if entry:
        return " ".join(entry[1].split())
    text = " ".join(head(document).split())
    sentence = r"((?:[^.;:]|\.(?!\s|$))*)"
    after = re.findall(rf"(?<![\w^])(?=\b{name}\b{sentence})", text)
    before = re.findall(rf"(\b[\w-]+ [\w-]+|\b[\w-]+) {name}\b", text)
    return " ; ".join([*before, *after])


def stated(name: str, document: str) -> Shape | None:
    """Return the shape that a docstring states for an argument."""
    text = words(name, document)
    if re.search(r"\bany shape", text):
        return ANY
    shape = r"\bshapes? \(([^()]*)\)"
    found = re.search(shape, text, re.I)
    found = found or re.search(rf"\b{name} \(([\w.][^()]*,[^()]*)\)", head(document))
    return parse(found[1]) if found else None


# What a word of a docstring says of a number, or of every number of an array.
WORDS = {
    r"finite": lambda x: np.isfinite(x),
    r"positive": lambda x: x > 0,
    r"not negative": lambda x: x >= 0,
    r"not zero": lambda x: np.any(x != 0),
    r"from -1 to 1": lambda x: abs(x) <= 1,
    r"0 or 1": lambda x: (x == 0) | (x == 1),
    r"multiple of 4": lambda x: (x >= 8) & (x % 4 == 0),
}
FLOATING = ("float16", "bfloat16", "float64", "float32")
TYPES = {  # of the numbers of tensors
    "float32 or float64": ("float32", "float64"),
    "in float64": ("float64",),
    "floating-point": (*FLOATING, "complex64"),
    "real": FLOATING,
}
# What a function is not that is called a scalar, or differentiable.
NOT_SCALAR = ("a vector", "shape (1,)")
NOT_DIFFERENTIABLE = (
    "constant",
    "detached",
    "of another tensor",
    "fused attention",
    "step: a slope of 0, infinity over it",
)


def types(document: str) -> tuple[str, ...] | None:
    """Return the types of number that a docstring allows, None if all are met."""
    if refuses("types", document):
        return None
    for word, allowed in TYPES.items():
        if re.search(rf"\b{word}\b(?!:)", head(document), re.I):
            return allowed
    return (*FLOATING, "complex64", "integers", "bytes 0…255")  # booleans are no numbers


def meant(name: str, document: str, value: Any) -> bool:
    """Tell whether numbers are such as the docstring says."""
    if isinstance(value, Tensor):
        if value.is_meta:
            return True
        value = value.detach()
        value = value.double().numpy() if not value.is_complex() else value.numpy()
    text = words(name, document)
    if isinstance(value, np.ndarray) and value.dtype.kind not in "fiubc":
        return not re.search(r"\b(finite|real)\b", text, re.I)
    if not isinstance(value, int | float | np.number | np.ndarray):
        return True
    x = np.asarray(value)
    said = [test for word, test in WORDS.items() if re.search(rf"\b{word}\b", text, re.I)]
    least = re.search(r"\bat least ([\d.]*\d)", text)
    if least and not np.all(x >= float(least[1])):
        return False
    return all(bool(np.all(test(x))) for test in said) and not (
        "not empty" in text.lower() and not x.size
    )


def suited(member: str, name: str, document: str) -> bool:
    """Tell whether a function is a scalar and differentiable, where that is asked for."""
    text = words(name, document)
    if refuses("functions", document):
        return True
    return not (
        (re.search(r"\bscalar\b", text) and member in NOT_SCALAR)
        or (re.search(r"\bdifferentiable\b", text) and member in NOT_DIFFERENTIABLE)
        or (re.search(r"\bnot in place\b", text) and member == "in place")
    )


def parse(text: str) -> Shape:
    return tuple(part for part in re.split(r",\s*", text.strip().strip("()")) if part)


def shapes(key: str, names: list[str], document: str) -> dict[str, Shape]:
    """Return the shape of each argument that has one, as the table or the docstring says."""
    table = {n: parse(s) for n, s in re.findall(r"(\w+) (\([^)]*\))", SHAPES.get(key, ""))}
    found = {name: table[name] if name in table else stated(name, document) for name in names}
    return {name: shape for name, shape in found.items() if shape is not None}


def factor(size: str) -> tuple[int, str]:
    """Split 2n into 2 and n; a number has no symbol."""
    found = re.fullmatch(r"(\d*)([^\W\d]\w*)?", size)
    if not found:
        return 1, ""
    return int(found[1] or 1), found[2] or ""


def symbols(found: dict[str, Shape]) -> list[str]:
    """Return the sizes that are free, in order."""
    every = [factor(size)[1] for shape in found.values() for size in shape]
    return list(dict.fromkeys(s for s in every if s))


def resized(x: Any, shape: Shape, symbol: str, size: int) -> Any:
    """Return x with one of its sizes changed: rows left out, or repeated."""
    for axis, text in enumerate(shape):
        times, name = factor(text)
        if name == symbol and axis < x.ndim:
            rows = np.arange(times * size) % max(x.shape[axis], 1)
            x = (
                np.take(x, rows, axis)
                if isinstance(x, np.ndarray)
                else x.index_select(axis, torch.from_numpy(rows))
            )
    return x


def fits(shape: Shape, x: Any) -> bool:
    """Tell whether an array has a shape as stated; "..." and "*kernel" are any sizes."""
    free = [k for k, size in enumerate(shape) if size == "..." or size.startswith("*")]
    if free:
        before, after = shape[: free[0]], shape[free[0] + 1 :]
        if x.ndim < len(shape) - 1:
            return False
        sizes = [*x.shape[: len(before)], *x.shape[x.ndim - len(after) :]]
        shape = (*before, *after)
    else:
        sizes = list(x.shape)
    if len(sizes) != len(shape):
        return False
    known: dict[str, int] = {}
    for text, size in zip(shape, sizes, strict=True):
        times, name = factor(text)
        if not name and text.isdigit() and int(text) != size:
            return False
        if name and (size % times or known.setdefault(name, size // times) != size // times):
            return False
    return True


def cast(value: Any, change: Any) -> Any:
    """Return the arguments of a call with all floating-point numbers of another type."""
    if isinstance(value, nn.Module):
        return change(value)
    if isinstance(value, Tensor):
        return change(value) if value.is_floating_point() else value
    if isinstance(value, dict):
        return {k: cast(v, change) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(cast(v, change) for v in value)
    return value
