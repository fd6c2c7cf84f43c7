"""Oracles for whole kinds of functions: a call beside its twin, which must give the same.

again      the same call a second time, from the same random states: the same bits
precision  the numbers in float64: the same within the precision of the type that was given
layout     the same numbers behind other strides: the same within rounding
rows       the samples in another order: the same, or the same rows in that order
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo import contract, domains
from zoo.contract import Meeting, Outcome, Subject
from zoo.models import MODELS

Arguments = dict[str, Any]
QUICK = 0.03  # seconds; a slower call has no twins but the first
VARIES = 32  # how far rounding may move a result, over what rounding the input moves it

ROWS_ELSEWHERE = {
    "cells": "time comes first",
    "gru": "time comes first",
    "recurrent_without_bias": "time comes first",
    "dropout": "which numbers are dropped depends on the place",
}
ROUNDS = {  # more than its inputs do
    "multivariate_traps.central_product": "a difference of two losses, divided by the step",
}
GRAPH = {  # takes tensors that belong to one graph: a copy has another
    "multivariate.hessian_vector_product",
    "optimization.hessian_times",
}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the numbers in a result, as arrays, with where they stand."""
    if isinstance(value, Tensor):
        if not value.is_meta and not nn.parameter.is_lazy(value):
            plain = value.detach().cpu()
            wide = torch.complex128 if plain.is_complex() else torch.float64
            yield path, plain.to(wide).numpy()
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "fiubc":
            yield path, value.astype(complex if value.dtype.kind == "c" else float)
        else:
            yield path, value
    elif isinstance(value, (bool, int, float, complex, np.number, np.bool_)):
        try:
            yield path, np.asarray(value, dtype=complex if isinstance(value, complex) else float)
        except OverflowError:
            yield path, np.asarray(str(value))
    elif isinstance(value, str):
        yield path, np.asarray(value)
    elif isinstance(value, dict):
        for key, x in value.items():
            yield from leaves(x, f"{path}[{key if isinstance(key, (str, float, int)) else '…'}]")
    elif isinstance(value, (list, tuple)):
        for index, x in enumerate(value):
            yield from leaves(x, f"{path}[{index}]")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, nn.Module):
        for name, p in [*value.named_parameters(), *value.named_buffers()]:
            yield from leaves(p, f"{path}.{name}")


def gap(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference; inf if shapes, NaN, infinities or words differ."""
    if a.shape != b.shape:
        return math.inf
    if a.dtype.kind not in "fc" or b.dtype.kind not in "fc":
        return 0.0 if bool((a == b).all()) else math.inf
    both = (a == b) | (np.isnan(a) & np.isnan(b))
    if both.all():
        return 0.0
    with np.errstate(all="ignore"):
        left = np.abs(a - b)[~both]
    return float(np.where(np.isnan(left), np.inf, left).max())


def size(x: np.ndarray) -> float:
    plain = np.abs(x[np.isfinite(x)]) if x.dtype.kind in "fc" else np.zeros(0)
    return float(plain.max()) if plain.size else 0.0


def run(subject: Subject, arguments: Arguments) -> Any:
    """Call a function with the random states of the first call; None if it refuses."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        return contract.call(subject, arguments)


def attempt(subject: Subject, arguments: Arguments) -> list[tuple[str, Any]] | None:
    try:
        return list(leaves(run(subject, arguments)))
    except Exception:
        return None


def fresh(subject: Subject, example: Callable[[Subject], Arguments], arguments: Arguments) -> Any:
    """Return arguments for the same call: the generators are new."""
    new = {k: v for k, v in example(subject).items() if k in ("generator", "rng")}
    return arguments | {k: v for k, v in new.items() if arguments.get(k) is not None}


# --- twins -------------------------------------------------------------------------------------


def again(subject: Subject, arguments: Arguments, found: list[Any]) -> str:
    """The same call a second time."""
    try:
        second = list(leaves(run(subject, arguments)))
    except Exception as error:
        return f"a second call raises {type(error).__name__}: {str(error)[:100]}"
    for (path, a), (_, b) in zip(found, second, strict=True):
        if gap(a, b):
            return f"a second call gives other numbers at {path or 'the result'}: {gap(a, b):.3g}"
    return ""


def floats(base: Arguments) -> list[str]:
    """Return the arguments that hold measured numbers: what is no label or index."""
    kept = []
    for key, value in base.items():
        real = isinstance(value, Tensor) and value.is_floating_point()
        if real or (isinstance(value, np.ndarray) and value.dtype.kind == "f"):
            kept.append(key)
        if isinstance(value, (list, tuple, nn.Module)):
            kept.append(key)
    return kept


def widened(value: Any) -> Any:
    """Return numbers as float64; modules too, as copies."""
    if isinstance(value, Tensor):
        plain = value.detach()
        return plain.to(torch.complex128 if plain.is_complex() else torch.float64)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return value.astype(np.float64)
    if type(value) in (list, tuple):
        return type(value)(widened(x) if not isinstance(x, (int, float)) else x for x in value)
    return value


def unit(value: Any) -> float:
    """Return the coarsest rounding among numbers; 0 if all are exact in float64."""
    if isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex()):
        return torch.finfo(value.dtype).eps
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return float(np.finfo(value.dtype).eps)
    if isinstance(value, np.floating):
        return float(np.finfo(value.dtype).eps)
    if type(value) in (list, tuple):
        return max([unit(x) for x in value], default=0.0)
    return 0.0


