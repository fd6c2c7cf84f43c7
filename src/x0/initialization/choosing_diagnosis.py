"""Second moments by layer tell whether a signal or its gradient is lost.

factor = (median growth per layer) ^ (number of layers - 1)

Hooks on the layers collect E[h^2], E[delta^2] and dead or saturated units.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import fmean, median
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

SEED = 0
LIMIT = 1e3  # factor of a second moment over the whole depth
DEAD = 0.8  # share of units that are 0 for the whole batch
SATURATED = 0.5  # share of outputs within 2.5 % of the range from a bound
LOUD = 50  # second moment of the head's output over that of its input
INPUT = (1e-6, 100)  # second moments between which an input is fine
BOUNDS = {
    nn.Tanh: (-1, 1),
    nn.Softsign: (-1, 1),
    nn.Hardtanh: (-1, 1),
    nn.Sigmoid: (0, 1),
    nn.Hardsigmoid: (0, 1),
    nn.ReLU6: (-6, 6),  # near 0 it is a ReLU
}
PAGES = {  # in the order in which they are looked for
    "input": "initialization/lecun",
    "equal": "initialization/symmetry",
    "dead": "initialization/biases",
    "blocked": "initialization/residual",
    "saturated": "initialization/lecun",
    "exploding": "initialization/why",
    "vanishing": "initialization/why",
    "loud": "initialization/choosing",
    "healthy": "initialization/choosing",
}
ADVICE = {  # what the number is, and what to try first
    "input": ("second moment", "subtract the mean, divide by the std"),
    "equal": ("number of equal units", "draw the weight at random"),
    "dead": ("share of units", "zero the biases before it, or leaky ReLU"),
    "blocked": ("gradient", "of two zero weights in a row draw one at random"),
    "saturated": ("share at a bound", "smaller weights, standardized inputs"),
    "exploding": (
        "factor over the depth",
        "variance from the table, or a norm",
    ),
    "vanishing": (
        "factor over the depth",
        "variance from the table, or a norm",
    ),
    "loud": ("growth of the second moment", "zeros in the output layer"),
    "healthy": ("", "tune the learning rate"),
}
# --8<-- [end:imports]


# --8<-- [start:observe]
@dataclass(eq=False)
class Layer:
    """What one call of a module showed; moments are means of |x|^2."""

    name: str
    module: nn.Module
    weighs: bool  # has a parameter with 2 or more dimensions
    read: float  # moment of the input
    alive: Tensor  # units of the input that are not 0 for every sample
    signal: float = math.nan  # moment of the output
    gradient: float = math.nan  # of the loss, at the output; nan: none came
    dead: float = 0.0  # share of units that are 0 for every sample
    saturated: float = 0.0  # share of numbers close to a bound
    same: int = 0  # number of units, if equal in output and gradient


def first(value: Any) -> Tensor | None:
    """Return the first tensor in nested tuples, lists and mappings."""
    if isinstance(value, Tensor):
        return value if value.dim() and value.numel() else None
    if isinstance(value, Mapping):
        value = tuple(value.values())
    found = map(first, value) if isinstance(value, (tuple, list)) else ()
    return next((x for x in found if x is not None), None)


def moment(x: Tensor) -> float:
    """Return the mean of |x|^2, summed as float64 on the CPU."""
    return x.detach().abs().cpu().double().square().mean().item()


def near(x: Tensor, low: float, high: float) -> float:
    """Return the share of real numbers within 2.5 % of a bound."""
    margin = 0.025 * (high - low)
    close = (x < low + margin) | (x > high - margin)
    return close.float().mean().item()


def same_units(x: Tensor, module: nn.Module) -> int:
    """Return the number of units if all have the same values, else 0."""
    weight = getattr(module, "weight", None)
    kernel = isinstance(weight, Tensor) and weight.dim() > 2
    units = x.detach().movedim(1 if kernel else -1, 0).flatten(1)
    if not units.numel():
        return 0
    apart, size = (units - units[:1]).abs().max(), units.abs().max()
    return len(units) if len(units) > 1 and apart < 1e-5 * size else 0


class Watch:
    """Hooks that note what modules read and make, and change nothing."""

    def __init__(
        self, names: Mapping[nn.Module, str], inputs: list[Tensor]
    ) -> None:
        """Hook the modules of a model that will get these inputs."""
        self.names = names
        self.layers: list[Layer] = []
        self.running: dict[nn.Module, Layer] = {}
        self.inputs = inputs
        self.leaves = [x for x in inputs if x.requires_grad]
        self.hooks = [m.register_forward_hook(self.after) for m in names]
        for m in names:
            before = m.register_forward_pre_hook(self.before, with_kwargs=True)
            self.hooks.append(before)

    def before(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """Note the input before the module can overwrite it."""
        x = first((args, kwargs))
        if x is None:
            return
        x, alive = x.detach(), (x != 0).any(dim=0)
        weighs = any(p.dim() > 1 for p in module.parameters())
        layer = Layer(self.names[module], module, weighs, moment(x), alive)
        # What changed it since the last weight may be a function: no hook.
        # An input of the model has come from no function, however sparse.
        given = any(
            x.shape == y.shape and bool((x == y.to(x)).all())
            for y in self.inputs
        )
        last = next((y for y in reversed(self.layers) if y.weighs), None)
        # So have the rows of an embedding; those of the padding are 0.
        tables = (nn.Embedding, nn.EmbeddingBag)
        given = given or isinstance(last and last.module, tables)
        made = last and last.signal and not given
        if weighs and made and x.is_floating_point():
            layer.dead = 1 - alive.float().mean().item()
            if x.abs().max() <= 1:
                layer.saturated = near(x, -1, 1)
        self.running[module] = layer

    def after(self, module: nn.Module, _: Any, output: Any) -> Any:
        """Note the output, and its gradient when that arrives.

        The model gets a copy, which it may change in place; the hook stands
        on the original. Full backward hooks would forbid the change.
        """
        h, layer = first(output), self.running.pop(module, None)
        if h is None or layer is None:
            return None
        layer.signal = moment(h)
        if type(module) in BOUNDS:
            shown = h.detach()
            if type(module) is nn.ReLU6 and shown.any():
                shown = shown[shown != 0]  # its zeros are those of ReLU
            layer.saturated = near(shown, *BOUNDS[type(module)])
        zero = any(not p.any() for p in module.parameters())
        other = layer.weighs or zero or "Dropout" in type(module).__name__
        if layer.alive.shape == h.shape[1:] and not other:
            made = layer.alive & (h == 0).all(dim=0)  # of what was not 0
            layer.dead = made.float().mean().item()
        layer.same = same_units(h, module) if layer.weighs else 0
        self.layers.append(layer)

        def arrive(gradient: Tensor) -> None:
            size = moment(gradient)
            layer.gradient = size if math.isfinite(size) else math.inf
            layer.same = layer.same and same_units(gradient, module)

        if not torch.is_grad_enabled() or not h.is_floating_point():
            return None
        if not h.requires_grad and h is output:
            h = h.clone().requires_grad_()  # nothing before it is trained
            self.leaves.append(h)
        if h.requires_grad:
            h.register_hook(arrive)
        if isinstance(output, Tensor):
            return h.clone()
        if type(output) in (tuple, list) and output[0] is h:
            return type(output)((h.clone(), *output[1:]))
        return None


@contextmanager
def preserved(model: nn.Module) -> Iterator[None]:
    """Undo what a forward pass changes: buffers, modules, random states."""
    parts = list(model.modules())
    tables: list[dict[str, Any]] = [m._buffers for m in parts]
    tables += [m._modules for m in parts]
    old = [dict(table) for table in tables]
    numbers = [b.clone() for b in model.buffers()]
    buffers = list(model.buffers())
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # it bypasses modules
    cuda = {p.device for p in model.parameters() if p.is_cuda}
    try:
        with (
            torch.random.fork_rng(cuda),
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.compiler.set_stance("force_eager"),
        ):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for table, entries in zip(tables, old, strict=True):
            table.clear()
            table.update(entries)
        for buffer, number in zip(buffers, numbers, strict=True):
            buffer.data = number


Run = Callable[[], Tensor]  # runs the model and returns the loss


def observe(
    model: nn.Module,
    run: Run,
    names: Mapping[nn.Module, str],
    inputs: list[Tensor],
) -> tuple[list[Layer], dict[str, Tensor]]:
    """Run forward and backward; return layers, and gradients by name."""
    watch = Watch(names, inputs)
    try:
        value = run()
    finally:
        for hook in watch.hooks:
            hook.remove()
    if not isinstance(value, Tensor) or value.numel() != 1:
        raise ValueError(f"The loss must be a scalar. Received: {value}")
    if not value.requires_grad or not watch.layers:
        raise ValueError(
            "No layer to judge: the loss must depend on one that ran. "
            f"Received: {list(names.values())}"
        )
    free = {k: p for k, p in model.named_parameters() if p.requires_grad}
    wanted = [*free.values(), *watch.leaves]
    try:
        grads = torch.autograd.grad(value, wanted, allow_unused=True)
    except RuntimeError as error:
        raise ValueError(
            "The backward pass failed; checkpoint needs use_reentrant=False. "
            f"Received: {error}"
        ) from error
    if all(grad is None for grad in grads):
        raise ValueError(f"The loss depends on no layer. Received: {value}")
    pairs = zip(free, grads, strict=False)
    return watch.layers, {k: g for k, g in pairs if g is not None}


# --8<-- [end:observe]


# --8<-- [start:diagnose]
class Diagnosis(NamedTuple):
    """A verdict, where it shows, and the layers in the order of use."""

    verdict: str
    page: str
    layers: list[Layer]
    where: str  # the layer, input or parameter
    number: float  # what was measured there
    zeros: list[str]  # weights that start at 0 and learn

    def __str__(self) -> str:
        """Return the verdict, and one line per layer."""
        names = [f"{x.name} {type(x.module).__name__}" for x in self.layers]
        size = max(map(len, names))
        what, remedy = ADVICE[self.verdict]
        at = f" at {self.where}: {what} {self.number:.2g}" if what else ""
        lines = [
            f"{self.verdict}{at}",
            f"try: {remedy}; read: {self.page}",
            f"{'layer':{size}}   signal gradient  dead saturated",
        ]
        for name, x in zip(names, self.layers, strict=True):
            mark = " <" if x.name == self.where else ""
            lines.append(
                f"{name:{size}} {x.signal:8.1e} {x.gradient:8.1e} "
                f"{x.dead:5.0%} {x.saturated:9.0%}{mark}"
            )
        if self.zeros:
            lines.append(f"start at 0 and learn: {', '.join(self.zeros)}")
        return "\n".join(lines)


def watched(
    model: nn.Module, kinds: tuple[type[nn.Module], ...]
) -> dict[nn.Module, str]:
    """Return modules without children or with a matrix of their own."""
    names = {}
    for name, module in model.named_modules():
        if "parametrizations" in name.split("."):
            continue
        parts = {k for k, _ in module.named_children()} - {"parametrizations"}
        plain = [*module.parameters(recurse=False)]
        own = [p.squeeze().dim() for p in plain if not nn.parameter.is_lazy(p)]
        own.append(2 * isinstance(module, nn.MultiheadAttention))
        layer = not parts or (name != "" and max(own) > 1)
        if isinstance(module, kinds) if kinds else layer:
            names[module] = name.replace("_orig_mod.", "") or "model"
    return names


def wake(
    model: nn.Module, gradients: dict[str, Tensor], woken: dict[str, Tensor]
) -> list[str]:
    """Give zero weights that have a gradient a small step; name the rest.

    Args:
        model: weights that are 0 and learn change in place.
        gradients: by the name of the parameter.
        woken: receives what was changed, with its old numbers.

    Returns:
        Names of weights that are 0 and have no gradient.
    """
    stuck = []
    for name, p in model.named_parameters():
        if "bias" in name.rpartition(".")[2] or p.any():
            continue
        gradient = gradients.get(name)
        if gradient is not None and gradient.any():
            woken[name] = p.data
            reads = p.numel() / len(p) if p.dim() else 1  # fan_in of a row
            unit = gradient / gradient.abs().max()
            p.data = -0.1 / math.sqrt(reads) * unit
        elif gradient is not None or not p.requires_grad:
            stuck.append(name)
    return stuck


def prepare(
    model: nn.Module, batch: Any
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return inputs by name, and copies of tensors that take a gradient.

    Raises:
        ValueError: a parameter or an input has no numbers, or a module is
            quantized.
    """
    given = dict(batch) if isinstance(batch, Mapping) else batch
    if not isinstance(given, dict):
        parts = given if type(given) is tuple else (given,)
        given = {str(index): x for index, x in enumerate(parts)}
    copies = {
        key: x.detach().clone().requires_grad_(x.is_floating_point())
        for key, x in given.items()
        if isinstance(x, Tensor)
    }
    if any(isinstance(x, torch.jit.ScriptModule) for x in model.modules()):
        raise ValueError("Diagnose before torch.jit.script. Received: a script")
    for name, x in [*copies.items(), *model.named_parameters()]:
        if nn.parameter.is_lazy(x) or x.is_meta or not x.numel():
            raise ValueError(f"No numbers in {name}. Received: {type(x)}")
    for module in model.modules():
        if "quantized" in type(module).__module__:  # weights are packed
            raise ValueError(f"No gradient. Received: {module}")
    return given, copies


