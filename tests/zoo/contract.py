"""The contract: a public function does what its docstring says, or refuses with an error of ours.

Functions are found by inspection. An argument's annotation says which members of the zoo fit;
the other arguments come from `examples`. Three ends are possible: verified (it returned, and the
oracle or the general rules hold), refused (ValueError or TypeError raised by the function's own
module, which says what was received; nothing changed before), or failed.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import math
import random
import re
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import x0
from zoo import domains, models, tensors

importlib.import_module("torch._dynamo")  # at once, not in the first call that needs it
SOURCE = Path(x0.__file__).parent
AREAS = ("foundations", "guide", "initialization", "reference", "taylor", "training")


# Parts of one tool that only it calls, with arguments that only it makes.
PLUMBING = {
    f"choosing_diagnosis.{name}"
    for name in ("Watch", "observe", "wake", "judge", "turn", "run", "prepare")
}
PLUMBING |= {
    f"{stem}.{name}" for stem in ("choosing", "residual") for name in ("follows", "write_")
}
PLUMBING |= {
    "choosing.layer_",
    "choosing_hidden.gelu_",
    "orthogonal_lsuv.unit_variance_",
}
PLUMBING |= {"learning_rate_warmup.one_hot_losses", "learning_rate_warmup.descend"}
PLUMBING |= {  # they read the twenty networks of their module
    f"applications_pruning_many.{name}"
    for name in (
        "network_losses",
        "derivatives",
        "deletion_ranks",
        "pruning_step",
        "three_prices",
    )
}
PLUMBING |= {"transformers_zero.has_gradient", "residual_fixup.fixup_branch"}
PLUMBING |= {"recipes.filled"}  # it draws what a row of its table says
PLUMBING |= {  # they know the curve of their module, or the rows of its tables
    f"{stem}.{name}"
    for stem in ("optimization_saddles", "optimization_trust")
    for name in ("curve_output", "curve_loss")
}
PLUMBING |= {f"univariate_series.{name}" for name in ("series", "function_named")}
PLUMBING |= {  # a program whose defects the reader hunts
    f"linear_regression_program.{name}" for name in ("model", "loss", "gradient", "fit_line")
}
PLUMBING |= {  # a run holds what it is given; its own tests kill and resume it
    f"reproducibility_loop.{name}" for name in ("Run", "rate_factor", "train_to_end")
}
# A call takes seconds: their settings are met in the tests of their page.
SLOW = {
    "mean_field_correlation.critical_variance",
    "activations_convex.losses_on_path",
    "applications_influence.leave_one_out",
    "applications_influence.compare",
}
SLOW |= {
    "applications_sharpness.sharpness_curve",
    "networks_rescaling.weight_scores",
    "applications_pruning.saliencies",
    "adaptive_failure.steps_on_quadratic",
    "learning_rate_warmup.descend",
    "mean_field_fluctuations.settled",
    "networks_cost.live_numbers",
}


class Subject(NamedTuple):
    """A public function or class of a module that readers copy."""

    key: str  # stem.name
    function: Callable[..., Any]
    parameters: dict[str, inspect.Parameter]
    document: str
    source: str


def subjects() -> dict[str, Subject]:
    found = {}
    for path in sorted(SOURCE.glob("*/*.py")):
        if path.parent.name not in AREAS or path.stem == "__init__":
            continue
        module = importlib.import_module(f"x0.{path.parent.name}.{path.stem}")
        for name, value in public(module):
            if inspect.isclass(value) and (issubclass(value, tuple) or is_dataclass(value)):
                continue  # a record holds what it is given
            found[f"{path.stem}.{name}"] = describe(f"{path.stem}.{name}", value)
    return found


def describe(key: str, value: Callable[..., Any]) -> Subject:
    parameters = dict(inspect.signature(value).parameters)
    document = inspect.getdoc(value) or ""
    if inspect.isclass(value):
        document += "\n" + (inspect.getdoc(value.__init__) or "")
    source = inspect.getsource(inspect.unwrap(value))
    return Subject(key, value, parameters, document, source)


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        mine = getattr(value, "__module__", None) == module.__name__ and callable(value)
        if (
            mine
            and name != "demo"
            and not name.startswith(("_", "plot_"))
            and hasattr(value, "__name__")
        ):
            yield name, value


# --- which members fit -------------------------------------------------------------------------


def kind(parameter: inspect.Parameter) -> str:
    """Return what an argument is, as its annotation says."""
    text = parameter.annotation
    text = text.__name__ if isinstance(text, type) and "[" not in str(text) else str(text)
    text = text.replace(" | None", "")
    if "Callable" in text:
        inner = re.sub(r"\b(torch|typing|collections\.abc|numpy)\.", "", text)
        return "function" if inner == "Callable[[Tensor], Tensor]" else "other"
    if re.fullmatch(r"(torch\.)?Tensor", text):
        return "tensor"
    if re.fullmatch(r"(numpy\.)?ndarray(\[.*\])?", text):
        return "array"
    if re.search(r"(Sequence|list)\[.*Module\]", text):
        return "modules"
    if re.search(r"Module$", text):
        return "module"
    plain = {"float": "float", "int": "int", "str": "str", "bool": "bool"}
    return plain.get(text, "other")


def draws(function: Callable[..., Any], seen: frozenset[str] = frozenset()) -> bool:
    """Tell whether a function, or one of its module that it calls, draws or loads data."""
    function = inspect.unwrap(function)
    source = inspect.getsource(function)
    if re.search(r"\brng\b|[gG]enerator|seed|load_digits|SEED|stream", source):
        return True
    names = {k: f for k, f in vars(inspect.getmodule(function)).items() if inspect.isroutine(f)}
    called = set(re.findall(r"\b(\w+)\(", source)) & set(names) - seen
    mine = [names[k] for k in called if names[k].__module__ == function.__module__]
    return any(draws(f, seen | called) for f in mine)


def experiment(subject: Subject) -> bool:
    """Tell whether a function takes settings only and draws or loads its own data."""
    kinds = {kind(p) for p in subject.parameters.values()}
    if kinds & {"tensor", "array", "module", "modules", "function"}:
        return False
    if subject.function.__name__.endswith("_"):
        return False  # it fills what it is given
    return "shape" not in subject.parameters and draws(subject.function)


class Meeting(NamedTuple):
    """A call in which a member of the zoo takes the place of an argument, or of several at once."""

    name: str
    member: str
    arguments: dict[str, Any]


def meetings(subject: Subject, example: Callable[[Subject], dict[str, Any]]) -> Iterator[Meeting]:
    """Yield the calls with all members that fit the signature."""
    base = example(subject)
    found = domains.shapes(subject.key, list(base), subject.document)
    found = {k: shape for k, shape in found.items() if isinstance(base[k], Tensor | np.ndarray)}
    alone = sum(isinstance(v, Tensor | np.ndarray) or k in found for k, v in base.items()) == 1
    for name, parameter in subject.parameters.items():
        for member, build in members(subject, base, name).items():
            value = build()
            plain = value[0] if isinstance(value, tuple) else value
            if not (
                domains.of_type(str_of(parameter), plain)
                and domains.meant(name, subject.document, plain)
                and domains.suited(member, name, subject.document)
            ):
                continue
            arguments = example(subject)
            if put(subject, arguments, name, value, member):
                yield Meeting(name, member, arguments)
        if isinstance(base.get(name), Tensor | np.ndarray) and alone and name not in found:
            found[name] = domains.ANY
    yield from together(subject, example, found)
    if promises(subject):
        yield from promised(subject, example)


def promised(subject: Subject, example: Callable[[Subject], dict[str, Any]]) -> Iterator[Meeting]:
    """Yield what is outside of the stated domain of a function that says what it refuses.

    A batch that a model does not take is left to the model, which says so itself.
    """
    if any(isinstance(v, nn.Module) for v in example(subject).values()):
        return
    for calls in beyond(subject, example).values():
        for name, member, arguments in calls:
            yield Meeting(name, f"{OUTSIDE}{member}", arguments)


def together(
    subject: Subject, example: Callable[[Subject], dict[str, Any]], found: dict[str, domains.Shape]
) -> Iterator[Meeting]:
    """Yield calls in which all numbers change their type, or all arrays their sizes."""
    base, document = example(subject), subject.document
    of_tensors = any(kind(p) == "tensor" for p in subject.parameters.values())
    allowed = domains.types(document)
    for member, change in tensors.TYPES.items() if of_tensors else ():
        holds = any(isinstance(v, nn.Module) for v in base.values())
        if holds and member not in domains.FLOATING:
            continue  # the layers of PyTorch hold floating-point numbers
        arguments = domains.cast(example(subject), change)
        if (allowed is None or member in allowed) and all(
            domains.meant(k, document, v) for k, v in arguments.items()
        ):
            yield Meeting("all tensors", member, arguments)
    for symbol in domains.symbols(found):
        for size in (0, 1, 9):
            arguments = example(subject)
            for name, shape in found.items():
                arguments[name] = domains.resized(arguments[name], shape, symbol, size)
            if suits(subject, arguments, found):
                yield Meeting(f"size {symbol}", str(size), arguments)
    same = [k for k, shape in found.items() if shape == domains.ANY]
    if same:
        yield from others(subject, example, same, found)
    for name, shape in found.items():
        if name not in same and any("..." in size or "*" in size for size in shape):
            yield from others(subject, example, [name], found)


def others(
    subject: Subject,
    example: Callable[[Subject], dict[str, Any]],
    same: list[str],
    found: dict[str, domains.Shape] | None = None,
) -> Iterator[Meeting]:
    """Yield calls with arrays of other shapes in the place of some arguments."""
    base = example(subject)
    other = tensors.SHAPES if isinstance(base[same[0]], Tensor) else tensors.ARRAY_SHAPES
    if same == ["tensor"]:  # an initializer leaves a tensor without numbers as it is
        other = other | {"on the meta device": lambda: torch.empty(4, 4, device="meta")}
    for member, build in other.items():
        arguments = example(subject) | {k: build() for k in same}
        if suits(subject, arguments, found or dict.fromkeys(same, domains.ANY)):
            yield Meeting(" and ".join(same), member, arguments)


def beyond(
    subject: Subject, example: Callable[[Subject], dict[str, Any]]
) -> dict[str, list[Meeting]]:
    """Return calls that the docstring excludes, by what excludes them: shape, type, number."""
    base, document = example(subject), subject.document
    found = domains.shapes(subject.key, list(base), document)
    left: dict[str, list[Meeting]] = {}
    for name, parameter in subject.parameters.items():
        shape, value = found.get(name, domains.ANY), base.get(name)
        if isinstance(value, Tensor | np.ndarray):
            other = tensors.SHAPES if isinstance(value, Tensor) else tensors.ARRAY_SHAPES
            for member, build in other.items():
                if not domains.fits(shape, build()):
                    call = Meeting(name, member, example(subject) | {name: build()})
                    left.setdefault(f"shape of {name}", []).append(call)
        for member, build in members(subject, base, name).items():
            value = build()
            if kind(parameter) in ("module", "modules"):
                continue
            typed = domains.of_type(str_of(parameter), value)
            if typed and not domains.meant(name, document, value):
                call = Meeting(name, member, example(subject) | {name: value})
                left.setdefault(f"numbers of {name}", []).append(call)
            if not domains.suited(member, name, document):
                call = Meeting(name, member, example(subject) | {name: value})
                left.setdefault(f"function {name}", []).append(call)
    allowed = domains.types(document)
    for member, change in tensors.TYPES.items():
        narrow = allowed is not None and member not in (*allowed, "booleans")
        if narrow and any(isinstance(v, Tensor) for v in base.values()):
            call = Meeting("all tensors", member, domains.cast(example(subject), change))
            left.setdefault("types", []).append(call)
    return left


def suits(subject: Subject, arguments: dict[str, Any], found: dict[str, domains.Shape]) -> bool:
    """Tell whether arrays have the types, the shapes and the numbers that are stated."""
    return all(
        domains.fits(shape, arguments[k])
        and domains.of_type(str_of(subject.parameters[k]), arguments[k])
        and domains.meant(k, subject.document, arguments[k])
        for k, shape in found.items()
    )


def str_of(parameter: inspect.Parameter) -> str:
    text = parameter.annotation
    return text.__name__ if isinstance(text, type) and "[" not in str(text) else str(text)


def members(subject: Subject, base: dict[str, Any], name: str) -> dict[str, Callable[[], Any]]:
    """Return what may take the place of one argument, by name."""
    value, what = base.get(name), kind(subject.parameters[name])
    if what == "tensor" and isinstance(value, Tensor):
        known = tensors.LIKE if value.is_floating_point() else tensors.LIKE_INTEGERS
        return {k: (lambda f=f: f(value)) for k, f in known.items()}
    if what == "array" and isinstance(value, np.ndarray):
        return {k: (lambda f=f: f(value)) for k, f in tensors.LIKE_ARRAY.items()}
    if what == "module":
        return {k: (lambda k=k: models.make(k)) for k in models.MODELS}
    if what == "modules":
        return {k: (lambda k=k: [models.make(k)[0], models.make(k, 1)[0]]) for k in models.MODELS}
    if what == "function":
        number = "number" in domains.words(name, subject.document)  # of shape ()
        scalar = isinstance(base.get("point"), Tensor) or "Scalar" in subject.source
        scalar = scalar and not number
        functions = tensors.LOSSES if scalar else tensors.ACTIVATIONS
        functions = tensors.PRODUCTS if name == "product" else functions
        return {k: (lambda f=f: f) for k, f in functions.items()}
    plain = {"float": tensors.FLOATS, "int": tensors.INTS, "str": tensors.STRINGS}.get(what, {})
    return {
        k: (lambda v=v: v)
        for k, v in plain.items()
        if v is not None or subject.parameters[name].default is not None
    }


OUTSIDE = "outside: "
INPUTS = ("batch", "inputs", "x", "training", "validation")  # what a model is called with
TARGETS = ("y", "targets")


def put(subject: Subject, arguments: dict[str, Any], name: str, value: Any, member: str) -> bool:
    """Let a member take the place of an argument; a model brings its inputs along.

    Returns whether the whole fits the signature: a tensor cannot hold two inputs.
    """
    if not isinstance(value, tuple) or kind(subject.parameters[name]) != "module":
        arguments[name] = value
        return True
    model, inputs = value
    if subject.key in ("normalization.identities", "residual_gates.zero_start"):
        return False  # take a norm of 16 units, a block whose output has the shape of its input
    if member in ("created", "reentrant") and subject.key not in OBSERVERS[:1]:
        return (
            False  # adds modules, warns if no input requires a gradient: only diagnose sees to it
        )
    if member == "input_in_place" and subject.key not in OBSERVERS:
        return False
    if subject.key in CLASSIFIERS and not models.classifies(member, CLASSIFIERS[subject.key]):
        return False
    if subject.key == "frameworks_meta.materialize_" and not any(
        nn.parameter.is_lazy(p) for p in model.parameters()
    ):
        model = model.to("meta")
    if {"model", "narrow"} <= set(subject.parameters):  # the same model twice
        arguments["model"], arguments["narrow"] = models.make(member)[0], models.make(member)[0]
    if subject.key == "transformers.init_transformer_":
        arguments |= residual_layers(model)
    arguments[name] = model
    if "batches" in arguments:
        arguments["batches"] = [inputs] * len(arguments["batches"])
    for key in INPUTS:
        if key in arguments and subject.key == OBSERVERS[0]:
            arguments[key] = inputs
        elif key in arguments and isinstance(arguments[key], tuple):
            arguments[key] = (inputs[0], torch.arange(len(inputs[0])) % 3)
        elif isinstance(arguments.get(key), Tensor):
            arguments[key] = inputs[0]
            if len(inputs) > 1:
                return False
    for key in TARGETS:
        if key in arguments:
            arguments[key] = torch.arange(len(inputs[0])) % 3
    return True


def residual_layers(model: nn.Module) -> dict[str, Any]:
    """Return names of layers with an even number of weights, and half that number."""
    counts: Counter[str] = Counter()
    for name, p in model.named_parameters():
        if not nn.parameter.is_lazy(p) and p.dim() > 1:
            counts[name.rpartition(".")[0].rpartition(".")[2]] += 1
    odd = [name for name, count in counts.items() if count % 2]
    if len(odd) % 2:
        del counts[odd[0]]
    return {"depth": sum(counts.values()) // 2, "residual": tuple(counts)}


# Take a model that maps a batch to logits; whether the batch has the shape (rows, features).
CLASSIFIERS = {
    "why.gradient_norms": False,
    "learning_rate_range.cross_entropy": False,
    "mini_batches.sgd_epoch": True,
    "mini_batches_noise.row_gradients": True,
    "mini_batches_scale.noise_scales": True,
    "regularization.train_": False,
}
# What looks into a model without changing it or its inputs.
OBSERVERS = (
    "choosing_diagnosis.diagnose",
    "why.gradient_norms",
    "orthogonal_lsuv.lsuv_",
    "orthogonal_lsuv.output_variances",
    "normalization.effective_learning_rates",
)


DRAW = ("dropout", "lazy")  # in their forward pass, from the global generator


def promises(subject: Subject) -> bool:
    """Tell whether the docstring says what is refused."""
    return bool(re.search(r"Raises:|rrors (are|and)|as \w+ does", subject.document))


# --- what happened -----------------------------------------------------------------------------


def frozen(value: Any) -> Any:
    """Return something that differs when the value has changed."""
    if isinstance(value, nn.Module):
        state = {k: frozen(v) for k, v in value.named_parameters()}
        state |= {f"buffer {k}": frozen(v) for k, v in value.named_buffers()}
        parts = [
            (n, id(m), type(m), m.training, [len(v) for k, v in vars(m).items() if "_hooks" in k])
            for n, m in value.named_modules(remove_duplicate=False)
        ]
        return parts, state
    if isinstance(value, Tensor):
        gradient = frozen(value.grad) if value.is_leaf else None
        if value.is_meta or nn.parameter.is_lazy(value):
            return "no numbers", value.dtype, value.requires_grad
        plain = value.detach()
        plain = torch.view_as_real(plain) if plain.is_complex() else plain
        bits = plain.double().numpy().tobytes()
        hooks = len(value._backward_hooks or {}) if value.requires_grad else 0
        return value.dtype, value.requires_grad, value.shape, value.stride(), hooks, bits, gradient
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    if isinstance(value, (list, tuple)):
        return [frozen(x) for x in value]
    if isinstance(value, dict):
        return {k: frozen(x) for k, x in value.items()}
    return None


def manners(value: Any) -> Any:
    """Return of modules what not even an initializer may change: modes, hooks, flags."""
    if isinstance(value, (list, tuple)):
        return [manners(x) for x in value]
    if not isinstance(value, nn.Module):
        return None
    flags = [(n, p.requires_grad) for n, p in value.named_parameters()]
    return frozen(nn.Sequential(value))[0][1:], flags


def is_finite(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.is_meta or bool(torch.isfinite(value).all())
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in "fc" or bool(np.isfinite(value).all())
    if isinstance(value, (float, np.floating)):
        return math.isfinite(value)
    if isinstance(value, dict):
        value = list(value.values())
    return all(map(is_finite, value)) if isinstance(value, (list, tuple)) else True


def surroundings() -> tuple[object, ...]:
    """Return what a function may not leave changed outside of its arguments."""
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.backends.mha.get_fastpath_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_anomaly_enabled(),
        tuple(np.geterr().items()),
        random.getstate(),
    )


# Say in their docstrings that they change what they are given.
CHANGES = (
    "regularization.train_",
    "mini_batches.sgd_epoch",
    "transformers_zero.LoRA",
    "beyond.LowRankLinear",
    "residual_gates.zero_start",
    "learning_rate_range.cross_entropy",
)
VARIADIC = inspect.Parameter.VAR_POSITIONAL
PATIENCE = 20.0  # seconds of computing; what does not end by itself has failed


def _late(*_: object) -> None:
    raise TimeoutError(f"still running after {PATIENCE} s")


signal.signal(signal.SIGPROF, _late)


class Outcome(NamedTuple):
    end: str  # verified, refused, failed
    why: str = ""
    result: Any = None
    warned: bool = False


def in_place(subject: Subject) -> bool:
    """Tell whether a function says that it changes what it is given."""
    return subject.function.__name__.endswith("_") or subject.key in CHANGES


def call(subject: Subject, arguments: dict[str, Any]) -> Any:
    named = dict(arguments)
    first = [named.pop(k) for k in arguments if subject.parameters[k].kind == VARIADIC]
    result = subject.function(*first, **named)
    return list(result) if inspect.isgenerator(result) else result


def ours(error: BaseException, subject: Subject) -> bool:
    """Tell whether the module raised it itself and says what came in."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    raised = (last.line or "").startswith("raise")
    inside = Path(last.filename).is_relative_to(SOURCE)
    return (
        inside and raised and isinstance(error, (ValueError, TypeError)) and "eceived" in str(error)
    )


