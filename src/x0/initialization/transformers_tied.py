"""Tied embeddings set the logits of step 0; the input's own has a mean above 0.

Var(logit) = n * std^2; own logit = n * std^2 / rms(x), x the final stream

Press and Wolf (2017) tie input and output embeddings.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
WIDTH, WORDS = 256, 2000
STDS = (0.01, 0.02, 0.04, 1 / 16, 0.1)
# --8<-- [end:imports]


# --8<-- [start:logits]
def tied_logits(std: float, added: float) -> tuple[Tensor, Tensor]:
    """Return the logits of all words, for inputs that are words 0 … 99.

    The stream is the embedding of the input plus blocks that add noise of
    second moment `added`; it is normalized and multiplied by the embeddings.

    Returns:
        Own logits, shape (100,), and those of other words, (100, 1900).
    """
    generator = torch.Generator().manual_seed(SEED)
    words = std * torch.randn(WORDS, WIDTH, generator=generator)
    noise = torch.randn(100, WIDTH, generator=generator)
    x = words[:100] + math.sqrt(added) * noise
    logits = torch.rms_norm(x, (WIDTH,)) @ words.T
    return logits[:, :100].diagonal(), logits[:, 100:]


def start_loss(std: float, added: float) -> float:
    """Return the predicted cross-entropy of step 0 for random targets.

    ln(V exp(s²/2) + exp(own)), s² = n std², own = s² / rms of the stream.

    >>> round(start_loss(0.001, 1.0), 2), round(math.log(2000), 2)
    (7.6, 7.6)
    """
    s2 = WIDTH * std**2
    own = s2 / math.sqrt(std**2 + added)
    return math.log(WORDS * math.exp(s2 / 2) + math.exp(own))


@functools.cache
def measured_loss(std: float, added: float) -> float:
    """Return the mean cross-entropy of targets other than the input."""
    own, others = tied_logits(std, added)
    total = torch.cat([own[:, None], others], 1)
    fraction = total.shape[1] / WORDS  # the other 99 inputs are left out
    return float(total.logsumexp(1).mean()) - math.log(fraction)


# --8<-- [end:logits]


if __name__ == "__main__":
    # --8<-- [start:demo]
    chance = math.log(WORDS)
    gpt2_variance, default_std = 768 * 0.02**2, math.sqrt(768)
    std = 0.04
    own_logit, loss, predicted = {}, {}, {}
    print("std     blocks add  others' std  own  loss  predicted")
    for added in (0.12, 0.0):
        own, others = tied_logits(std, added)
        own_logit[added] = own.mean()
        loss[added] = measured_loss(std, added)
        predicted[added] = start_loss(std, added)
        print(f"{std:<8}{added:<10}{others.std():13.2f}", end="")
        print(f"{own.mean():5.1f}{loss[added]:6.1f}{predicted[added]:9.1f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_loss]
def plot_loss() -> Figure:
    """Draw the loss of step 0 by the std of tied embeddings."""
    fig, ax = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
    curve = np.geomspace(STDS[0], STDS[-1], 60)
    rows = ((1.0, "blocks dominate the stream"), (0.0, "embedding alone"))
    for i, (added, name) in enumerate(rows):
        theory = [start_loss(float(std), added) for std in curve]
        label = "predicted" if i == 0 else None
        ax.plot(curve, theory, ls="--", lw=1, color="black", label=label)
        measured = [measured_loss(std, added) for std in STDS]
        ax.plot(STDS, measured, "os"[i], ms=5, color=f"C{i}", label=name)
    ax.axhline(math.log(WORDS), lw=1, color="0.5", label="ln V")
    ax.set_xscale("log")
    ax.set_xlabel("standard deviation of the embeddings")
    ax.set_ylabel("loss at step 0")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_loss()
    plt.show()
# --8<-- [end:plot_loss]
