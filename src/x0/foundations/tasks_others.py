"""Beyond classification and regression: the loss of an output of zero.

ranking ln 2 or ln n!, next token ln C, contrast ln m, noise 1 per entry

Burges et al. (2005); van den Oord et al. (2018); Ho et al. (2020);
Goodfellow et al. (2014); Williams (1992).
"""

# --8<-- [start:imports]
import torch
from torch import Tensor
from torch.nn import functional

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:ranking]
def pairwise_ranking(better: Tensor, worse: Tensor) -> Tensor:
    """Return the mean of ln(1 + e^-(z_1 - z_2)) over pairs of real scores.

    >>> round(float(pairwise_ranking(torch.zeros(5), torch.zeros(5))), 4)
    0.6931
    """
    return functional.softplus(worse - better).mean()


def listwise_ranking(z: Tensor) -> Tensor:
    """Return -ln of the chance to draw the items in their order.

    Args:
        z: real scores, shape (lists, items), the best item first.

    >>> round(float(listwise_ranking(torch.zeros(1, 3)).exp()), 3)
    6.0
    """
    rest = z.flip(1).logcumsumexp(1).flip(1)  # over the items not drawn yet
    return (rest - z).sum(1).mean()


# --8<-- [end:ranking]


# --8<-- [start:generation]
def next_token(z: Tensor, tokens: Tensor) -> Tensor:
    """Return -ln p per token: real z (m, T, C) predicts tokens (m, T)."""
    return functional.cross_entropy(z.flatten(0, 1), tokens.flatten())


def noise_prediction(z: Tensor, noise: Tensor) -> Tensor:
    """Return the squared error per entry of a diffusion model, real z."""
    return (z - noise).square().mean()


def adversarial(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Return the losses of a discriminator and of its generator.

    Args:
        real: outputs of the discriminator for data, real numbers.
        fake: its outputs for generated samples.
    """
    plus = functional.softplus
    return plus(-real).mean() + plus(fake).mean(), plus(-fake).mean()


# --8<-- [end:generation]


# --8<-- [start:selfsupervised]
def contrastive(one: Tensor, other: Tensor, scale: float = 0.1) -> Tensor:
    """Return InfoNCE: which of the m others belongs to each of the m ones?

    Args:
        one: representations of m samples, shape (m, n).
        other: representations of other views of them, in the same order.
        scale: what the cosine similarities are divided by.

    Raises:
        ValueError: the shapes differ, or the numbers are not real.

    >>> round(float(contrastive(torch.ones(8, 2), torch.ones(8, 2))), 4)
    2.0794
    """
    if one.shape != other.shape or one.ndim != 2 or not one.numel():
        shapes = f"{tuple(one.shape)}, {tuple(other.shape)}"
        raise ValueError(f"Expected two views of one shape. Received: {shapes}")
    if not one.is_floating_point():
        raise ValueError(f"Expected real numbers. Received: {one.dtype}")
    unit = [functional.normalize(x, dim=1, eps=1e-6) for x in (one, other)]
    similarity = unit[0] @ unit[1].T / scale
    own = torch.arange(len(one), device=one.device)
    return functional.cross_entropy(similarity, own)


def policy_gradient(z: Tensor, actions: Tensor, advantage: Tensor) -> Tensor:
    """Return -A ln p(action) of real logits z: its gradient is REINFORCE's."""
    log_p = functional.log_softmax(z, 1).gather(1, actions[:, None])[:, 0]
    return -(advantage * log_p).mean()


# --8<-- [end:selfsupervised]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    noise = torch.randn(200_000, generator=generator)
    tokens = torch.randint(1000, (4, 16), generator=generator)
    actions = torch.randint(6, (64,), generator=generator)
    zero = torch.zeros
    critic, generator_loss = adversarial(zero(8), zero(8))
    losses = {
        "pairwise": pairwise_ranking(zero(8), zero(8)),
        "listwise": listwise_ranking(zero(2, 5)),
        "next token": next_token(zero(4, 16, 1000), tokens),
        "diffusion": noise_prediction(zero(200_000), noise),
        "critic": critic,
        "generator": generator_loss,
        "contrast": contrastive(zero(64, 8), zero(64, 8)),
        "policy": policy_gradient(zero(64, 6), actions, torch.ones(64)),
    }
    predicted = {
        "pairwise": "ln 2",
        "listwise": "ln 5!",
        "next token": "ln 1000",
        "diffusion": "1",
        "critic": "2 ln 2",
        "generator": "ln 2",
        "contrast": "ln 64",
        "policy": "ln 6",
    }
    print("task         zero output  predicted")
    for name, loss in losses.items():
        print(f"{name:12}{loss:12.2f}  {predicted[name]}")
    # --8<-- [end:demo]
