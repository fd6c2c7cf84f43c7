"""Norms, skips and special layers each promise a number at step 0.

E[z^2] = fan_in * Var(w) * E[h^2], counted for what a layer really reads

He et al. (2015); Radford et al. (2019); Lin et al. (2017); Hu et al. (2022).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SEED = 0
K = 12  # residual branches
Laws = dict[str, tuple[float, Tensor]]  # predicted, one measurement per net
# --8<-- [end:imports]


# --8<-- [start:call]
@torch.no_grad()
def run_call(call: str, generator: torch.Generator, **names: object) -> None:
    """Run a cell of the tables, line by line, as it is printed.

    Args:
        call: code; it sees torch.nn.init, math and the names.
        generator: what the random initializers of the tables draw from.
        names: the tensors and numbers that the code speaks of.
    """
    inits = dict(vars(nn.init))
    for name in ("normal_", "uniform_", "orthogonal_", "xavier_normal_"):
        inits[name] = partial(inits[name], generator=generator)
    for name in ("kaiming_normal_", "kaiming_uniform_"):
        inits[name] = partial(inits[name], generator=generator)
    for line in call.splitlines():
        exec(line, inits | {"math": math} | names)


# --8<-- [end:call]


# --8<-- [start:calls]
LINEAR = 'kaiming_normal_(w, nonlinearity="linear")'
LAST = "kaiming_normal_(w).div_(K ** 0.5)"
CALLS = {  # row: the cells of the tables, first and last weight of a branch
    "norm": "kaiming_normal_(w)",
    "residual": f"{LINEAR}\n{LAST}",
    "pre-activation": f"kaiming_normal_(w)\n{LAST}",
    "pre-norm": f"{LINEAR}\n{LAST}",
    "GPT": "normal_(w, 0, 0.02)\nnormal_(w, 0, 0.02 / K ** 0.5)",
    "zero γ": "zeros_(norm.weight)",
    "gate": "zeros_(gate)",
    "LayerScale": "constant_(scale, 1e-5)",
    "conv": "kaiming_normal_(w)",
    "transposed": "normal_(w, 0, (2 * s**d / (c * k**d)) ** 0.5)",
    "recurrent": "for gate in w.chunk(4): orthogonal_(gate)",
    "forget gate": "b.chunk(4)[1].fill_(1)",
    "memory": "b.chunk(4)[1].fill_(math.log(T - 1))\n"
    "b.chunk(4)[0].fill_(-math.log(T - 1))",
    "attention": "for part in w.chunk(3): xavier_normal_(part)",
    "tied embedding": "normal_(w, 0, 0.02)",
    "new word": "w[V:] = w[:V].mean(0)",
    "adapter": "kaiming_uniform_(A, a=5 ** 0.5)\nzeros_(B)",
    "classes": "zeros_(w)",
    "rare class": "zeros_(w)\nconstant_(b, -math.log((1 - r) / r))",
    "shares": "zeros_(w)\nb.copy_(p.log())",
    "regression": "zeros_(w)\nb.copy_(y.mean(0))",
    "image": "zeros_(w)\nb.copy_(y.mean((0, 2, 3)))",
}
# --8<-- [end:calls]


# --8<-- [start:norms]
def norms(g: torch.Generator, nets: int = 100, n: int = 64) -> Laws:
    """Measure what a norm makes of a weight, in front of it and behind."""
    x, w = torch.randn(nets, n, 4, generator=g), torch.empty(nets, n, n)
    for net in w:
        run_call(CALLS["norm"], g, w=net)
    grads = []
    for factor in (1, 7):
        scaled = (factor * w).requires_grad_()
        y = F.layer_norm((scaled @ x).mT, (n,)).square().mul(x.mT).sum()
        (grad,) = torch.autograd.grad(y, scaled)
        grads.append(grad.flatten(1).norm(dim=1))
    laws: Laws = {"norm": (1 / 7, grads[1] / grads[0])}
    h, gate, scale = x[..., 0], torch.ones(1), torch.ones(n)
    f = F.linear(h, w[0])
    same = []
    for norm in (nn.BatchNorm1d(n), nn.GroupNorm(4, n), nn.LayerNorm(n)):
        run_call(CALLS["zero γ"], g, norm=norm)
        same.append((h + norm(f).detach()).square().mean())
    laws["zero γ"] = 1.0, torch.stack(same) / h.square().mean()
    run_call(CALLS["gate"], g, gate=gate)
    run_call(CALLS["LayerScale"], g, scale=scale)
    for name, a in (("gate", gate), ("LayerScale", scale)):
        moment = (h + a * f).square().mean(1) / h.square().mean(1)
        laws[name] = 1.0, moment
    return laws


# --8<-- [end:norms]


# --8<-- [start:skips]
@torch.no_grad()
def skips(g: torch.Generator, nets: int = 100, n: int = 64) -> Laws:
    """Measure the stream after K branches of two weights."""

    def draw(call: str, rows: int, columns: int) -> Tensor:
        w = torch.empty(nets, rows, columns)
        for net in w:
            run_call(call, g, w=net, K=K)
        return w

    predicted = {
        "residual": (1 + 1 / K) ** K,
        "pre-activation": (1 + 1 / K) ** K,
        "pre-norm": 2.0,
    }
    laws: Laws = {}
    for name, law in predicted.items():
        first, last = CALLS[name].splitlines()
        x = stream = torch.randn(nets, n, 4, generator=g)
        for _ in range(K):
            h = stream
            if name == "pre-norm":
                h = F.layer_norm(h.mT, (n,)).mT
            if name == "pre-activation":
                h = h.relu()
            stream = stream + draw(last, n, n) @ (draw(first, n, n) @ h).relu()
        ratio = stream.square().mean((1, 2)) / x.square().mean((1, 2))
        laws[name] = law, ratio
    return laws


@torch.no_grad()
def gpt(g: torch.Generator, nets: int = 8, n: int = 256) -> Laws:
    """Measure K branches of a GPT at its first token, which sees itself."""
    every, last = CALLS["GPT"].splitlines()

    def draw(call: str, rows: int, columns: int) -> Tensor:
        w = torch.empty(rows, columns)
        run_call(call, g, w=w, K=K)
        return w

    n_v = n * 0.02**2
    z = torch.linspace(-8, 8, 4001) * math.sqrt(n_v)
    mass = torch.exp(-(z**2) / (2 * n_v))
    cases = ("GPT", F.gelu, 4 * n), ("SwiGLU", F.silu, 8 * n // 3)
    laws: Laws = {}
    for name, phi, m in cases:
        ends = []
        for _ in range(nets):
            x = draw(every, 32, n)  # embeddings
            for _ in range(K // 2):
                y = F.layer_norm(x, (n,))
                x = x + y @ draw(every, n, n) @ draw(last, n, n)
                y = F.layer_norm(x, (n,))
                h = phi(y @ draw(every, n, m))
                if name == "SwiGLU":
                    h = h * (y @ draw(every, n, m))
                x = x + h @ draw(last, m, n)
            ends.append(x.square().mean())
        moment = float(mass @ phi(z) ** 2 / mass.sum())
        if name == "SwiGLU":
            moment *= n_v
        law = 0.02**2 + (n_v**2 + m * 0.02**2 * moment) / 2
        laws[name] = law, torch.stack(ends)
        g = g.clone_state()  # the other rows draw as without SwiGLU
    return laws


# --8<-- [end:skips]


# --8<-- [start:convolutions]
@torch.no_grad()
def convolutions(g: torch.Generator, nets: int = 200, c: int = 16) -> Laws:
    """Measure convolutions; the networks are the groups of one layer."""
    x = z = torch.randn(1, nets * c, 8, 8, generator=g)
    for depth in range(4):
        w = torch.empty(nets * c, c, 3, 3)
        run_call(CALLS["conv"], g, w=w)
        h = torch.relu(z) if depth else math.sqrt(0.5) * x
        z = F.conv2d(F.pad(h, (1, 1, 1, 1), mode="circular"), w, groups=nets)
    deep = z.view(nets, -1).square().mean(1)
    depthwise = nn.Conv2d(nets * c, nets * c, 3, groups=nets * c, bias=False)
    run_call(CALLS["conv"], g, w=depthwise.weight)
    z = depthwise(torch.relu(x)).view(nets, -1).square().mean(1)
    w, s, k = torch.empty(nets * c, c, 4, 4), 2, 4
    run_call(CALLS["transposed"], g, w=w, s=s, c=c, k=k, d=2)
    up = F.conv_transpose2d(torch.relu(x), w, stride=s, groups=nets)
    up = up[..., 4:-4, 4:-4].reshape(nets, -1).square().mean(1)
    return {"conv": (1.0, deep), "depthwise": (1.0, z), "transposed": (1.0, up)}


# --8<-- [end:convolutions]


# --8<-- [start:special]
def special(g: torch.Generator, nets: int = 50, n: int = 64) -> Laws:
    """Measure recurrent, attention, embedding and adapter weights."""
    h = torch.randn(nets, n, generator=g)
    w = torch.empty(4 * n, n)
    run_call(CALLS["recurrent"], g, w=w)
    after = h
    for _ in range(50):
        after = after @ w[:n]
    cell = nn.LSTMCell(n // 2, n)
    for b in (cell.bias_ih, cell.bias_hh):
        nn.init.zeros_(b)
    run_call(CALLS["forget gate"], g, b=cell.bias_hh)
    c = h.clone().requires_grad_()
    state = cell(torch.zeros(nets, n // 2), (torch.zeros(nets, n), c))[1]
    (forget,) = torch.autograd.grad(state.sum(), c)
    T, kept = 100, h
    run_call(CALLS["memory"], g, b=cell.bias_hh, T=T)
    for _ in range(T):  # as if its outputs were 0
        zeros = torch.zeros(nets, n)
        kept = cell(zeros[:, : n // 2], (zeros, kept))[1].detach()
    logits = []
    for _ in range(nets):
        x = torch.randn(32, n, generator=g)
        packed = torch.empty(3 * n, n)
        run_call(CALLS["attention"], g, w=packed)
        q, k, _ = (x @ packed.T).view(32, 3, 4, n // 4).permute(1, 2, 0, 3)
        logits.append((q @ k.mT / math.sqrt(n // 4)).square().mean())
    A, B = torch.empty(4, n), torch.empty(n, 4)
    run_call(CALLS["adapter"], g, A=A, B=B)
    adapted = F.linear(h, w[:n] + B @ A) - F.linear(h, w[:n])
    return {
        "recurrent": (1.0, after.norm(dim=1) / h.norm(dim=1)),
        "forget gate": (1 / (1 + math.exp(-1)), forget.mean(1)),
        "memory": ((1 - 1 / T) ** T, kept.norm(dim=1) / h.norm(dim=1)),
        "attention": (1.0, torch.stack(logits)),
        "adapter": (0.0, adapted.abs().amax(1)),
    }


# --8<-- [end:special]


# --8<-- [start:heads]
@torch.no_grad()
def heads(g: torch.Generator, nets: int = 100, n: int = 64) -> Laws:
    """Measure embeddings and output layers."""
    h = torch.randn(nets, n, generator=g)
    words = torch.empty(1001, n)
    run_call(CALLS["tied embedding"], g, w=words[:-1])
    tied = (F.layer_norm(h, (n,)) @ words[:-1].T).square().mean(1)
    run_call(CALLS["new word"], g, w=words, V=1000)
    new = (h @ words.T).softmax(1)[:, -1] * 1001  # its share, as a multiple
    w, b = torch.empty(10, n), torch.zeros(2)
    y = torch.randn(nets, 2, generator=g)
    run_call(CALLS["classes"], g, w=w)
    target = torch.arange(nets) % 10
    loss = F.cross_entropy(h @ w.T, target, reduction="none")
    run_call(CALLS["rare class"], g, w=w[:1], b=b[:1], r=0.01)
    out = torch.sigmoid(h @ w[:1].T + b[:1])[:, 0]
    shares, prior = torch.tensor([0.7, 0.2, 0.1]), torch.zeros(3)
    run_call(CALLS["shares"], g, w=w[:3], b=prior, p=shares)
    smallest = (h @ w[:3].T + prior).softmax(1)[:, 2]
    run_call(CALLS["regression"], g, w=w[:2], b=b, y=y + 3)
    square = (h @ w[:2].T + b - y - 3).square().mean(0)
    variance = y.var(0, correction=0)
    layer, own = nn.Conv2d(n, 2, 3, padding=1), g.clone_state()
    assert layer.bias is not None
    y = 3 + torch.randn(nets, 2, 4, 4, generator=own)
    run_call(CALLS["image"], own, w=layer.weight, b=layer.bias, y=y)
    error = layer(h[..., None, None].expand(-1, -1, 4, 4)) - y
    image = error.square().mean((0, 2, 3)) / y.var((0, 2, 3), correction=0)
    return {
        "tied embedding": (n * 0.02**2, tied),
        "new word": (1.0, new),
        "classes": (math.log(10), loss),
        "rare class": (0.01, out),
        "shares": (0.1, smallest),
        "regression": (1.0, square / variance),
        "image": (1.0, image),
    }


# --8<-- [end:heads]


# --8<-- [start:laws]
@cache
def laws() -> Laws:
    """Run every row once."""
    generator = torch.Generator().manual_seed(SEED)
    parts: tuple[Callable[[torch.Generator], Laws], ...] = (
        norms,
        skips,
        gpt,
        convolutions,
        special,
        heads,
    )
    return {k: v for part in parts for k, v in part(generator).items()}


# --8<-- [end:laws]


if __name__ == "__main__":
    # --8<-- [start:demo]
    predicted = {name: theory for name, (theory, _) in laws().items()}
    measured = {}
    print("                predicted  measured")
    for name, (_, seen) in laws().items():
        x = seen.detach()
        measured[name] = x.mean(), x.std() / math.sqrt(len(x))
        print(f"{name:15} {predicted[name]:9.3f}  {x.mean():8.2f}")

    half_life_bias = -math.log(2 ** (1 / 20) - 1)
    with_he_twice = (1 + 2 / K) ** K
    swiglu = predicted["SwiGLU"]
    wide_logits = 4096 * 0.02**2  # their variance at width 4096
    # --8<-- [end:demo]
