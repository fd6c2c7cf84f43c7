"""Parts of transformers and of fine-tuning promise a number at step 0, too.

E[z^2] = fan_in * Var(w) * E[h^2], or a zero that leaves the model as it is

Wang et al. (2022); Zhang et al. (2019, 2023); Radford et al. (2016).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SEED = 0
K = 12  # residual branches, two in each of N layers
N = K // 2
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
DEEP_NORM = "xavier_normal_(w, gain=(8 * N) ** -0.25)"
CALLS = {  # row: the cells of the tables, first and last weight of a branch
    "Fixup": "kaiming_normal_(w).mul_(K ** -0.5)\nzeros_(w)",
    "zero last": "zeros_(w)",
    "post-norm": f"{LINEAR}\nkaiming_normal_(w)",
    "DeepNorm": f"{DEEP_NORM}\n{DEEP_NORM}",
    "patch": LINEAR,
    "GAN": "normal_(w, 0, 0.02)\nnormal_(norm.weight, 1, 0.02)",
    "spectral norm": "kaiming_normal_(w)\nspectral_norm(layer)",
    "GRU": "for gate in w.chunk(3): orthogonal_(gate)",
    "input weight": "for gate in w.chunk(4): xavier_normal_(gate)",
    "QK-norm": "normal_(w, 0, 0.02)",
    "untied embedding": "normal_(w)",
    "padding": "w[padding_idx] = 0",
    "router": "normal_(w, 0, 0.02)",
    "experts": "for expert in w: kaiming_normal_(expert)",
    "LM head": "normal_(w, 0, 0.02)",
    "reward": "normal_(w, 0, (n + 1) ** -0.5)",
    "value": "zeros_(w)",
    "bottleneck": f"{LINEAR.replace('(w', '(down')}\nzeros_(up)",
    "control": "zeros_(w)\nzeros_(b)",
    "step bias": "b.copy_(uniform_(b, math.log(0.001), math.log(0.1))"
    ".exp().expm1().log())",
    "decay": "w.copy_(torch.arange(1, w.shape[1] + 1).log())",
    "graph": "kaiming_normal_(w)",
    "dot product": "normal_(w, 0, n ** -0.5)",
    "positions": "normal_(w, 0, 0.02)",
    "policy": "zeros_(w)",
    "CLIP": "constant_(t, math.log(1 / 0.07))",
    "SigLIP": "constant_(t, math.log(10))\nconstant_(b, -10)",
    "codebook": "w.copy_(z[:len(w)])",
    "pixel shuffle": "kaiming_normal_(w[::s**2])\n"
    "w.copy_(w[::s**2].repeat_interleave(s**2, 0))",
    "soft prompt": "p.copy_(w[words])",
    "channels": "w[:, :C] = old\nw[:, C:] = 0",
    "continual": "model.load_state_dict(checkpoint)",
    "float8": "q.copy_(w * (448 / w.abs().max()))",
    "warm start": "w.mul_(0.8)\n"
    "w.add_(kaiming_normal_(torch.empty_like(w)), alpha=0.6)",
    "half precision": "w.copy_("
    "kaiming_normal_(torch.empty_like(w, dtype=torch.float32)))",
}
# --8<-- [end:calls]


# --8<-- [start:branches]
@torch.no_grad()
def branches(g: torch.Generator, nets: int = 20, n: int = 256) -> Laws:
    """Measure what residual branches leave of their input."""

    def draw(call: str) -> Tensor:
        w = torch.empty(nets, n, n)
        for net in w:
            run_call(call, g, w=net, K=K, N=N)
        return w

    def norm(x: Tensor) -> Tensor:
        return F.layer_norm(x.mT, (n,)).mT

    x = norm(torch.randn(nets, n, 4, generator=g))
    weight = math.sqrt(2 * N)  # DeepNorm: the square of the skip's factor
    cases = {
        "Fixup": (1, 0, K, 1.0),
        "zero last": (1, 0, K, 1.0),
        "post-norm": (1, 1, 1, 1 / 2),
        "DeepNorm": (weight, 1, K, (weight / (weight + 1 / (16 * N))) ** K),
    }
    laws: Laws = {}
    for name, (skip, normed, count, law) in cases.items():
        first, last = [LINEAR, *CALLS[name].splitlines()][-2:]
        y = x
        for _ in range(count):
            branch = draw(last) @ (draw(first) @ y).relu()
            y = math.sqrt(skip) * y + branch
            if normed:
                y = norm(y)
        if normed:
            seen = F.cosine_similarity(x, y, dim=1).square().mean(1)
        else:
            seen = y.square().mean((1, 2)) / x.square().mean((1, 2))
        laws[name] = law, seen
    return laws


# --8<-- [end:branches]


# --8<-- [start:images]
@torch.no_grad()
def images(g: torch.Generator, nets: int = 100, c: int = 16) -> Laws:
    """Measure the first layer of a ViT, and layers of GANs."""
    patches = torch.randn(nets, 3, 8, 8, generator=g)
    w = torch.empty(nets * 64, 3, 8, 8)
    for net in w.view(nets, 64, 3, 8, 8):
        run_call(CALLS["patch"], g, w=net)
    tokens = F.conv2d(patches.view(1, -1, 8, 8), w, groups=nets)
    norm = nn.BatchNorm2d(c)
    generated = []
    for _ in range(nets):
        w = torch.empty(c, c, 4, 4)
        run_call(CALLS["GAN"], g, w=w, norm=norm)
        x = torch.randn(4, c, 6, 6, generator=g).relu()
        up = norm(F.conv_transpose2d(x, w, stride=2, padding=1))
        generated.append(up.square().mean())
    largest, own = [], g.clone_state()
    for _ in range(20):
        layer = nn.Linear(c, c)
        run_call(
            CALLS["spectral norm"],
            own,
            w=layer.weight,
            layer=layer,
            spectral_norm=nn.utils.parametrizations.spectral_norm,
        )
        for _ in range(100):  # each call improves the singular vectors
            layer(torch.ones(c))
        largest.append(torch.linalg.matrix_norm(layer.weight, 2))
    return {
        "patch": (1.0, tokens.view(nets, -1).square().mean(1)),
        "spectral norm": (1.0, torch.stack(largest)),
        "GAN": (1 + 0.02**2, torch.stack(generated)),
    }


# --8<-- [end:images]


# --8<-- [start:sequences]
@torch.no_grad()
def sequences(g: torch.Generator, nets: int = 50, n: int = 64) -> Laws:
    """Measure the weights of recurrent and attention layers."""
    h, w = torch.randn(nets, n, generator=g), torch.empty(3 * n, n)
    run_call(CALLS["GRU"], g, w=w)
    after = h
    for _ in range(50):
        after = after @ w[n : 2 * n]
    gates, logits = [], []
    for x in h:
        w = torch.empty(4 * n, n)
        run_call(CALLS["input weight"], g, w=w)
        gates.append((w @ x).square().mean() / x.square().mean())
        q, k = torch.randn(2, 32, n, generator=g)
        for part in (q, k):
            w = torch.empty(n, n)
            run_call(CALLS["QK-norm"], g, w=w)
            part.copy_(part @ w.T)
        q, k = (F.rms_norm(y.view(32, 4, -1), (n // 4,)) for y in (q, k))
        seen = torch.einsum("ahd,bhd->hab", q, k) / math.sqrt(n // 4)
        logits.append(seen.square().mean())
    return {
        "GRU": (1.0, after.norm(dim=1) / h.norm(dim=1)),
        "input weight": (1.0, torch.stack(gates)),
        "QK-norm": (1.0, torch.stack(logits)),
    }


# --8<-- [end:sequences]


# --8<-- [start:words]
@torch.no_grad()
def words(g: torch.Generator, nets: int = 100, n: int = 64) -> Laws:
    """Measure embeddings, a router, experts and heads."""
    h = F.layer_norm(torch.randn(nets, n, generator=g), (n,))
    table, w = torch.empty(1000, n), torch.empty(8, n)
    run_call(CALLS["untied embedding"], g, w=table)
    read = table[:nets].square().mean(1)
    run_call(CALLS["padding"], g, w=table, padding_idx=0)
    padded = F.embedding(torch.zeros(2).long(), table).abs().amax(1)
    routed = []
    for x in h:
        run_call(CALLS["router"], g, w=w)
        routed.append((w @ x).square().mean())
    w = torch.empty(nets, n, n)
    run_call(CALLS["experts"], g, w=w)
    x = torch.randn(nets, n, 8, generator=g)
    after = (w @ x.relu()).square().mean((1, 2)) / x.square().mean((1, 2))
    table = torch.empty(1000, n)
    run_call(CALLS["LM head"], g, w=table)
    target = torch.randint(1000, (nets,), generator=g)
    loss = F.cross_entropy(h @ table.T, target, reduction="none")
    w = torch.empty(nets, n)
    run_call(CALLS["reward"], g, w=w, n=n)
    rewards = w @ h.T
    run_call(CALLS["value"], g, w=w)
    return {
        "untied embedding": (1.0, read),
        "padding": (0.0, padded),
        "router": (n * 0.02**2, torch.stack(routed)),
        "experts": (1.0, after),
        "LM head": (math.log(1000) + n * 0.02**2 / 2, loss),
        "reward": (n / (n + 1), rewards.square().mean(1)),
        "value": (0.0, (w @ h.T).abs().amax(1)),
    }


# --8<-- [end:words]


# --8<-- [start:tuning]
@torch.no_grad()
def tuning(g: torch.Generator, nets: int = 50, n: int = 64) -> Laws:
    """Measure what new parts do to a trained model, and how it is stored."""
    h = torch.randn(nets, n, generator=g)
    down, up = torch.empty(8, n), torch.empty(n, 8)
    run_call(CALLS["bottleneck"], g, down=down, up=up)
    added = (h @ down.T).relu() @ up.T
    layer = nn.Conv2d(3, 3, 1)
    assert layer.bias is not None
    run_call(CALLS["control"], g, w=layer.weight, b=layer.bias)
    images = torch.randn(nets, 3, 8, 8, generator=g)
    changes = layer(images).abs().amax((1, 2, 3))
    mixed, stored = [], []
    for _ in range(nets):
        w = nn.init.kaiming_normal_(torch.empty(n, n), generator=g)
        old = w.square().mean()
        run_call(CALLS["warm start"], g, w=w, torch=torch)
        mixed.append(w.square().mean() / old)
        for dtype in (torch.bfloat16, torch.float16):
            half = torch.empty(n, n, dtype=dtype)
            run_call(CALLS["half precision"], g, w=half, torch=torch)
            stored.append(n / 2 * half.float().square().mean())
    return {
        "bottleneck": (0.0, added.abs().amax(1)),
        "control": (0.0, changes),
        "warm start": (0.8**2 + 0.6**2, torch.stack(mixed)),
        "half precision": (1.0, torch.stack(stored)),
    }


# --8<-- [end:tuning]


# --8<-- [start:models]
@torch.no_grad()
def models(g: torch.Generator, nets: int = 100, n: int = 64) -> Laws:
    """Measure parts of Mamba, graph networks, recommenders and policies."""
    steps, b, w = [], torch.empty(256), torch.empty(n, 16)
    run_call(CALLS["decay"], g, w=w, torch=torch)
    rates = w.exp() / torch.arange(1, 17)
    d, means, scores = 8, [], []
    for _ in range(nets):
        run_call(CALLS["step bias"], g, b=b)
        steps.append(F.softplus(b).log().mean().exp())
        z, w = torch.randn(16, d, n, generator=g), torch.empty(n, n)
        run_call(CALLS["graph"], g, w=w)
        means.append((z.relu().mean(1) @ w.T).square().mean())
        tables = torch.empty(2, 32, n)
        run_call(CALLS["dot product"], g, w=tables, n=n)
        scores.append((tables[0] @ tables[1].T).square().mean())
    position, w = torch.empty(nets, n), torch.empty(4, n)
    run_call(CALLS["positions"], g, w=position)
    run_call(CALLS["policy"], g, w=w)
    p = (torch.randn(nets, n, generator=g) @ w.T).softmax(1)
    return {
        "step bias": (0.01, torch.stack(steps)),
        "decay": (1.0, rates.flatten()),
        "graph": (1 / d + (1 - 1 / d) / math.pi, torch.stack(means)),
        "dot product": (1 / n, torch.stack(scores)),
        "positions": (0.02**2, position.square().mean(1)),
        "policy": (math.log(4), -(p * p.log()).sum(1)),
    }


# --8<-- [end:models]


# --8<-- [start:pairs]
@torch.no_grad()
def pairs(g: torch.Generator, nets: int = 20, n: int = 512) -> Laws:
    """Measure CLIP, SigLIP, a codebook, a pixel shuffle, a soft prompt."""
    t, t_sig, b, size = torch.empty(1), torch.empty(1), torch.empty(1), 256
    run_call(CALLS["CLIP"], g, t=t)
    run_call(CALLS["SigLIP"], g, t=t_sig, b=b)
    clip, siglip, used, blocks, prompts = [], [], [], [], []
    for _ in range(nets):
        images, texts = F.normalize(torch.randn(2, size, n, generator=g), dim=2)
        cosines, pair = images @ texts.T, torch.arange(size)
        clip.append(F.cross_entropy(t.exp() * cosines, pair))
        sign = 2 * torch.eye(size) - 1
        losses = F.softplus(-sign * (t_sig.exp() * cosines + b))
        siglip.append(losses.sum() / size)
        w, z = torch.empty(64, n), 3 + torch.randn(size, n, generator=g)
        run_call(CALLS["codebook"], g, w=w, z=z)
        nearest = torch.cdist(z, w).argmin(1)
        used.append(len(nearest.unique()) / len(w))
        w = torch.empty(16, 8, 3, 3)
        run_call(CALLS["pixel shuffle"], g, w=w, s=2)
        x = torch.randn(1, 8, 6, 6, generator=g).relu()
        up = F.pixel_shuffle(F.conv2d(x, w), 2)[0]
        parts = up.unfold(1, 2, 2).unfold(2, 2, 2).flatten(3)
        blocks.append((parts - parts[..., :1]).abs().amax())
        w, p = 0.02 * torch.randn(1000, n, generator=g), torch.empty(20, n)
        words = torch.randint(1000, (20,), generator=g)
        run_call(CALLS["soft prompt"], g, p=p, w=w, words=words)
        prompts.append(p.square().mean() / w.square().mean())
    noise = math.exp(100 / (2 * n))  # E[exp(10 cos)]
    return {
        "CLIP": (math.log(size) + 0.07**-2 / (2 * n), torch.stack(clip)),
        "SigLIP": (
            10 + size * math.exp(-10) * noise,
            torch.stack(siglip),
        ),
        "codebook": (1.0, torch.tensor(used)),
        "pixel shuffle": (0.0, torch.stack(blocks)),
        "soft prompt": (1.0, torch.stack(prompts)),
    }


# --8<-- [end:pairs]


# --8<-- [start:kept]
@torch.no_grad()
def kept(g: torch.Generator, nets: int = 50, n: int = 64) -> Laws:
    """Measure what a model keeps, with more channels or fewer bits too."""
    old, model = nn.Linear(n, n), nn.Linear(n, n)
    nn.init.normal_(old.weight, generator=g)
    state = old.state_dict()
    run_call(CALLS["continual"], g, model=model, checkpoint=state)
    h = torch.randn(nets, n, generator=g)
    w = torch.empty(n, n + 3)
    run_call(CALLS["channels"], g, w=w, old=old.weight, C=n)
    wide = torch.cat([h, torch.randn(nets, 3, generator=g)], dim=1)
    change = F.linear(wide, w, old.bias) - old(h)
    stored = []
    for _ in range(nets):
        w = nn.init.kaiming_normal_(torch.empty(n, n), generator=g)
        q = torch.empty(n, n, dtype=torch.float8_e4m3fn)
        run_call(CALLS["float8"], g, w=w, q=q)
        back = q.float() * w.abs().max() / 448
        stored.append(back.square().mean() / w.square().mean())
    return {
        "continual": (0.0, (model(h) - old(h)).abs().amax(1)),
        "channels": (0.0, change.abs().amax(1)),
        "float8": (1.0, torch.stack(stored)),
    }


# --8<-- [end:kept]


# --8<-- [start:promises]
@cache
def promises() -> Laws:
    """Run every row once."""
    generator = torch.Generator().manual_seed(SEED)
    parts: tuple[Callable[[torch.Generator], Laws], ...] = (
        branches,
        images,
        sequences,
        words,
        tuning,
        models,
        pairs,
        kept,
    )
    return {k: v for part in parts for k, v in part(generator).items()}


# --8<-- [end:promises]


if __name__ == "__main__":
    # --8<-- [start:demo]
    predicted = {name: theory for name, (theory, _) in promises().items()}
    print("                  predicted  measured")
    for name, (_, seen) in promises().items():
        print(f"{name:17} {predicted[name]:9.4f}  {seen.mean():8.3f}")
    # --8<-- [end:demo]
