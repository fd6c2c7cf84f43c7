"""Norms, skips and special layers each promise a number at step 0.

E[z^2] = fan_in * Var(w) * E[h^2], counted for what a layer really reads

He et al. (2015); Radford et al. (2019); Lin et al. (2017); Hu et al. (2022).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SEED = 0
Laws = dict[str, tuple[float, Tensor]]  # predicted, one measurement per net
# --8<-- [end:imports]


# --8<-- [start:blocks]
def norms_and_skips(g: torch.Generator, nets: int = 100, n: int = 64) -> Laws:
    """Measure what a norm, and a skip connection, make of a weight.

    12 residual branches; the last weight of each is divided by sqrt(12).
    """
    x = torch.randn(nets, n, 4, generator=g)
    w = torch.randn(nets, n, n, generator=g, requires_grad=True)
    grads = []
    for factor in (1, 7):
        scaled = factor * w.detach()
        scaled.requires_grad_()
        y = F.layer_norm((scaled @ x).mT, (n,)).square().mul(x.mT).sum()
        (grad,) = torch.autograd.grad(y, scaled)
        grads.append(grad.flatten(1).norm(dim=1))
    laws: Laws = {"norm": (1 / 7, grads[1] / grads[0])}
    with torch.no_grad():
        for name, law in (
            ("residual", (1 + 1 / 12) ** 12),
            ("pre-norm", 2.0),
        ):
            stream = x
            for _ in range(12):
                h = stream
                if name == "pre-norm":
                    h = F.layer_norm(stream.mT, (n,)).mT
                first = torch.randn(nets, n, n, generator=g) / math.sqrt(n)
                last = torch.randn(nets, n, n, generator=g)
                last *= math.sqrt(2 / n) / math.sqrt(12)
                stream = stream + last @ torch.relu(first @ h)
            ratio = stream.square().mean((1, 2)) / x.square().mean((1, 2))
            laws[name] = law, ratio
        norm = nn.BatchNorm1d(n)
        nn.init.zeros_(norm.weight)
        same = x[..., 0] + norm(nn.Linear(n, n)(x[..., 0]))
        laws["zero γ"] = 1.0, same.square().mean(1) / x[..., 0].square().mean(1)
    return laws


# --8<-- [end:blocks]


# --8<-- [start:convolutions]
@torch.no_grad()
def convolutions(g: torch.Generator, nets: int = 200, c: int = 16) -> Laws:
    """Measure convolutions; the networks are the groups of one layer."""
    x = torch.randn(1, nets * c, 8, 8, generator=g)
    z = x
    for _ in range(4):
        w = nn.init.kaiming_normal_(torch.empty(nets * c, c, 3, 3), generator=g)
        h = torch.relu(z) if z is not x else math.sqrt(0.5) * x
        z = F.conv2d(F.pad(h, (1, 1, 1, 1), mode="circular"), w, groups=nets)
    deep = z.view(nets, -1).square().mean(1)
    depthwise = nn.Conv2d(nets * c, nets * c, 3, groups=nets * c, bias=False)
    nn.init.kaiming_normal_(depthwise.weight, generator=g)
    z = depthwise(torch.relu(x)).view(nets, -1).square().mean(1)
    w, stride = torch.empty(nets * c, c, 4, 4), 2
    w.normal_(0, math.sqrt(2 * stride**2 / (c * 4 * 4)), generator=g)
    up = F.conv_transpose2d(torch.relu(x), w, stride=stride, groups=nets)
    up = up[..., 4:-4, 4:-4].reshape(nets, -1).square().mean(1)
    return {"conv": (1.0, deep), "depthwise": (1.0, z), "transposed": (1.0, up)}


# --8<-- [end:convolutions]


# --8<-- [start:special]
def special(g: torch.Generator, nets: int = 50, n: int = 64) -> Laws:
    """Measure recurrent, attention, embedding and adapter weights."""
    h = torch.randn(nets, n, generator=g)
    w = nn.init.orthogonal_(torch.empty(n, n), generator=g)
    after = h
    for _ in range(50):
        after = after @ w
    cell = nn.LSTMCell(n, n)
    for p in (cell.bias_ih, cell.bias_hh):
        nn.init.zeros_(p)
    nn.init.ones_(cell.bias_hh[n : 2 * n])
    c = h.clone().requires_grad_()
    state = cell(torch.zeros(nets, n), (torch.zeros(nets, n), c))[1]
    (forget,) = torch.autograd.grad(state.sum(), c)
    logits = []
    for _ in range(nets):
        x = torch.randn(32, n, generator=g)
        packed = torch.empty(3 * n, n)
        for part in packed.chunk(3):
            nn.init.xavier_normal_(part, generator=g)
        q, k, _ = (x @ packed.T).view(32, 3, 4, n // 4).permute(1, 2, 0, 3)
        logits.append((q @ k.mT / math.sqrt(n // 4)).square().mean())
    tokens = nn.init.normal_(torch.empty(1000, n), 0, 0.02, generator=g)
    tied = (F.layer_norm(h, (n,)) @ tokens.T).square().mean(1)
    low, high = torch.randn(4, n, generator=g), torch.zeros(n, 4)
    adapted = F.linear(h, w + high @ low) - F.linear(h, w)
    return {
        "recurrent": (1.0, after.norm(dim=1) / h.norm(dim=1)),
        "forget gate": (1 / (1 + math.exp(-1)), forget.mean(1)),
        "attention": (1.0, torch.stack(logits)),
        "tied embedding": (n * 0.02**2, tied),
        "adapter": (0.0, adapted.abs().amax(1)),
    }


# --8<-- [end:special]


# --8<-- [start:heads]
@torch.no_grad()
def heads(g: torch.Generator, nets: int = 100, n: int = 64) -> Laws:
    """Measure the loss of a zero head, and the output of a prior bias."""
    h = torch.randn(nets, n, generator=g)
    head = nn.Linear(n, 10)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    target = torch.arange(nets) % 10
    loss = F.cross_entropy(head(h), target, reduction="none")
    rare = nn.Linear(n, 1)
    nn.init.zeros_(rare.weight)
    nn.init.constant_(rare.bias, -math.log((1 - 0.01) / 0.01))
    out = torch.sigmoid(rare(h))[:, 0]
    return {"classes": (math.log(10), loss), "rare class": (0.01, out)}


# --8<-- [end:heads]


# --8<-- [start:demo]
@cache
def laws() -> Laws:
    """Run every row once."""
    generator = torch.Generator().manual_seed(SEED)
    parts: tuple[Callable[[torch.Generator], Laws], ...] = (
        norms_and_skips,
        convolutions,
        special,
        heads,
    )
    return {k: v for part in parts for k, v in part(generator).items()}


def demo() -> dict[str, float | tuple[float, float]]:
    """Print, per row, the promised number and the measured one."""
    values: dict[str, float | tuple[float, float]] = {}
    print("                predicted  measured")
    for name, (theory, seen) in laws().items():
        key = name.replace(" ", "_").replace("-", "_").replace("γ", "gamma")
        mean = float(seen.detach().mean())
        error = float(seen.detach().std()) / math.sqrt(len(seen))
        values[f"{key}_theory"] = theory
        values[key] = mean, error
        print(f"{name:15} {theory:9.3f}  {mean:8.2f}")
    values["half_life_bias"] = -math.log(2 ** (1 / 20) - 1)
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