def diagnose(
    model: nn.Module,
    batch: Tensor | tuple[Any, ...] | Mapping[str, Any],
    loss: Callable[[Any], Tensor],
    kinds: tuple[type[nn.Module], ...] = (),
) -> Diagnosis:
    """Run one batch forward and backward and judge every layer.

    Weights that start at 0 and have a gradient learn; the verdict is that
    of the model after they have moved a little, up to three times in turn.
    Then all is as before: parameters, .grad, buffers, random states.

    Args:
        model: a module that runs on the batch and has a gradient.
        batch: its input, a tuple of inputs, or named ones; samples first.
        loss: maps the output of the model to a scalar.
        kinds: module types to watch; see watched if empty.

    Raises:
        ValueError: no numbers (meta, lazy, empty, quantized), no watched
            module ran, the loss is no scalar, or autograd fails (reentrant
            checkpoint).
    """
    named = isinstance(batch, Mapping)
    given, copies = prepare(model, batch)
    inputs = list(copies.values())

    def run() -> Tensor:
        fresh = given | {key: x.clone() for key, x in copies.items()}
        return loss(model(**fresh) if named else model(*fresh.values()))

    names, woken = watched(model, kinds), dict[str, Tensor]()
    if not names:
        raise ValueError(f"No layer to judge. Received: {kinds=}")
    with preserved(model):
        layers, gradients = observe(model, run, names, inputs)
        later = layers
        try:
            for _ in range(3):
                count = len(woken)
                stuck = wake(model, gradients, woken)
                if len(woken) == count:
                    break
                later, gradients = observe(model, run, names, inputs)
        finally:
            for name, p in model.named_parameters():
                if name in woken:
                    p.data = woken[name]
    found = judge(later, inputs, stuck)
    moved = {name.replace("_orig_mod.", "") for name in woken}
    if f"{found.get('loud', [''])[0]}.weight" in moved:
        del found["loud"]  # it starts at 0
    verdict = next(key for key in PAGES if key in found)
    where = found[verdict]
    return Diagnosis(verdict, PAGES[verdict], layers, *where, list(woken))