def narrow(value: Any) -> bool:
    """Tell whether numbers are of another type than float64."""
    if isinstance(value, Tensor):
        return value.dtype not in (torch.float64, torch.complex128)
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiub" and value.dtype != np.float64
    return type(value) in (list, tuple) and any(map(narrow, value))


def moved(value: Any, eps: float, rng: np.random.Generator) -> Any:
    """Return numbers, each moved by a rounding."""
    if isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex()):
        sign = torch.from_numpy(rng.choice([-1.0, 1.0], size=tuple(value.shape)))
        return value * (1 + eps * sign)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value * (1 + eps * rng.choice([-1.0, 1.0], size=value.shape))
    if type(value) in (list, tuple):
        return type(value)(moved(x, eps, rng) for x in value)
    return value


def types_of(value: Any) -> set[torch.dtype]:
    parts = value if isinstance(value, (list, tuple)) else [value]
    return {x.dtype for x in parts if isinstance(x, Tensor)}


def precision(
    subject: Subject, arguments: Arguments, base: Arguments, found: list[Any], result: Any
) -> str:
    """The numbers in float64, and moved by one rounding."""
    keys = [k for k in floats(base) if k in arguments and narrow(arguments[k])]
    if not keys or any(isinstance(v, nn.Module) for v in arguments.values()):
        return "-"
    eps = max(unit(arguments[k]) for k in keys)
    wide = arguments | {k: widened(arguments[k]) for k in keys}
    exact = attempt(subject, wide)
    if exact is None or len(exact) != len(found):
        return "-"
    rng = np.random.default_rng(0)
    spread = [0.0] * len(exact)
    least = eps or 2.0**-23  # integers come out as float32
    for _ in range(2):
        other = attempt(subject, wide | {k: moved(wide[k], least, rng) for k in keys})
        if other is None or len(other) != len(exact):
            return "-"
        spread = [max(s, gap(a, b)) for s, (_, a), (_, b) in zip(spread, exact, other, strict=True)]
    most = max([size(b) for _, b in exact], default=0.0)
    narrowest = [arguments[k].dtype for k in keys if isinstance(arguments[k], Tensor)]
    floating = [t for t in narrowest if t.is_floating_point or t.is_complex]
    highest = min([torch.finfo(t).max for t in floating], default=math.inf)
    if not floating and narrowest and torch.uint8 in types_of(result):
        highest = 255.0  # PyTorch counts on from 0, in a result of bytes
    for (path, a), (_, b), s in zip(found, exact, spread, strict=True):
        allowed = VARIES * (s + least * most)
        if size(b) > highest / 2:
            return "-"  # no number of that type
        if gap(a, b) > allowed:
            where = path or "the result"
            return f"in float64 {where} differs by {gap(a, b):.3g} of {size(b):.3g}, {allowed:.1g} allowed"
    return ""


def strided(value: Any) -> Any:
    """Return the same numbers with other strides."""
    if isinstance(value, Tensor) and value.dim() and type(value) is Tensor:
        plain = value.detach()
        back = torch.stack([plain, plain], -1)[..., 0]
        back = back.movedim(0, -1).contiguous().movedim(-1, 0) if value.dim() > 1 else back
        return back.requires_grad_(value.requires_grad)
    if isinstance(value, np.ndarray) and value.ndim:
        return np.asfortranarray(np.stack([value, value], -1))[..., 0]
    if type(value) in (list, tuple):
        return type(value)(map(strided, value))
    if type(value) is dict:
        return {k: strided(v) for k, v in value.items()}
    return value


def layout(subject: Subject, arguments: Arguments, found: list[Any]) -> str:
    """The same numbers behind other strides."""
    other = {k: strided(v) for k, v in arguments.items() if k in subject.parameters}
    if all(other[k] is arguments[k] for k in other):
        return "-"
    try:
        second = list(leaves(run(subject, arguments | other)))
    except Exception as error:
        return f"strided arguments: {type(error).__name__}: {str(error)[:100]}"
    eps = max([unit(v) for v in arguments.values()], default=0) or 2.0**-23
    most = max([size(a) for _, a in found], default=0.0)
    for (path, a), (_, b) in zip(found, second, strict=True):
        if gap(a, b) > math.sqrt(eps) * max(size(a), size(b)) + 64 * eps * most:
            return (
                f"strided arguments move {path or 'the result'} by {gap(a, b):.3g} of {size(a):.3g}"
            )
    return ""


