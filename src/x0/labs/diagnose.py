# %% [markdown] lang="zh"
# # 诊断：信号死在哪一层 {#diagnose}
#
# 一个网络不肯训练时，用一次前向、一次反向，就能找出信号死在哪一层。这里的 `diagnose` 是[选择初始化](../initialization/choosing.md#diagnosis)那一页的函数，可以拷走；那一页写明它适用于哪些模型。
#
# ## 问题 {#question}
#
# 下面的网络有三个卷积层、九个线性层，各层之间是 ReLU，损失停在乱猜的水平。有四层的初始化写错了：He 的方差是 2 除以 fan_in，有人把它当成了标准差。假装不知道是哪四层，怎样找出来？

# %% [markdown] lang="en"
# # Diagnosis: in which layer does the signal die? {#diagnose}
#
# When a network refuses to train, one forward pass and one backward pass show in which layer the signal dies. `diagnose` is the function from the page [Choosing an initialization](../initialization/choosing.md#diagnosis), and you may copy it. That page says for which models it works.
#
# ## Question {#question}
#
# The network below has three convolutions and nine linear layers with ReLU between them, and its loss stays at the level of guessing. Four layers were initialized by mistake: He's variance is 2 over fan_in, and somebody took it for the standard deviation. Pretend that you do not know which four. How can they be found?

# %%
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import fmean, median
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

SEED = 0
SEEDS = (0, 1, 2)

# %%
images, targets = load_digits(return_X_y=True)
inputs = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8)
inputs = (inputs - inputs.mean()) / inputs.std()
labels = torch.tensor(targets)


def build(seed: int) -> nn.Sequential:
    """Return the patient: 8×8 images to 10 classes."""
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for channels in (1, 16, 16):
        layers += [nn.Conv2d(channels, 16, 3, bias=False), nn.ReLU()]
    layers.append(nn.Flatten())
    for _ in range(8):
        layers += [nn.Linear(64, 64, bias=False), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(64, 10, bias=False))
    for number, layer in enumerate(weighted(model)):
        nn.init.kaiming_normal_(layer.weight, generator=generator)
        if 5 <= number <= 8:  # the mistake
            nn.init.normal_(layer.weight, std=2 / 64, generator=generator)
    return model


def weighted(model: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    """Return the layers that have a weight, in order."""
    return [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d)]


# %% [markdown] lang="zh"
# ## 预测 {#prediction}
#
# 只看权重就能预测。前面有 ReLU 的一层，二阶矩这样变：
#
# {eq:he-recursion}
#
# 健康的层，因子是 1。梯度往回走时，用的是 fan_out：
#
# {eq:he-backward}
#
# 写错的层，标准差是 2 除以 fan_in，方差是这个数的平方，因子于是成了 2 除以 fan_in，宽 64 时是 1/32。四层合起来，信号缩小到约百万分之一 {eq:he-recursion}。过了这四层，信号小；没有到这四层，梯度小。权重的梯度是这一层的输入与输出处梯度的乘积：健康的层，四个小因子都在里面；坏的层，少了自己的那一个。所以**每一层**的权重都学不动，而坏的层，权重的梯度反而最大 {fig:diagnose-patient}。
#
# `diagnose` 在各个模块上挂钩子，记下输出的二阶矩，再记下那里的梯度的二阶矩；代码与那一页的逐字相同。先写下你的猜测：哪几层，哪条曲线会掉下去？

# %% [markdown] lang="en"
# ## Prediction {#prediction}
#
# The weights alone are enough for a prediction. Behind a ReLU, the second moment changes from layer to layer like this:
#
# {eq:he-recursion}
#
# For a healthy layer, the factor is 1. For the gradient on its way back, fan_out takes the place of fan_in:
#
# {eq:he-backward}
#
# In a layer with the mistake, the variance is the square of 2 over fan_in. Its factor is then 2 over fan_in, which is 1/32 at width 64. The four layers together leave about a millionth of the signal {eq:he-recursion}. Behind these layers the signal is small, and before them the gradient is small. The gradient of a weight is the product of the input of its layer and the gradient at the output. For a healthy layer, this product contains the four small factors. For a bad layer, its own is missing. So **no** layer learns, and the gradients of the weights are largest in the bad layers {fig:diagnose-patient}.
#
# `diagnose` attaches a hook to each module and records the second moments of its output and of the gradient there. The code is the same as on that page, word for word. Write down your guess first: in which layers does which curve fall?


# %%
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


# %%
class Reading(NamedTuple):
    """What one layer shows."""

    predicted: float  # factor of the second moment, from the weights alone
    signal: float  # second moment of the output
    gradient: float  # second moment of the gradient at the output
    weight: float  # second moment of the weight's gradient