# --8<-- [end:diagnose]


# --8<-- [start:judge]
def growth_factor(moments: list[float]) -> float:
    """Return the median growth per layer to the power of the steps.

    Medians ignore single jumps, such as a pooling layer: the median over
    neighbors one in the middle, that over all pairs layers that alternate.

    >>> round(growth_factor([1.0, 0.5, 0.25, 1e-9, 0.0625]), 6)
    0.0625
    """
    if len(moments) < 2:
        return 1.0
    if min(moments) == 0:
        return 0.0
    logs = list(enumerate(map(math.log, moments)))
    pairs = list(combinations(logs, 2))
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in pairs]
    steps = [b - a for (i, a), (j, b) in pairs if j == i + 1]
    growth = min(median(slopes), median(steps), key=abs)
    return math.exp(min(growth * (len(moments) - 1), 700))


def trend(moments: list[float]) -> float:
    """Return the growth factor, or from 6 layers on one that is farther from 1.

    Bad layers in a row move the ends apart. So does a pattern that repeats
    in every block, such as a branch that starts near 0, unless means of two
    or three neighbors stand for the layers: the smallest of the three counts.
    """
    factors = [growth_factor(moments)]
    if len(moments) >= 6 and min(moments) > 0:
        logs = [math.log(x) for x in moments]
        means = [
            [fmean(logs[i : i + n]) for i in range(len(logs) - n + 1)]
            for n in (1, 2, 3)
        ]
        apart = min(map(ends, means), key=abs)
        factors.append(math.exp(max(-700, min(apart, 700))))
    return max(factors, key=lambda x: abs(math.log(x)) if x else math.inf)