def rows(subject: Subject, arguments: Arguments, found: list[Any]) -> str:
    """The samples in another order."""
    shapes = domains.shapes(subject.key, list(arguments), subject.document)
    shapes = {k: s for k, s in shapes.items() if isinstance(arguments[k], (Tensor, np.ndarray))}
    if any(arguments[k].ndim <= s.index("m") for k, s in shapes.items() if "m" in s):
        return "-"
    new, count = dict(arguments), 0
    for key, shape in shapes.items():
        value = arguments[key]
        if shape[:1] == ("m",) and len(value) > 2:
            count = len(value)
    order = np.random.default_rng(1).permutation(count)
    for key, shape in shapes.items():
        value = arguments[key]
        for axis in [k for k, name in enumerate(shape) if name == "m"]:
            if value.shape[axis] != count:
                return "-"
            new[key] = (
                new[key].index_select(axis, torch.from_numpy(order))
                if isinstance(value, Tensor)
                else np.take(new[key], order, axis)
            )
    if not count:
        return "-"
    second = attempt(subject, new)
    if second is None:
        return "raises when the rows come in another order"
    eps = max([unit(v) for v in arguments.values()], default=0) or 2.0**-23
    most = max([size(a) for _, a in found], default=0.0)
    for (path, a), (_, b) in zip(found, second, strict=True):
        near = math.sqrt(eps) * max(size(a), size(b)) + 64 * eps * most
        axes = [k for k in range(a.ndim) if a.shape[k] == count]
        twins = [a, *(np.take(a, order, k) for k in axes)]
        if min(gap(x, b) for x in twins) > near:
            return f"{path or 'the result'} depends on the order of the rows"
    return ""


# Python's numbers beside those of NumPy, and integers beside floats.
PLAIN: dict[str, Callable[[Any], Any]] = {
    "an int": float,
    "np.float32": float,
    "np.float64": float,
    "np.int64": int,
}


def plain(subject: Subject, name: str, arguments: Arguments, found: list[Any]) -> str:
    """A number of NumPy, or an integer, in the place of Python's own."""
    value = arguments[name]
    second = attempt(subject, arguments | {name: int(value) if value == 2 else float(value)})
    if second is None:
        return f"{type(value).__name__} is taken, Python's number is not"
    # float32 in, float32 out: where numbers of order 1 cancel, their rounding is left
    allowed = 1e-6 if isinstance(value, np.float32) else 0.0
    for (path, a), (_, b) in zip(found, second, strict=True):
        if gap(a, b) > 1e-5 * size(b) + allowed:
            return (
                f"with {value!r} {path or 'the result'} differs by {gap(a, b):.3g} of {size(b):.3g}"
            )
    return ""


# Models that a function may refuse, as its docstring says; all others of the zoo it serves.
NO_NUMBERS = "lazy meta"
NO_PARAMETERS = "no_parameters quantized"
NO_INVERSE = (  # nothing can be assigned to the weight
    "lora_parametrized no_inverse orthogonal_weight pruned spectral_norm spectral_norm_old "
    "weight_norm_old"
)
WRAPPED = f"{NO_INVERSE} weight_norm weight_norm_large weight_norm_small weight_norm_transposed"
NO_COPY = "pruned weight_norm_old"
NOT_BY_ROWS = "buffers checkpointed data_parallel dropout eight_bits experts hooked no_affine"
BRANCH = f"{NO_NUMBERS} {NO_PARAMETERS} {NO_INVERSE} bare_parameters"
FORWARD_IS_NAN = "nan_input nan_weight"
REFUSED: dict[str, str] = {
    "biases.zero_biases_": "lazy",
    "choosing.check_numbers": f"{NO_NUMBERS} {NO_PARAMETERS}",
    "choosing.initialize_": f"{NO_NUMBERS} {NO_PARAMETERS} bare_parameters lora_parametrized",
    "choosing.last_layer": f"{NO_PARAMETERS} bare_parameters lora_parametrized",
    "choosing_diagnosis.diagnose": f"{NO_NUMBERS} quantized reentrant",
    "frameworks_apply.untouched": f"{NO_NUMBERS} {NO_PARAMETERS} {NO_COPY} eight_bits",
    "frameworks_meta.materialize_": "lazy",
    "he_model.he_initialize_": f"{NO_NUMBERS} {WRAPPED}",
    "normalization.effective_learning_rates": f"{NO_NUMBERS} {NO_COPY}",
    "optimizers_recipe.fan_in_growth": f"lazy {WRAPPED} complex_weights eight_bits gpt2 "
    "loud_tied_head u_net",
    "optimizers_recipe.mup_": f"{NO_NUMBERS} {WRAPPED} complex_weights eight_bits gpt2 "
    "loud_tied_head u_net",
    "orthogonal_lsuv.output_variances": NO_NUMBERS,
    "orthogonal_lsuv.lsuv_": f"{NO_NUMBERS} {WRAPPED} complex_weights dead_behind_attention "
    "dead_encoder loud_tied_head nan_input tied_linears",
    "residual.branch_layers": BRANCH,
    "residual.scale_branches_": BRANCH,
    "residual.zero_branches_": BRANCH,
    "residual.fixup_": BRANCH,
    "transformers.init_transformer_": f"{NO_NUMBERS} {NO_PARAMETERS} buffers tied_transposed",
    "why.gradient_norms": f"lazy {NO_PARAMETERS} {WRAPPED} bare_parameters frozen_zero_head lora",
    "multivariate_module.flat_loss": f"lazy {NO_PARAMETERS}",
    "adaptive_groups.muon_and_adamw": f"lazy {NO_PARAMETERS} bottleneck double u_net",
    "learning_rate_range.range_test": f"{NO_NUMBERS} {NO_PARAMETERS} {NO_COPY} {FORWARD_IS_NAN} "
    "frozen",
    "mini_batches.sgd_epoch": NO_PARAMETERS,
    "mini_batches_noise.row_gradients": f"lazy {NO_PARAMETERS} {NOT_BY_ROWS}",
    "mini_batches_scale.noise_scales": f"lazy {NO_PARAMETERS} {NOT_BY_ROWS} {FORWARD_IS_NAN}",
    "regularization.train_": NO_PARAMETERS,
}


