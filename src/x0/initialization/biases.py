"""Biases start at zero, except where a constant says what is known already.

Forget gate: b = 1 or ln(T - 1);  rare class: b = ln(r / (1 - r)).

Gers et al. (2000); Jozefowicz et al. (2015); Lin et al. (2017), RetinaNet.
"""

# --8<-- [start:imports]
import math

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:set]
@torch.no_grad()
def zero_biases_(model: nn.Module) -> int:
    """Set every parameter whose name ends in a bias to 0; count them.

    >>> zero_biases_(nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 2)))
    3
    """
    names = [n for n, _ in model.named_parameters()]
    names = [n for n in names if "bias" in n.rpartition(".")[2]]
    for name in names:
        model.get_parameter(name).zero_()
    return len(names)


@torch.no_grad()
def forget_bias_(lstm: nn.LSTM, value: float = 1.0) -> nn.LSTM:
    """Set the biases of an LSTM to 0 and those of its forget gates to value.

    PyTorch adds two biases, bias_ih and bias_hh, in the order input,
    forget, cell, output; value is their sum.

    >>> lstm = forget_bias_(nn.LSTM(3, 2))
    >>> lstm.bias_ih_l0.tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    for name, bias in lstm.named_parameters():
        if name.startswith("bias"):
            bias.zero_()
        if name.startswith("bias_ih"):
            bias[lstm.hidden_size : 2 * lstm.hidden_size] = value
    return lstm


def prior_bias(rates: Tensor) -> Tensor:
    """Return the output bias that predicts the rates before any training.

    Args:
        rates: one rate for a sigmoid, or the shares of the classes of a
            softmax, which sum to 1.

    Raises:
        ValueError: a rate is not between 0 and 1.

    >>> round(float(prior_bias(torch.tensor(0.01))), 3)
    -4.595
    >>> prior_bias(torch.tensor([0.2, 0.8])).softmax(0)
    tensor([0.2000, 0.8000])
    """
    if bool(((rates <= 0) | (rates >= 1)).any()):
        raise ValueError(f"Expected rates between 0 and 1. Received: {rates=}")
    if rates.dim() == 0:
        return rates.logit()
    return rates.log()


# --8<-- [end:set]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the first loss for a rare class, and what a gate keeps."""
    values: dict[str, float | tuple[float, float]] = {}
    rate = torch.tensor(0.01)
    target = torch.zeros(1000)
    target[:10] = 1
    loss = nn.BCEWithLogitsLoss()
    print("first loss, rate 0.01:")
    starts = {"zero": torch.tensor(0.0), "prior": prior_bias(rate)}
    for key, bias in starts.items():
        value = float(loss(bias.expand(1000), target))
        values[f"loss_{key}"] = value
        print(f"  bias {float(bias):6.3f}    {value:.4f}")
    values["prior"] = float(prior_bias(rate))
    print("kept by a forget gate over 50 steps:")
    lstm = nn.LSTM(1, 1)
    for b in (0, 1, 2, math.log(49)):
        bias = forget_bias_(lstm, b).get_parameter("bias_ih_l0")
        gate = bias[1].sigmoid().item()
        values[f"kept_{b:.0f}"] = gate**50
        print(f"  bias {b:6.3f}    {gate**50:.1e}")
    print(f"biases of the LSTM set to zero: {zero_biases_(lstm)}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