def meet(
    subject: Subject,
    arguments: dict[str, Any],
    oracle: Callable[[dict[str, Any], dict[str, Any], Any, str], str] | None,
    finite: bool,
    member: str = "as it is",
) -> Outcome:
    """Call the function and say how it ended."""
    before = {k: frozen(v) for k, v in arguments.items()}
    outside, kept = surroundings(), {k: manners(v) for k, v in arguments.items()}
    state, earlier = torch.get_rng_state(), np.random.get_state()[1].tobytes()
    original = copies(arguments) | {"name": subject.function.__name__} if oracle else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            signal.setitimer(signal.ITIMER_PROF, PATIENCE)
            result = call(subject, arguments)
    except Exception as error:
        signal.setitimer(signal.ITIMER_PROF, 0)
        if isinstance(error, Warning) and re.search(r"Warns:|warnings", subject.document):
            return Outcome("verified", warned=True)  # a warning that the docstring announces
        if not ours(error, subject):
            return Outcome("failed", f"{type(error).__name__}: {str(error)[:150]}")
        changed = [k for k in arguments if not same(frozen(arguments[k]), before[k])]
        if changed:
            return Outcome("failed", f"changed {changed} before it refused")
        return Outcome("refused", str(error))
    signal.setitimer(signal.ITIMER_PROF, 0)
    if outside != surroundings():
        return Outcome("failed", f"left the surroundings as {surroundings()[:-1]}")
    changed = [k for k in arguments if not same(frozen(arguments[k]), before[k])]
    if subject.key not in CHANGES and kept != {k: manners(v) for k, v in arguments.items()}:
        return Outcome("failed", "changed a mode, a hook or requires_grad")
    if changed and not in_place(subject):
        return Outcome("failed", f"changed {changed}")
    given = {"generator", "rng"} & set(arguments) or subject.key in OBSERVERS
    given = given and (member not in DRAW or subject.key == OBSERVERS[0])
    other = earlier != np.random.get_state()[1].tobytes()
    if given and (other or not torch.equal(state, torch.get_rng_state())):
        return Outcome("failed", "used the global generator")
    document = subject.document.lower()
    finite = finite and promises(subject)
    if finite and not is_finite(result) and not re.search(r"\b(nan|inf|infin)", document):
        return Outcome("failed", f"not finite: {str(result)[:80]}")
    if oracle:
        try:
            complaint = oracle(original, arguments, result, member)
        except Exception as error:
            complaint = f"the oracle: {type(error).__name__}: {str(error)[:150]}"
        if complaint:
            return Outcome("failed", complaint)
    return Outcome("verified", "", result)


def same(a: Any, b: Any) -> bool:
    return bool(a == b)


def copies(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what the arguments were; modules as their named numbers."""
    out = {}
    for key, value in arguments.items():
        if isinstance(value, nn.Module):
            out[key] = {
                k: p.detach().clone()
                for k, p in [*value.named_parameters(), *value.named_buffers()]
                if not nn.parameter.is_lazy(p)
            }
        elif isinstance(value, Tensor):
            out[key] = value.detach().clone()
        else:
            try:
                out[key] = copy.deepcopy(value)
            except Exception:
                out[key] = value
    return out
