"""The constants of the classic models, against He.

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
    return fan_in * std * std / 2


def truncated_std(std: float, cut: float = 2.0) -> float:
    """Return the std of a normal distribution redrawn beyond cut * std.

    The cut is at least 0.001 and finite.

    >>> round(truncated_std(0.02), 4)
    0.0176
    """
    normal = NormalDist()
    inside = 2 * normal.cdf(cut) - 1
    return std * math.sqrt(1 - 2 * cut * normal.pdf(cut) / inside)


# --8<-- [end:factors]


if __name__ == "__main__":
    # --8<-- [start:demo]
    factors = {name: layer_factor(n, 0.01) for name, n in ALEXNET.items()}
    ratios = {name: math.sqrt(2 / n) / 0.01 for name, n in ALEXNET.items()}
    print("AlexNet  fan_in  factor  He / 0.01")
    for name, n in ALEXNET.items():
        print(f"{name:<8}{n:6d}{factors[name]:8.3f}{ratios[name]:11.1f}")
    vgg = {}
    for std in (0.01, 0.1):
        vgg[std] = math.prod(layer_factor(9 * n, std) for n in VGG16)
        print(f"VGG-16, 13 convolutions, std {std}: {vgg[std]:.0e}")
    bert, xavier = truncated_std(0.02), math.sqrt(1 / 768)
    print(f"BERT, truncated at 2 std: {bert:.4f}")
    # --8<-- [end:demo]
