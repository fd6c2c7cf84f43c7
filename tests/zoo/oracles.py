"""What a function promises, measured: a complaint, or an empty string.

An oracle gets what the arguments were, what they are now, the result and the member's name.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo.models import MODELS

Before = dict[str, Any]
Oracle = Callable[[Before, dict[str, Any], Any, str], str]
ORACLES: dict[str, Oracle] = {}


def oracle(*keys: str) -> Callable[[Oracle], Oracle]:
    def add(function: Oracle) -> Oracle:
        ORACLES.update(dict.fromkeys(keys, function))
        return function

    return add


# --- tensors filled in place -------------------------------------------------------------------


@oracle(
    "he.he_normal_",
    "he.he_uniform_",
    "lecun.lecun_normal_",
    "lecun.lecun_uniform_",
    "xavier.xavier_normal_",
    "xavier.xavier_uniform_",
    "notation.gaussian_",
    "orthogonal.orthogonal_",
    "orthogonal_convolution.delta_orthogonal_",
    "orthogonal_relatives.eye_",
    "orthogonal_relatives.dirac_",
    "orthogonal_relatives.sparse_",
    "frameworks_truncated.truncated_normal_",
)
def filled(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    tensor, old = after["tensor"], before["tensor"]
    if result is not tensor:
        return "did not return the tensor it filled"
    if tensor.shape != old.shape or tensor.dtype != old.dtype:
        return "changed shape or type"
    if tensor.is_meta or not tensor.numel():
        return ""
    settings = [v for k, v in after.items() if k in ("gain", "std", "variance", "mean", "a")]
    if 0 not in settings and torch.equal(tensor.detach(), old) and tensor.any():
        return "a silent no-op"
    if tensor.is_complex() and "gain" in after:
        return "fills complex weights, whose variance the law does not say"
    return ""


def gram(weight: Tensor) -> float:
    """Return how far the shorter side of a matrix is from orthonormal."""
    w = weight.detach().double().flatten(1)
    w = w if w.shape[0] <= w.shape[1] else w.T
    return float((w @ w.T - torch.eye(len(w)).double()).abs().max()) if len(w) else 0.0


@oracle("orthogonal.orthogonal_")
def orthogonal(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    tensor = after["tensor"]
    if not tensor.is_meta and after.get("gain", 1) == 1 and tensor.numel():
        error = 20 * torch.finfo(tensor.dtype).eps
        if gram(tensor) > error:
            return f"not orthogonal: {gram(tensor)}"
    return filled(before, after, result, member)


# --- models ------------------------------------------------------------------------------------

NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.modules.batchnorm._NormBase)
KERNELS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def unchanged(p: Tensor, old: Tensor) -> bool:
    p = p.detach()
    return p.is_meta or bool(((p == old) | (p.isnan() & old.isnan())).all())


def far(weight: Tensor, std: float) -> bool:
    """Tell whether the deviation of independent numbers is not std, by 4 standard errors."""
    numbers = weight.detach().abs().double()
    measured = numbers.square().mean().sqrt().item()
    if std < torch.finfo(weight.dtype).tiny:
        return measured > std
    return (
        abs(measured / std - 1)
        > 4 / math.sqrt(2 * numbers.numel()) + 4 * torch.finfo(weight.dtype).eps
    )


def effective(module: nn.Module, name: str = "weight") -> Tensor:
    """Return the weight a layer computes with, also under the old hooks."""
    modes = {m: m.training for m in module.modules()}
    module.eval()  # spectral_norm would take a step
    for hook in module._forward_pre_hooks.values():
        if not isinstance(hook, types.FunctionType):  # the user's are functions
            hook(module, ())
    weight: Tensor = getattr(module, name).detach()
    for m, mode in modes.items():
        m.training = mode
    return weight


def padding(model: nn.Module) -> str:
    for name, m in model.named_modules():
        row = isinstance(m, nn.Embedding) and m.padding_idx is not None
        if row and m.weight[m.padding_idx].any():
            return f"the padding row of {name} is not 0"
    return ""


@oracle("choosing.initialize_")
def initialized(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    model = after["model"]
    for name, buffer in model.named_buffers():  # before a weight is read: that may change one
        if not unchanged(buffer, before["model"][name]):
            return f"the buffer {name} changed"
    left = set(result)
    touched = set()
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    slope = after.get("slope", 0.0)
    factor = 2 / (1 + slope * slope)
    for name, m in model.named_modules():
        own = {f"{name}.{k}".strip(".") for k, _ in m.named_parameters()}
        if isinstance(m, (nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)):
            touched |= own
        elif isinstance(m, (nn.Embedding, nn.EmbeddingBag)):
            touched |= own
            rows = torch.arange(len(m.weight)) != (-1 if m.padding_idx is None else m.padding_idx)
            if far(m.weight[rows], 0.02):
                return f"{name}: the embedding is not N(0, 0.02²)"
        elif isinstance(m, (nn.Linear, *KERNELS)) and not own & left:
            touched |= own
            if id(m.weight) in tables or m.weight.is_meta:
                continue
            weight, scale = effective(m), 1 if name.endswith("out_proj") else factor
            if far(weight, math.sqrt(scale / weight[0].numel())):
                return f"{name}: {weight.shape} has the deviation {weight.std():.3g}"
            if m.bias is not None and m.bias.any():
                return f"the bias of {name} is not 0"
        elif isinstance(m, (nn.ConvTranspose1d, nn.ConvTranspose2d)):
            touched |= own
    names = dict(model.named_parameters())
    for name, p in names.items():
        same = unchanged(p, before["model"][name])
        norm = any(
            name.startswith(f"{k}.") for k, m in model.named_modules() if isinstance(m, NORMS)
        )
        if not same and (name in left or name not in touched):
            return f"{name} changed but is not promised to"
        if same and name not in touched and name not in left and not norm:
            return f"{name} was left alone, but not named"
    return padding(model)


PLAIN = (nn.Linear, *KERNELS)


@oracle("he_model.he_initialize_")
def he_initialized(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    """Each layer computes with weights of variance 2 / fan_in; all else is as it was."""
    model, touched = after["model"], set()
    if result is not model:
        return "did not return the model"
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    for name, m in model.named_modules():
        if isinstance(m, PLAIN):
            touched |= {f"{name}.{k}".strip(".") for k, _ in m.named_parameters()}
            weight = effective(m)
            if weight.is_meta:
                continue
            if id(m.weight) not in tables and far(weight, math.sqrt(2 / weight[0].numel())):
                return f"{name}: deviation {weight.std():.3g}, fan-in {weight[0].numel()}"
            if m.bias is not None and m.bias.any():
                return f"the bias of {name} is not 0"
    for name, p in [*model.named_parameters(), *model.named_buffers()]:
        if name not in touched and not unchanged(p, before["model"][name]):
            shared = any(
                p is q for k, q in model.named_parameters(remove_duplicate=False) if k in touched
            )
            if not shared:
                return f"{name} changed"
    return padding(model)


@oracle("optimizers_recipe.mup_")
def maximal_update(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    """Variances are those that it says, and each parameter is in one group."""
    model, narrow = after["model"], after["narrow"]
    listed = [id(p) for group in result for p in group["params"]]
    if sorted(listed) != sorted(id(p) for p in model.parameters()):
        return "the groups are not the parameters of the model"
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    old = dict(narrow.named_parameters())
    for name, m in model.named_modules():
        if isinstance(m, nn.Linear) and id(m.weight) not in tables:
            weight = effective(m)
            if weight.is_meta:
                continue
            std = 1 / math.sqrt(weight[0].numel())
            same = f"{name}.weight".strip(".") in old
            if same and weight.shape == old[f"{name}.weight".strip(".")].shape and far(weight, std):
                return f"{name}: deviation {weight.std():.3g} is not {std:.3g}"
            if not same and far(weight, std):
                return f"{name}: wrapped, its deviation {weight.std():.3g} is not {std:.3g}"
    for name, p in model.named_parameters():
        if "bias" in name.rpartition(".")[2] and p.dim() == 1 and p.any():
            return f"{name} is not 0"
    return padding(model)


@oracle("orthogonal_lsuv.lsuv_")
def unit_variances(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    """Each layer that it names puts out the variance 1."""
    model, batch, tol = after["model"], after["batch"], after.get("tol", 0.01)
    seen: dict[str, float] = {}
    names = {m: k for k, m in model.named_modules()}

    def note(m: nn.Module, _: Any, z: Tensor) -> None:
        if z.numel():
            seen.setdefault(names[m], float(z.detach().double().var(correction=0)))

    layers = dict(model.named_modules())
    hooks = [layers[k].register_forward_hook(note) for k in result]
    modes = {m: m.training for m in model.modules()}
    buffers = [b.clone() for b in model.buffers()]
    with torch.no_grad(), torch.compiler.set_stance("force_eager"):
        model.eval()(batch.detach().clone())
    for hook in hooks:
        hook.remove()
    for m, mode in modes.items():
        m.training = mode
    for b, value in zip(model.buffers(), buffers, strict=True):
        b.data.copy_(value)
    wrong = {k: v for k, v in seen.items() if not abs(v - 1) <= 1.01 * tol + 1e-5}
    if wrong:
        return f"variances {wrong}"
    bare = {f"{k}.weight".strip(".") for k in result}
    for name, p in model.named_parameters():
        if name not in bare and not unchanged(p, before["model"][name]):
            shared = any(layers[k].weight is p for k in result)
            if not shared:
                return f"{name} changed"
    return ""


@oracle("choosing.recurrent_")
def recurrent(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    m = after["module"]
    for name, p in m.named_parameters(recurse=False):
        parts = p.detach().split(m.hidden_size)
        for part in parts:
            if name.startswith("weight_hh") and gram(part) > 20 * torch.finfo(p.dtype).eps:
                return f"a gate of {name} is not orthogonal: {gram(part)}"
            if name.startswith("weight_ih") and far(part, math.sqrt(2 / sum(part.shape))):
                return f"a gate of {name} has the deviation {part.std():.3g}"
        if name.startswith("bias") and isinstance(m, (nn.LSTM, nn.LSTMCell)):
            wanted = float("hh" in name)
            if (parts[1] != wanted).any() or parts[0].any() or parts[2].any():
                return f"{name} is {p.tolist()}"
    return ""


@oracle("transformers.init_transformer_")
def transformer(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    """The layers compute with N(0, std²), what it names is as before."""
    model, std, left = after["model"], after.get("std", 0.02), set(result)
    for name, buffer in model.named_buffers():
        if not unchanged(buffer, before["model"][name]):
            return f"the buffer {name} changed"
    for name, p in model.named_parameters():
        if name in left:
            if not unchanged(p, before["model"][name]):
                return f"{name} changed but was said to be left"
        elif p.dim() < 2 and "bias" not in name and (p != 1).any():
            return f"{name} is neither 1 nor named"
        elif p.dim() < 2 and "bias" in name and p.any():
            return f"{name} is neither 0 nor named"
    names = after.get("residual", ("linear2", "out_proj"))
    small = std / math.sqrt(2 * after["depth"])
    seen: dict[int, str] = {}
    for name, m in model.named_modules():
        own = {f"{name}.{k}".strip(".") for k, _ in m.named_parameters()}
        if not isinstance(m, PLAIN) or own & left or id(m.weight) in seen:
            continue
        weight = m.weight
        if any(weight is q for k, q in model.named_parameters() if k not in own):
            continue  # tied: another name counts
        seen[id(weight)] = name
        wanted = small if name.rpartition(".")[2] in names else std
        if 1e-30 < std < 1e30 and far(effective(m), wanted):
            return f"{name}: deviation {effective(m).std():.3g}, not {wanted:.3g}"
    return padding(model)


def last(branch: nn.Module, norms: bool) -> Tensor:
    """Return the weight with which the layer registered last computes."""
    weights = [
        m.weight.detach()
        for name, m in branch.named_modules()
        if "parametrizations." not in name
        and isinstance(getattr(m, "weight", None), Tensor)
        and (m.weight.dim() > 1 or (norms and isinstance(m, NORMS)))
    ]
    return weights[-1]


@oracle("residual.zero_branches_", "residual.scale_branches_", "residual.fixup_")
def branches(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    factor = {"zero": 0.0, "fixup": 0.0, "scale": len(after["branches"]) ** -0.5}
    name = next(k for k in factor if k == before["name"].split("_")[0])
    for old, new in zip(before["branches"], after["branches"], strict=True):
        wanted = factor[name] * last(old, name == "zero")
        found = last(new, name == "zero")
        if not torch.allclose(found, wanted, rtol=1e-2, atol=1e-6):
            return f"the last weight is {found.norm():.3g}, should be {wanted.norm():.3g}"
        if any(not bool(p.isfinite().all()) for p in new.parameters() if member != "nan_weight"):
            return "a parameter is NaN"
    return ""


@oracle("choosing_diagnosis.diagnose")
def diagnosed(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    expected = MODELS[member].ill if member in MODELS else None
    if expected == "refused":
        return "should be refused"
    if expected is not None and result.verdict != (expected or "healthy"):
        return f"should be {expected or 'healthy'}:\n{result}"
    if len(str(result).splitlines()) < 3 + len(result.layers):
        return "a line for each layer is missing"
    return ""


@oracle("frameworks_meta.materialize_")
def materialized(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    model = after["model"]
    for name, p in [*model.named_parameters(), *model.named_buffers()]:
        if p.is_meta:
            return f"{name} is still on the meta device"
        if name not in result and (p.is_floating_point() or p.is_complex()) and p.isnan().any():
            return f"{name} holds NaN and is not named"
    if member == "meta" and not {"positions", "mask", "freqs"} <= set(result):
        return f"buffers hold garbage and are not named: {result}"
    return ""


@oracle("biases.zero_biases_")
def zero_biases(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    for name, p in after["model"].named_parameters():
        last = name.rpartition(".")[2]
        if last == "bias" and not p.is_meta and p.any():
            return f"{name} is not 0"
        if "bias" not in last and not unchanged(p, before["model"][name]):
            return f"{name} changed"
    return ""


@oracle("biases.forget_bias_")
def forget(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    lstm, value = after["lstm"], float(after.get("value", 1.0))
    n = lstm.hidden_size
    for k in range(lstm.num_layers):
        total = getattr(lstm, f"bias_ih_l{k}") + getattr(lstm, f"bias_hh_l{k}")
        if math.isfinite(value) and (total[n : 2 * n] - value).abs().max() > 1e-6 * abs(value):
            return "the forget gates do not have that sum"
        if total[:n].any() or total[2 * n :].any():
            return "another gate has a bias"
    return ""


# --- curvature and series ----------------------------------------------------------------------


def hessian(function: Any, point: Tensor) -> Tensor:
    x = point.detach().double()
    if not x.numel():
        return x.new_zeros(0, 0)
    value = torch.autograd.functional.hessian(lambda z: function(z).sum(), x)
    return value.reshape(x.numel(), x.numel())


@oracle("optimization.largest_curvature")
def curvature(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    if member in ("float16", "bfloat16", "a function of float16", "one NaN"):
        return "" if result.residual >= 0 else "no residual"
    matrix = hessian(after["function"], after["point"])
    values = torch.linalg.eigvalsh(matrix)
    for found, true in ((result.smallest, values[0]), (result.largest, values[-1])):
        near = (values - found).abs().min() if not result.converged else abs(found - true)
        if near > 1e-3 * values.abs().max() + result.residual + 1e-6:
            return f"{found} is no end of the spectrum {values}"
    return ""


def dense(product: Any, n: int) -> Tensor:
    """Return the matrix of a product, from its columns."""
    columns = [product(v.clone()).detach().double() for v in torch.eye(n)]
    return torch.stack(columns, 1)


@oracle("optimization.lanczos", "applications_sharpness.lanczos", "learning_rate_warmup.lanczos")
def ends(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    """Measure the residual that it returns, and compare the ends with those of the matrix."""
    n = len(after["start"])
    matrix = dense(after["product"], n)
    size = float(matrix.abs().max())
    rough = 1e-2 if after["start"].dtype in (torch.float16, torch.bfloat16) else 1e-4
    rough = 1e-2 if member == "in float16" else rough
    found = torch.tensor([result.smallest, result.largest]).double()
    vectors = result.vectors.detach().double()
    left = matrix @ vectors - vectors * found
    worse = float(left.norm(dim=0).max())
    if abs(worse - result.residual) > rough * (size + abs(worse)):
        return f"says the residual {result.residual:.3g}, it is {worse:.3g}"
    values = torch.linalg.eigvalsh(matrix)
    reached = after["start"].isfinite().all() and (after["start"] != 0).all() and n > 1
    distinct = float(values.diff().min()) > rough * size if n > 1 else False
    if result.converged and reached and distinct:
        error = (found - values[[0, -1]]).abs().max()
        if error > rough * size:
            return f"converged to {found.tolist()}, the ends are {values[[0, -1]].tolist()}"
    return ""


@oracle("optimization_trust.conjugate_gradients")
def conjugate(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    """Inside of the ball the residual is small; the model is not above its value at 0."""
    g, radius = after["gradient"].detach().double(), float(after["radius"])
    if g.dim() != 1 or not len(g) or not g.isfinite().all():
        return ""
    matrix = dense(after["product"], len(g))
    step = result.double()
    rough = 1e-2 if after["gradient"].dtype in (torch.float16, torch.bfloat16) else 1e-4
    rough = 1e-2 if member == "in float16" else rough
    if float(step.norm()) > radius * (1 + rough):
        return f"a step of length {step.norm():.3g}"
    change = float(g @ step + step @ matrix @ step / 2)
    if change > rough * float(g.abs().max() * step.abs().max()):
        return f"the model rises by {change:.3g}"
    if float(step.norm()) < radius * (1 - rough) and radius > 1e-30:
        left, size = float((matrix @ step + g).norm()), float(g.norm())
        if left > (min(0.1, size**0.5) + rough) * size + 1e-9:
            return f"ends inside of the ball with the residual {left:.3g} of {size:.3g}"
    return ""


@oracle("optimization_trust.trust_region", "optimization_saddles.saddle_free_newton")
def descends(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    f = after["function"]
    start, end = (float(f(x.detach()).detach()) for x in (before["point"], result))
    if math.isfinite(start) and not end <= start + 1e-2 * abs(start):
        return f"the loss rose from {start:.4g} to {end:.4g}"
    return ""


@oracle("applications_kfac.damped_solve")
def solved(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    outer, inner, v = (after[k].detach().double() for k in ("outer", "inner", "v"))
    if not all(x.isfinite().all() for x in (outer, inner, v)):
        return ""
    outer, inner = (torch.tril(x) + torch.tril(x, -1).T for x in (outer, inner))
    x, tau = result.detach().double(), float(after["tau"])
    if tau > 1e30:
        return ""  # more than float32 holds
    left = outer @ x @ inner + tau * x - v
    size = float(x.abs().max()) * float(outer.norm() * inner.norm() + tau) if x.numel() else 0.0
    worst = float(left.abs().max()) if x.numel() else 0.0
    return "" if worst <= 1e-4 * size + 1e-30 else f"residual {worst:.3g}"


@oracle("applications_influence.fit_logistic")
def logistic(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    theta = result[0]
    x, y, weights = (np.asarray(after[k], float) for k in ("x", "y", "weights"))
    p = 1 / (1 + np.exp(-theta @ x.T))
    decay = after["decay"]
    slope = (weights * (p - y)) @ x / len(y) + decay * theta
    if decay <= 0 or after.get("steps", 20) < 10 or (weights < 0).any():
        return ""  # then there need not be a minimum
    size = np.abs(weights).max(initial=0) * np.abs(x).max(initial=0) + decay * np.abs(theta).max(
        initial=0
    )
    worst = np.abs(slope).max(initial=0)
    return "" if worst <= 1e-6 * size + 1e-300 else f"the gradient is {worst:.3g}"


@oracle("regularization_linear.penalized")
def ridge(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    x, y = np.asarray(after["x"], float), np.asarray(after["y"], float)
    if not np.isfinite(x).all() or not np.isfinite(y).all():
        return ""
    slope = x.T @ (x @ result - y) + len(x) * after["penalties"] * result
    size = np.abs(x).sum() * (np.abs(y).max(initial=0) + 1)
    worst = np.abs(slope).max(initial=0)
    return "" if worst <= 1e-3 * size else f"the gradient is {worst:.3g}"


@oracle("optimization.newton_step")
def newton(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    if result.dtype in (torch.float16, torch.bfloat16):
        return ""
    x = after["point"].detach().double()
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(after["function"](x).sum(), x)
    left = gradient + hessian(after["function"], x) @ result.double()
    return "" if left.abs().max() < 1e-4 * (1 + gradient.abs().max()) else f"H step + g = {left}"


@oracle("multivariate.taylor_terms")
def terms(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    x, step = after["point"].detach(), after["step"].detach()
    if (
        x.dtype in (torch.float16, torch.bfloat16)
        or not x.is_floating_point()
        or member == "one NaN"
    ):
        return ""
    if member == "one infinity":
        return ""
    if member == "NaN":
        return ""
    second = step.double().flatten() @ hessian(after["function"], x) @ step.double().flatten() / 2
    close = torch.isclose(result[2].double(), second, rtol=1e-3, atol=1e-6)
    return "" if close else f"second term {result[2]}, should be {second}"


# --- data --------------------------------------------------------------------------------------


@oracle("datasets.stratified_split", "datasets.grouped_split", "datasets.temporal_split")
def split(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    train, test = result
    name = next(k for k in after if k in ("labels", "groups", "times"))
    values = np.asarray(after[name])
    if set(train) & set(test) or not len(train) or not len(test):
        return "the parts overlap or are empty"
    if name == "labels" and set(values[train].tolist()) != set(values[test].tolist()):
        return "a class is missing from a part"
    if name == "groups" and set(values[train].tolist()) & set(values[test].tolist()):
        return "a group is in both parts"
    if name == "times" and max(values[train].tolist()) >= min(values[test].tolist()):
        return "training is not before testing"
    return ""


@oracle("datasets.fit_scaler")
def scaler(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    x = np.asarray(after["x"], dtype=float)
    z = (x - result[0]) / result[1]
    tame = np.abs(z.std(0) - (np.ptp(x, axis=0) > 0)) <= 1e-2  # False for NaN
    tame &= np.abs(z.mean(0)) <= 1e-2
    return "" if tame.all() else f"mean {z.mean(0)}, deviation {z.std(0)}"


@oracle("lecun_inputs.standardize")
def standardized(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    constant = np.ptp(np.asarray(after["inputs"], dtype=float), axis=0) == 0
    wrong = (np.abs(result.std(0) - ~constant) > 1e-2) | (np.abs(result.mean(0)) > 1e-2)
    return f"mean {result.mean(0)}, deviation {result.std(0)}" if wrong.any() else ""


@oracle("learning_rate_range.range_test")
def ranged(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    rates, losses = result
    return "" if len(rates) == len(losses) > 0 and rates == sorted(rates) else f"{result}"


@oracle("tasks.task_loss")
def task(before: Before, after: dict[str, Any], result: Any, member: str) -> str:
    return "" if after["z"].shape == after["y"].shape else "broadcast z against y in silence"
