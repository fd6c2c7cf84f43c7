"""muP for Adam: the shapes of a narrow model say what grows with the width.

m = fan_in / fan_in of the narrow model; hidden and output: rate / m
output: standard deviation sqrt(fan_in / m) / fan_in, the others as usual

Yang et al. (2022), Tensor Programs V, table 3.
"""

# --8<-- [start:imports]
import functools
import math

import numpy as np
import torch
from torch import Tensor, nn

SEED = 0
WIDTHS, REPEATS, RATE = (64, 128, 256, 512, 1024), 8, 1e-3
TABLES = (nn.Embedding, nn.EmbeddingBag)
# --8<-- [end:imports]


# --8<-- [start:recipe]
def fan_in_growth(
    model: nn.Module, narrow: nn.Module
) -> dict[str, tuple[str, float]]:
    """Tell for each parameter what it is for muP and how its fan-in grew.

    Args:
        model: the model to train.
        narrow: the same model at the width where the rate was tuned.

    Returns:
        By name: "hidden" (both sides grew), "output" (its inputs grew) or
        "input" (the rest: input weights, embeddings, biases, norms), and m,
        the ratio of the fan-ins, 1 for "input".

    Raises:
        ValueError: the parameters have other names, or an embedding is tied
            to another layer, which needs an output multiplier instead; a
            lazy layer has no shape yet; a weight is made from others
            (weight_norm, pruning), is transposed, or holds no real numbers;
            what looks like an output has no "weight" in its name.
    """
    every = [*model.named_parameters(), *narrow.named_parameters()]
    lazy = [name for name, p in every if nn.parameter.is_lazy(p)]
    if lazy:
        raise ValueError(f"Run lazy layers once first. Received: {lazy}")
    odd = [
        name
        for name, module in model.named_modules()
        if "ConvTranspose" in type(module).__name__  # (in, out, *kernel)
    ] + [
        name
        for name, p in every
        if "parametrizations." in name
        or name.endswith(("weight_g", "weight_v", "weight_orig"))
        or not p.is_floating_point()
    ]
    if odd:
        raise ValueError(f"Expected plain weights. Received: {odd}")
    old = {name: p.shape for name, p in narrow.named_parameters()}
    new = dict(model.named_parameters())
    if old.keys() != new.keys():
        differ = sorted(old.keys() ^ new.keys())
        raise ValueError(f"Expected the same parameters. Received: {differ}")
    every = list(model.named_parameters(remove_duplicate=False))
    embeddings = [
        module.weight
        for module in model.modules()
        if isinstance(module, TABLES)
    ]
    for weight in embeddings:
        names = [name for name, p in every if p is weight]
        if len(names) > 1:
            raise ValueError(f"Tied: scale the logits. Received: {names}")
    found = {}
    for name, p in new.items():
        table = any(p is weight for weight in embeddings)
        if p.dim() < 2 or table or p.shape[1] == old[name][1]:
            found[name] = "input", 1.0
        else:
            kind = "output" if p.shape[0] == old[name][0] else "hidden"
            if kind == "output" and "weight" not in name.rpartition(".")[2]:
                raise ValueError(f"A table or an output? Received: {name}")
            found[name] = kind, p.shape[1] / old[name][1]
    return found


@torch.no_grad()
def mup_(
    model: nn.Module,
    narrow: nn.Module,
    lr: float,
    weight_decay: float = 0.0,
    generator: torch.Generator | None = None,
) -> list[dict[str, object]]:
    """Initialize a model for muP in place and return its parameter groups.

    Matrices get the variance 1/fan_in (embeddings 1), output matrices 1/m of
    that, biases and rows of padding 0. Norms stay. If heads grow with the
    width, divide attention logits by their dimension, not by its root.

    Args:
        model: the model to train.
        narrow: see fan_in_growth; its numbers are not read.
        lr: learning rate that suits the narrow model.
        weight_decay: that of the narrow model; a step decays by lr times it.
        generator: source of randomness.

    Returns:
        Parameter groups for AdamW.

    Raises:
        ValueError: as fan_in_growth, a rate or a decay is negative, or the
            model is on the meta device.
    """
    if not 0 <= lr < math.inf or not 0 <= weight_decay < math.inf:
        raise ValueError(f"Received: {lr=}, {weight_decay=}")
    kinds = fan_in_growth(model, narrow)
    if any(p.is_meta for p in model.parameters()):
        raise ValueError(f"On the meta device. Received: {type(model)}")
    embeddings = {
        module.weight
        for module in model.modules()
        if isinstance(module, TABLES)
    }
    groups: dict[float, list[nn.Parameter]] = {}
    for name, p in model.named_parameters():
        kind, m = kinds[name]
        if p.dim() > 1:
            fan_in = 1 if p in embeddings else p[0].numel()
            std = 1 / math.sqrt(fan_in * (m if kind == "output" else 1))
            p.normal_(0, std, generator=generator)
        elif "bias" in name.rpartition(".")[2]:
            p.zero_()
        groups.setdefault(m, []).append(p)
    for module in model.modules():
        if isinstance(module, TABLES) and module.padding_idx is not None:
            module.weight[module.padding_idx].zero_()
    return [
        {"params": params, "lr": lr / m, "weight_decay": weight_decay * m}
        for m, params in groups.items()
    ]


# --8<-- [end:recipe]


# --8<-- [start:measure]
def perceptron(width: int) -> nn.Sequential:
    """Return a network 16-width-width-1 of ReLU layers, width at least 1."""
    sizes = (16, width, width, 1)
    layers: list[nn.Module] = []
    for i in range(3):
        layers += [nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def adamw_step(width: int, mup: bool, generator: torch.Generator) -> Tensor:
    """Return how far one step of AdamW moves the second layer and the output.

    Root mean squares over units and 32 inputs, shape (2,). Without muP all
    matrices have variance 1/fan_in and one learning rate.
    """
    model = perceptron(width)
    narrow = perceptron(WIDTHS[0]) if mup else model
    groups = mup_(model, narrow, RATE, generator=generator)
    x, y = torch.randn(2, 32, 16, generator=generator)
    before = model[:3](x).detach(), model(x).detach()
    optimizer = torch.optim.AdamW(groups)
    (model(x) - y[:, :1]).square().mean().backward()
    optimizer.step()
    after = model[:3](x).detach(), model(x).detach()
    moved = [
        (a - b).square().mean().sqrt()
        for a, b in zip(after, before, strict=True)
    ]
    return torch.stack(moved)


@functools.cache
def changes(mup: bool) -> Tensor:
    """Return means of adamw_step by width, shape (WIDTHS, 2)."""
    generator = torch.Generator().manual_seed(SEED)
    return torch.stack(
        [
            torch.stack(
                [adamw_step(n, mup, generator) for _ in range(REPEATS)]
            ).mean(0)
            for n in WIDTHS
        ]
    )


# --8<-- [end:measure]


if __name__ == "__main__":
    # --8<-- [start:demo]
    hidden, output, slope = {}, {}, {}
    for name, mup in (("plain", False), ("muP", True)):
        moved = changes(mup)
        hidden[name] = dict(zip(WIDTHS, moved[:, 0], strict=True))
        output[name] = dict(zip(WIDTHS, moved[:, 1], strict=True))
        slope[name] = np.polyfit(np.log(WIDTHS), moved.log(), 1)[0].tolist()
    # --8<-- [end:demo]