def read(model: nn.Module, x: Tensor, y: Tensor) -> list[Reading]:
    """Return a reading of every layer with a weight, in the order of use."""

    def loss(out: Tensor) -> Tensor:
        return nn.functional.cross_entropy(out, y, reduction="sum")

    found = [a for a in diagnose(model, x, loss).layers if a.weighs]
    weights = [a.module.get_parameter("weight") for a in found]
    gradients = torch.autograd.grad(loss(model(x)), weights)
    readings = []
    for layer, weight, slope in zip(found, weights, gradients, strict=True):
        predicted = weight[0].numel() * moment(weight) / 2
        row = (layer.signal, layer.gradient, moment(slope))
        readings.append(Reading(predicted, *row))
    return readings


# %% [markdown] lang="zh"
# ## 测量 {#measurement}

# %% [markdown] lang="en"
# ## Measurement {#measurement}

# %%
patient = build(SEED)
verdict = diagnose(
    patient,
    inputs[:200],
    lambda out: nn.functional.cross_entropy(out, labels[:200]),
)
print(verdict)
found = read(patient, inputs[:200], labels[:200])
for number, (last, reading) in enumerate(pairwise(found), 2):
    measured = reading.signal / last.signal
    mark = " <" if reading.predicted < 0.25 else ""
    print(f"{number:2}  {reading.predicted:.2f}  {measured:.2f}{mark}")

# %%
fig, axes = plt.subplots(
    2, 1, figsize=(5.2, 4.4), sharex=True, layout="constrained"
)
numbers = range(1, len(found) + 1)
chain = [found[0].signal]
for reading in found[1:]:
    chain.append(chain[-1] * reading.predicted)
axes[0].semilogy(numbers, chain, "--", color="C0", lw=1)
axes[0].semilogy(numbers, [r.signal for r in found], "o", color="C0")
axes[0].set(ylabel="second moment q")
for marker, color, label, values in (
    ("s", "C1", "gradient in z", [r.gradient for r in found]),
    ("^", "C2", "gradient in W", [r.weight for r in found]),
):
    relative = [value / values[-1] for value in values]
    axes[1].semilogy(numbers, relative, marker, color=color, label=label)
axes[1].set(xlabel="layer", ylabel="relative second moment", xticks=numbers)
axes[1].legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:diagnose-patient} 上：信号的二阶矩，虚线由权重算出，点是实测。它在第 6 到第 9 层掉下去。下：梯度的二阶矩，以最后一层为 1。对 $z$ 的梯度，往回走到同样的四层时掉下去。对 $W$ 的梯度，在全网相差不到两个数量级，这四层的反而大。
#
# 报告从 0 数起，ReLU 也算在内：报告里的 11，是第 6 个有权重的层。报告下面的两栏数字，是预测的因子与实测的因子，低于 ¼ 的层有标记。在一个宽 64 的网络里，实测的因子差几成是正常的。
#
# ## 修好它 {#repair}
#
# 因子低于 ¼ 或高于 4 的层重新初始化，其余的层不动。

# %% [markdown] lang="en"
# {fig:diagnose-patient} Top: the second moment of the signal. The dashed line is computed from the weights, and the points are measured. It falls in layers 6 to 9. Bottom: second moments of gradients, relative to the last layer. On its way back, the gradient with respect to $z$ falls in the same four layers. The gradient with respect to $W$ stays within two decades over the whole network, and the four layers have the largest.
#
# The report counts from 0 and includes the ReLUs, so its 11 is the sixth layer with a weight. The two columns of numbers below the report are the predicted and the measured factors, and layers with a factor below ¼ are marked. In a single network of width 64, it is normal that measured factors are off by tens of percent.
#
# ## Repair {#repair}
#
# Layers with a factor below ¼ or above 4 are initialized again. The others remain as they are.


# %%
def repair(model: nn.Module, readings: list[Reading], seed: int) -> list[int]:
    """Initialize bad layers again; return their numbers, from 1."""
    generator = torch.Generator().manual_seed(seed)
    bad = []
    for number, (layer, reading) in enumerate(
        zip(weighted(model), readings, strict=True), 1
    ):
        # The first layer passes no ReLU before it: its factor means little.
        if number > 1 and not 0.25 < reading.predicted < 4:
            nn.init.kaiming_normal_(layer.weight, generator=generator)
            bad.append(number)
    return bad


