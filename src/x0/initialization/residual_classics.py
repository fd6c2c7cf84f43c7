"""The constants of the classic models, against the deviation of He.

n * Var(w) / 2 is the factor of the second moment per layer; He makes it 1

Krizhevsky et al. (2012), section 5; Simonyan and Zisserman (2015), 3.1.
"""

# --8<-- [start:imports]
import math
from statistics import NormalDist

ALEXNET = {
    "conv1": 3 * 11 * 11,
    "conv2": 48 * 5 * 5,
    "conv3": 256 * 3 * 3,
    "conv4": 192 * 3 * 3,
    "conv5": 192 * 3 * 3,
    "fc6": 256 * 6 * 6,
    "fc7": 4096,
    "fc8": 4096,
}
VGG16 = [3, 64, 64, 128, 128, 256, 256, 256] + [512] * 5
# --8<-- [end:imports]


# --8<-- [start:factors]
def layer_factor(fan_in: int, std: float) -> float:
    """Return n * Var(w) / 2, what a ReLU layer does to the second moment.

    >>> round(layer_factor(1200, 0.01), 3)
    0.06
    """
    return fan_in * std**2 / 2


def truncated_std(std: float, cut: float = 2.0) -> float:
    """Return the deviation of a normal law that is redrawn beyond cut * std.

    >>> round(truncated_std(0.02), 4)
    0.0176
    """
    normal = NormalDist()
    inside = 2 * normal.cdf(cut) - 1
    return std * math.sqrt(1 - 2 * cut * normal.pdf(cut) / inside)


# --8<-- [end:factors]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print factor and He / std for AlexNet; products for VGG-16."""
    values: dict[str, float | tuple[float, float]] = {}
    print("AlexNet  fan_in  factor  He / 0.01")
    for name, fan_in in ALEXNET.items():
        values[name] = layer_factor(fan_in, 0.01)
        values[f"{name}_ratio"] = math.sqrt(2 / fan_in) / 0.01
        row = f"{fan_in:6d}{values[name]:8.3f}{values[f'{name}_ratio']:11.1f}"
        print(f"{name:<8}{row}")
    values["alexnet"] = math.prod(values[name] for name in ALEXNET)
    for key, std in (("vgg_std", 0.01), ("vgg_variance", 0.1)):
        factors = [layer_factor(9 * channels, std) for channels in VGG16]
        values[key] = math.prod(factors)
        print(f"VGG-16, 13 convolutions, std {std}: {values[key]:.0e}")
    values["bert_std"] = truncated_std(0.02)
    values["bert_he"] = math.sqrt(2 / 768)
    values["bert_xavier"] = math.sqrt(1 / 768)
    values["gpt2_xl_xavier"] = math.sqrt(1 / 1600)
    print(f"BERT, truncated at 2 std: {values['bert_std']:.4f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
