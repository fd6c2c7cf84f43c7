"""Muon for the hidden matrices of a model, AdamW for everything else.

Scaled by 0.2 sqrt(max(m, n)), an orthogonal step has a root mean square of
0.2 learning rates for matrices of any shape, about that of Adam's steps.

Jordan et al. (2024); Liu et al. (2025).
"""

# --8<-- [start:imports]
import math

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:split]
def muon_and_adamw(
    model: nn.Module, head: nn.Module, rate: float, decay: float = 0.1
) -> tuple[torch.optim.Muon, torch.optim.AdamW]:
    """Return two optimizers that share the parameters of a model.

    Args:
        model: with all parameters.
        head: its output layer, which AdamW gets, like the embeddings.
        rate: the learning rate of both.
        decay: of matrices and embeddings; biases and gains of norms have none.

    Raises:
        ValueError: no matrix is left for Muon, or a rate or a decay is
            negative.
    """
    if not 0 <= rate < math.inf or not 0 <= decay < math.inf:
        raise ValueError(f"Received: {rate=}, {decay=}")
    apart = {id(p) for p in head.parameters()}
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            apart |= {id(p) for p in module.parameters()}
    hidden, tables, small = [], [], []
    for p in model.parameters():
        if p.ndim < 2:
            small.append(p)
        elif p.ndim == 2 and min(p.shape) > 1 and id(p) not in apart:
            hidden.append(p)
        else:
            tables.append(p)
    if not hidden:
        raise ValueError("Expected a hidden matrix. Received: none")
    muon = torch.optim.Muon(
        hidden, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"
    )
    groups = [
        {"params": tables, "weight_decay": decay},
        {"params": small, "weight_decay": 0.0},
    ]
    return muon, torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95))


# --8<-- [end:split]


# --8<-- [start:size]
def muon_size(
    shape: tuple[int, int], adjust: str, generator: torch.Generator
) -> float:
    """Return the root mean square of Muon's first step, in learning rates.

    Args:
        shape: of the matrix.
        adjust: "original" or "match_rms_adamw".
        generator: of the gradient, which is noise.

    Raises:
        ValueError: adjust is another word.
    """
    if adjust not in ("original", "match_rms_adamw"):
        raise ValueError(f"Received: {adjust=}")
    weight = nn.Parameter(torch.zeros(shape))
    weight.grad = torch.randn(shape, generator=generator)
    optimizer = torch.optim.Muon(
        [weight], lr=1.0, weight_decay=0.0, adjust_lr_fn=adjust
    )
    optimizer.step()
    step: Tensor = weight.detach()
    return step.square().mean().sqrt().item()


# --8<-- [end:size]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    head = nn.Linear(64, 100)
    model = nn.Sequential(
        nn.Embedding(100, 64),
        nn.Linear(64, 256),
        nn.GELU(),
        nn.Linear(256, 64),
        nn.LayerNorm(64),
        head,
    )
    for optimizer in muon_and_adamw(model, head, rate=1e-3):
        rows = [p for g in optimizer.param_groups for p in g["params"]]
        shapes = " ".join("×".join(map(str, p.shape)) for p in rows)
        print(f"{type(optimizer).__name__:6}{shapes}")
    size = {}
    print("rms of a step / rate   original  match_rms_adamw")
    for shape in ((64, 64), (64, 256), (512, 64)):
        for adjust in ("original", "match_rms_adamw"):
            size[*shape, adjust] = muon_size(shape, adjust, generator)
        row = f"{size[*shape, 'original']:9.2f}"
        row += f"{size[*shape, 'match_rms_adamw']:17.2f}"
        print(f"{shape!s:<20}{row}")
    # --8<-- [end:demo]