def train(model: nn.Module, seed: int, steps: int = 150) -> list[float]:
    """Return the training loss of each step."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    losses = []
    for _ in range(steps):
        batch = torch.randint(0, 1500, (64,), generator=generator)
        loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


bad = repair(patient, found, SEED)
cured = read(patient, inputs[:200], labels[:200])
died = math.log10(found[-1].signal / found[0].signal)
kept = math.log10(cured[-1].signal / cured[0].signal)
print(f"repaired {bad}")
print(f"signal through the network: 1e{died:.0f} before, 1e{kept:.0f} after")

# %%
before, after = [], []
for seed in SEEDS:
    before.append(train(build(seed), seed))
    model = build(seed)
    repair(model, read(model, inputs[:200], labels[:200]), seed)
    after.append(train(model, seed))

fig, ax = plt.subplots(figsize=(5.2, 3.0))
fig.set_layout_engine("constrained", rect=(0, 0, 0.99, 1))
for runs, dash, color, label in (
    (before, "--", "C1", "before the repair"),
    (after, "-", "C0", "after the repair"),
):
    for number, run in enumerate(runs):
        means = torch.tensor(run).view(-1, 10).mean(1)
        steps = 10 * torch.arange(len(means)) + 5
        name = label if number == 0 else None
        ax.plot(steps, means, dash, color=color, lw=1.2, label=name)
ax.axhline(math.log(10), color="0.5", lw=0.8)
ax.set(xlabel="step", ylabel="training loss", ylim=(0, 2.9))
ax.legend()
plt.show()

loss_before = float(torch.tensor(before)[:, -20:].mean())
loss_after = float(torch.tensor(after)[:, -20:].mean())
print(f"loss {loss_before:.1f} before, {loss_after:.1f} after")

# %% [markdown] lang="zh"
# {fig:diagnose-training} 修好之前与之后的训练损失，各有三个种子；灰线是 $\ln 10$。修好之前，损失一动不动；修好四层之后，150 步降到 {val:diagnose.loss_after:.2f}。
#
# ## 学到了什么 {#learned}
#
# - 前面有 ReLU 的一层，它的因子由权重就能预测 {eq:he-recursion}，不用训练，也不用数据。
# - 信号在坏的层**之后**小，梯度在坏的层**之前**小 {fig:diagnose-patient}；权重的梯度**处处**小，不到修好之后的千分之一。要找坏的层，看信号每层的因子；去找权重梯度最小的层，就会错怪健康的层 {fig:diagnose-patient}。
# - 这里只要修好坏的层就够了：三个种子的损失平均降到 {val:diagnose.loss_after:.2f}。
#
# ## 再试两件事 {#try}
#
# 1. 把 `build` 里的错误换成 PyTorch 的默认初始化（删掉 `build` 里含 `nn.init` 的那个循环）。`repair` 会找到几个坏的层？它们的因子是多少？
# 2. 把 `read` 用在你自己的分类网络上。有残差连接或归一化时，预测与实测两栏因子，哪一栏不再适用？
#
# 背景见[为什么初始化重要](../initialization/why.md)与[选择初始化](../initialization/choosing.md)。
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# {fig:diagnose-training} Training loss before and after the repair, with three seeds each. The gray line is $\ln 10$. Before the repair, the loss does not move. After the repair of four layers, it falls to {val:diagnose.loss_after:.2f} in 150 steps.
#
# ## What was learned {#learned}
#
# - For a layer behind a ReLU, the factor can be predicted from its weights {eq:he-recursion}, without training and without data.
# - The signal is small **behind** the bad layers, and the gradient is small **before** them {fig:diagnose-patient}. The gradients of the weights are small **everywhere**, with second moments below a thousandth of those after the repair. To find bad layers, look at the factor of the signal. Looking for the smallest gradients of the weights would blame healthy layers {fig:diagnose-patient}.
# - Here it was enough to repair the bad layers. Over three seeds, the loss fell to {val:diagnose.loss_after:.2f} on average.
#
# ## Two things to try {#try}
#
# 1. Replace the mistake in `build` by PyTorch's default initialization (delete the loop that contains `nn.init`). How many bad layers does `repair` find, and what are their factors?
# 2. Use `read` on a classifier of your own. If there are residual connections or normalization, which of the two columns of factors, predicted or measured, no longer applies?
#
# For the background see [Why initialization matters](../initialization/why.md) and [Choosing an initialization](../initialization/choosing.md).
#
# ## Assertions {#finding}
#
# The finding of this lab as code:

# %%
assert bad == [6, 7, 8, 9]
assert verdict.verdict == "vanishing"
for earlier, later in pairwise(found):
    ratio = later.signal / earlier.signal
    assert 0.3 < ratio / later.predicted < 3  # the weights alone foretell it
weights = [reading.weight for reading in found]
assert min(weights[5:9]) > max(weights[:5] + weights[9:])  # largest if bad,
assert max(weights) < 1e-3 * min(r.weight for r in cured)  # small in all
assert found[0].gradient < 1e-4 * found[-1].gradient
assert died < -5 < -1 < kept
assert abs(loss_before - math.log(10)) < 0.05
assert loss_after < 0.7