def ends(logs: list[float]) -> float:
    """Return how far the last layers lie above the first.

    It is the median of the last third minus that of the first, or the sum
    of all steps, whichever is larger. In the sum the largest step up or down
    counts no more than the second largest: it may be a pooling layer.
    """
    third = max(3, len(logs) // 3)  # so that one odd layer is outvoted
    steps = sorted(b - a for a, b in pairwise(logs))
    steps[0] = max(steps[0], min(steps[1], 0))
    steps[-1] = min(steps[-1], max(steps[-2], 0))
    apart = median(logs[-third:]) - median(logs[:third])
    return max(apart, sum(steps), key=abs)


def turn(path: list[Layer], key: str, rising: bool) -> str:
    """Return the name of the layer that makes the largest step of a moment.

    A gradient at the output of one layer came through the weight of the
    next, which stands before it on the path backward.
    """

    def step(pair: tuple[Layer, Layer]) -> float:
        a, b = (max(getattr(layer, key), 1e-300) for layer in pair)
        return math.log(b / a)

    if len(path) < 2:
        return path[0].name
    before, after = (max if rising else min)(pairwise(path), key=step)
    return before.name if key == "gradient" else after.name


def judge(
    layers: list[Layer], inputs: list[Tensor], stuck: list[str]
) -> dict[str, tuple[str, float]]:
    """Return what was found, with the layer and the number that show it."""
    weights = [x for x in layers if x.weighs]
    head = weights[-1] if weights else layers[-1]
    # Heads have scales of their own; they read what the last of them reads.
    hidden = [x for x in weights if x.read != head.read]
    hidden = hidden or weights[:-1] or weights
    # An embedding has a free scale if the first to read it is a norm.
    tables = (nn.Embedding, nn.EmbeddingBag)
    rest = [x for x in layers if not isinstance(x.module, tables)]
    known = (x for x in rest if x.weighs or "Norm" in type(x.module).__name__)
    grown = [x for x in hidden if x in rest]
    if next(known, head).weighs or len(grown) < 2:
        grown = hidden
    found = {"healthy": ("", 1.0)}
    for key, back in (("signal", False), ("gradient", True)):
        path = [x for x in grown if math.isfinite(getattr(x, key))]
        path = path[::-1] if back else path
        factor = trend([getattr(x, key) for x in path])
        if factor > LIMIT:
            found["exploding"] = turn(path, key, True), factor
        if factor < 1 / LIMIT:
            found["vanishing"] = turn(path, key, False), factor
    for x in layers:
        if math.isinf(x.gradient) or not math.isfinite(x.signal):
            number = x.signal if math.isfinite(x.gradient) else x.gradient
            found["exploding"] = x.name, number
            break
    for verdict, key, limit in (
        ("dead", "dead", DEAD),
        ("saturated", "saturated", SATURATED),
    ):
        # The range of the output is a choice: probabilities may be near 0.
        judged = layers if layers[-1].weighs else layers[:-1] or layers
        worst = max(judged, key=lambda x: getattr(x, key))
        if getattr(worst, key) > limit:
            found[verdict] = worst.name, getattr(worst, key)
    for x in hidden[:-1] if len(weights) < 2 else hidden:
        if x.same:
            found["equal"] = x.name, x.same
    blind = [x for x in weights if x.gradient == 0]
    if stuck and blind:
        found["blocked"] = stuck[0], 0.0
    if head.weighs and head.read and head.signal / head.read > LOUD:
        found["loud"] = head.name, head.signal / head.read
    for index, data in enumerate(inputs):
        seen = [moment(data)] if data.is_floating_point() else [1.0]
        if not layers[0].weighs:  # a norm may come first
            seen.append(layers[0].signal)
        if not any(INPUT[0] < q < INPUT[1] for q in seen):
            found["input"] = f"input {index}", seen[0]
    return found


# --8<-- [end:judge]


# --8<-- [start:models]
def chain(
    activation: type[nn.Module], std: float, bias: float = 0.0, depth: int = 15
) -> nn.Sequential:
    """Return 64-64-...-10 with weights from N(0, std^2 / 64)."""
    generator = torch.Generator().manual_seed(SEED)
    layers: list[nn.Module] = []
    for index in range(depth):
        linear = nn.Linear(64, 64 if index < depth - 1 else 10)
        nn.init.normal_(linear.weight, 0, std / 8, generator=generator)
        nn.init.constant_(linear.bias, bias)
        layers += [linear, activation()]
    return nn.Sequential(*layers[:-1])


MODELS = {
    "ReLU, He": chain(nn.ReLU, math.sqrt(2)),
    "ReLU, std 0.01": chain(nn.ReLU, 0.08),
    "ReLU, 2 × He": chain(nn.ReLU, 2 * math.sqrt(2)),
    "tanh, std 1": chain(nn.Tanh, 8),
    "ReLU, bias −6": chain(nn.ReLU, math.sqrt(2), bias=-6),
}


def run(model: nn.Module) -> Diagnosis:
    """Diagnose a model on a batch of normal inputs and ten classes."""
    generator = torch.Generator().manual_seed(SEED + 1)
    batch = torch.randn(100, 64, generator=generator)
    target = torch.arange(100) % 10
    return diagnose(
        model, batch, lambda out: nn.functional.cross_entropy(out, target)
    )


# --8<-- [end:models]


if __name__ == "__main__":
    # --8<-- [start:demo]
    for name, model in MODELS.items():
        found = run(model)
        print(f"{name:15} {found.verdict:10} {found.page}")

    print("\nReLU, He, five layers; the last starts at 0")
    small = chain(nn.ReLU, math.sqrt(2), depth=5)
    *_, weight, bias = small.parameters()
    nn.init.zeros_(weight)
    print(run(small))
    # --8<-- [end:demo]


# --8<-- [start:plot_profiles]
def plot_profiles() -> Figure:
    """Draw the moments of the five models at their linear layers."""
    figure, axes = plt.subplots(
        2, 1, figsize=(5.6, 6.2), sharex=True, layout="constrained"
    )
    for index, (name, model) in enumerate(MODELS.items()):
        layers = [x for x in run(model).layers if type(x.module) is nn.Linear]
        style = f"{'osD^v'[index]}-"
        for axis, moments in zip(
            axes,
            ([x.signal for x in layers], [x.gradient for x in layers]),
            strict=True,
        ):
            shown = [(i, m) for i, m in enumerate(moments, 1) if m > 0]
            axis.plot(*zip(*shown, strict=True), style, label=name, ms=4, lw=1)
    axes[0].set(yscale="log", ylabel="second moment q")
    axes[1].set(yscale="log", ylabel="gradient d", xlabel="layer")
    drawn = axes[0].get_legend_handles_labels()
    figure.legend(*drawn, loc="outside upper center", ncols=2)
    axes[1].set_xticks(range(1, 16, 2))
    return figure


if __name__ == "__main__":
    plot_profiles()
    plt.show()
# --8<-- [end:plot_profiles]
