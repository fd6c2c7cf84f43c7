"""Zero biases, and two constants that say what is known already.

Forget gate: b = 1, or ln(T - 1) with -b for the input gate;
rare class: b = ln(r / (1 - r)).

Gers et al. (2000); Jozefowicz et al. (2015); Tallec and Ollivier (2018);
Lin et al. (2017), RetinaNet.
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
    """Set parameters with bias in the last part of their name to 0; count them.

    Raises:
        ValueError: one has no shape yet, in a lazy layer that never ran.

    >>> zero_biases_(nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 2)))
    3
    """
    names = [n for n, _ in model.named_parameters()]
    names = [n for n in names if "bias" in n.rpartition(".")[2]]
    parameters = [model.get_parameter(name) for name in names]
    if any(nn.parameter.is_lazy(p) for p in parameters):
        raise ValueError(f"Run lazy layers once first. Received: {names}")
    for parameter in parameters:
        parameter.zero_()
    return len(names)


@torch.no_grad()
def forget_bias_(lstm: nn.LSTM, value: float = 1.0) -> nn.LSTM:
    """Set the biases of an LSTM to 0 and those of its forget gates to value.

    PyTorch adds two biases, bias_ih and bias_hh, in the order input,
    forget, cell, output; value is their sum.

    Raises:
        ValueError: value is not finite in float32, there are no biases, or
            it is no LSTM.

    >>> lstm = forget_bias_(nn.LSTM(3, 2))
    >>> lstm.bias_ih_l0.tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    number = torch.tensor(float(value))
    known = isinstance(lstm, nn.LSTM)  # a GRU has no forget gate
    if not number.isfinite() or not known or not lstm.bias:
        raise ValueError(f"Nothing to set. Received: {value=}, {lstm}")
    for name, bias in lstm.named_parameters():
        if name.startswith("bias"):
            bias.zero_()
        if name.startswith("bias_ih"):
            bias[lstm.hidden_size : 2 * lstm.hidden_size] = number
    return lstm


@torch.no_grad()
def chrono_bias_(
    lstm: nn.LSTM, longest: float, generator: torch.Generator | None = None
) -> nn.LSTM:
    """Give each unit of an LSTM a time scale between 2 and longest steps.

    The forget gate gets b = ln(u) with u uniform on [1, longest - 1], the
    input gate -b, all other biases 0 (Tallec and Ollivier, 2018).

    Raises:
        ValueError: longest is not above 2 or huge, or it is no LSTM
            with biases.

    >>> lstm = chrono_bias_(nn.LSTM(3, 2), 1000)
    >>> i, f, _, _ = lstm.bias_ih_l0.chunk(4)
    >>> bool((i == -f).all()), bool((f >= 0).all())
    (True, True)
    """
    known = isinstance(lstm, nn.LSTM)  # a GRU has no forget gate
    if not known or not lstm.bias or not 2 < longest < 1e30:
        raise ValueError(
            "Expected an LSTM with biases, and 2 < longest < 1e30. "
            f"Received: {lstm}, {longest=}"
        )
    for name, bias in lstm.named_parameters():
        if name.startswith("bias"):
            bias.zero_()
        if name.startswith("bias_ih"):
            input_gate, forget_gate, _, _ = bias.chunk(4)
            forget_gate.uniform_(1, longest - 1, generator=generator).log_()
            input_gate.copy_(-forget_gate)
    return lstm


def prior_bias(rates: Tensor) -> Tensor:
    """Return the output bias that predicts the rates before any training.

    Args:
        rates: one rate for a sigmoid, without dimensions, or the shares of
            the classes of a softmax, which sum to 1.

    Raises:
        ValueError: a rate is not a real number between 0 and 1, or the
            shares do not sum to 1 within 0.01.

    >>> round(float(prior_bias(torch.tensor(0.01))), 3)
    -4.595
    >>> prior_bias(torch.tensor([0.2, 0.8])).softmax(0)
    tensor([0.2000, 0.8000])
    """
    real = rates.is_floating_point()
    if not real or not bool(((rates > 0) & (rates < 1)).all()):
        raise ValueError(f"Expected rates between 0 and 1. Received: {rates=}")
    if rates.dim() == 0:
        return rates.logit()
    if bool((rates.double().sum() - 1).abs() > 0.01):  # [r] is no softmax
        raise ValueError(f"Expected a sum of 1. Received: {rates=}")
    return rates.log()


# --8<-- [end:set]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rate = torch.tensor(0.01)
    target = torch.zeros(1000)
    target[:10] = 1
    loss = nn.BCEWithLogitsLoss()
    starts = {"zero": torch.tensor(0.0), "prior": prior_bias(rate)}
    first = {k: loss(bias.expand(1000), target) for k, bias in starts.items()}
    print("first loss, rate 0.01:")
    for k, bias in starts.items():
        print(f"  bias {bias:6.3f}    {first[k]:.4f}")

    lstm = nn.LSTM(1, 1)
    kept = []
    print("kept by a forget gate over 50 steps:")
    for b in (0, 1, 2, math.log(49)):
        gates = forget_bias_(lstm, b).get_parameter("bias_ih_l0").sigmoid()
        kept.append(gates[1].item() ** 50)
        print(f"  bias {b:6.3f}    {kept[-1]:.1e}")
    generator = torch.Generator().manual_seed(SEED)
    lstm = chrono_bias_(nn.LSTM(1, 1000), 50, generator)
    forget = lstm.get_parameter("bias_ih_l0").chunk(4)[1].sigmoid()
    spans = 1 / (1 - forget)
    print(f"chrono, 1000 units: {spans.min():.1f} to {spans.max():.1f} steps")
    print(f"biases of the LSTM set to zero: {zero_biases_(lstm)}")
    # --8<-- [end:demo]