# --- all of them -------------------------------------------------------------------------------


def judge(
    subject: Subject,
    meeting: Meeting,
    twin: Meeting | None,
    example: Callable[[Subject], Arguments],
    oracle: Any,
) -> tuple[Outcome, set[str]]:
    """Meet a member, then its twins; return how it ended, and which oracles spoke."""
    arguments, member = meeting.arguments, meeting.member
    usual = not any(word in member.lower() for word in ("nan", "inf", "1e300"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        begin = time.process_time()
        outcome = contract.meet(subject, arguments, oracle, usual, member)
        spent = time.process_time() - begin
    served = member in MODELS and member not in REFUSED.get(subject.key, "").split()
    if outcome.end == "refused" and served and meeting.name in subject.parameters:
        return Outcome("failed", f"refuses what it should serve: {outcome.why[:120]}"), set()
    if outcome.end != "verified" or outcome.warned:
        return outcome, set()
    spoke = {"measured"} if oracle is not None else set()
    found = list(leaves(outcome.result))
    in_place = contract.in_place(subject)
    if in_place:
        found += list(leaves(arguments))
    complaints = {}
    if spent < 8 * QUICK and not inspect.isclass(subject.function):
        if in_place and twin is not None:
            complaints["again"] = repeated(subject, twin.arguments, found)
        elif not in_place:
            args = fresh(subject, example, arguments)
            complaints["again"] = again(subject, args, found)
    setting = isinstance(arguments.get(meeting.name), (int, float, str, np.number, type(None)))
    numbers = meeting.name not in arguments or not setting
    if spent < QUICK and not in_place and not inspect.isclass(subject.function):
        base = example(subject)

        def renewed() -> Arguments:
            return fresh(subject, example, arguments)

        drawn, own = contract.draws(subject.function), subject.key in GRAPH
        if numbers and not (drawn or own or subject.key in ROUNDS or "one " in member):
            complaints["precision"] = precision(subject, renewed(), base, found, outcome.result)
        if numbers and not own:
            complaints["layout"] = layout(subject, renewed(), found)
        if numbers and not (drawn or own or member in ROWS_ELSEWHERE):
            complaints["rows"] = rows(subject, renewed(), found)
        if member in PLAIN:
            complaints["plain"] = plain(subject, meeting.name, renewed(), found)
    for name, complaint in complaints.items():
        if complaint and complaint != "-":
            return Outcome("failed", f"{name}: {complaint}"), spoke
        if not complaint:
            spoke.add(name)
    return outcome, spoke


def repeated(subject: Subject, arguments: Arguments, found: list[Any]) -> str:
    """The same call a second time, of a function that changes what it gets."""
    try:
        second = list(leaves(run(subject, arguments))) + list(leaves(arguments))
    except Exception as error:
        return f"a second call raises {type(error).__name__}: {str(error)[:100]}"
    for (path, a), (_, b) in zip(found, second, strict=True):
        if gap(a, b):
            return f"a second call gives other numbers at {path or 'the result'}: {gap(a, b):.3g}"
    return ""
