"""A Taylor series converges up to the nearest complex singularity.

radius = distance from the expansion point to that singularity

The coefficients are Cauchy's integral over a circle inside that radius,
which the trapezoidal rule turns into one FFT (Fornberg 1981).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

ComplexFunction = Callable[[NDArray[np.complex128]], NDArray[np.complex128]]
# --8<-- [end:imports]


# --8<-- [start:circle]
def circle_coefficients(
    function: ComplexFunction,
    expansion_point: float,
    order: int,
    radius: float,
) -> NDArray[np.float64]:
    """Return Taylor coefficients of a real analytic function by one FFT.

    Args:
        function: Accepts complex arrays; real on the real axis.
        expansion_point: Center of the circle.
        order: Highest degree k.
        radius: Radius of the circle, below the radius of convergence. The
            error of coefficient n is about 1e-16 * max|f| / radius^n.

    Returns:
        Coefficients of shape (order + 1,), lowest degree first.

    Raises:
        ValueError: If ``order`` is negative or ``radius`` is not positive,
            or if negative powers show that the circle is not inside the
            disk of convergence. Each message ends in "Received: ...".

    >>> circle_coefficients(np.exp, 0.0, 3, 1.0).round(6).tolist()
    [1.0, 1.0, 0.5, 0.166667]
    """
    center = np.isfinite(expansion_point)
    if order < 0 or not 0 < radius < np.inf or not center:
        raise ValueError(
            "order must be >= 0, radius > 0, all finite. Received: "
            f"order={order}, radius={radius}, {expansion_point=}"
        )
    with np.errstate(over="ignore"):
        largest = np.float64(radius) ** order
    if not 0 < largest < np.inf:
        raise ValueError(f"radius^order leaves float64. Received: {radius=}")
    points = 1 << max(9, (8 * int(order)).bit_length())
    circle = np.exp(2j * np.pi * np.arange(points) / points)
    with np.errstate(all="ignore"):
        values = function(expansion_point + radius * circle)
        powers = np.fft.fft(values) / points
    negative = np.abs(powers[points // 2 :]).max()
    largest = np.abs(powers).max()
    if not negative <= 1e-10 * largest:
        raise ValueError(
            "the function is not analytic in the disk, or its singularity "
            f"is too close to the circle. Received: radius={radius}"
        )
    scaled: NDArray[np.float64] = powers[: order + 1].real
    return scaled / radius ** np.arange(order + 1)


def radius_estimate(coefficients: NDArray[np.float64]) -> float:
    """Estimate the radius of convergence: not a bound.

    Finds the R for which the coefficients times R^n are equally large, in
    the mean square, in the second and in the last third.

    Args:
        coefficients: Lowest degree first, at least 24 of them.

    Returns:
        The estimate.

    Raises:
        ValueError: If there are fewer than 24, a third vanishes, one is not
            finite or their squares leave float64, with "Received: ...".

    >>> round(radius_estimate(0.5 ** np.arange(40.0)), 6)
    2.0
    """
    size = np.size(coefficients) // 3
    late = np.asarray(coefficients).reshape(-1)[-2 * size :]
    if (
        np.ndim(coefficients) != 1
        or size < 8
        or not (late[:size].any() and late[size:].any())
        or not np.isfinite(late).all()
    ):
        raise ValueError(
            "needs 24 coefficients or more, not all zero in a third. "
            f"Received: shape={np.shape(coefficients)}"
        )
    radius = 1.0
    for _ in range(8):
        with np.errstate(all="ignore"):
            scaled = np.square(late * radius ** np.arange(2 * size))
            ratio = scaled[:size].sum() / scaled[size:].sum()
        if not 0 < ratio < np.inf:
            raise ValueError(f"squares leave float64. Received: {late}")
        radius *= float(ratio) ** (0.5 / size)
    return radius


# --8<-- [end:circle]


if __name__ == "__main__":
    # --8<-- [start:demo]
    half_pi = math.pi / 2
    cases: list[tuple[str, ComplexFunction, float, float, float]] = [
        ("tanh x at 0", np.tanh, 0, 1.3, half_pi),
        ("tanh x at 1", np.tanh, 1, 1.5, math.hypot(1, half_pi)),
        ("1/(1+x²) at 0", lambda x: 1 / (1 + x**2), 0, 0.8, 1),
        ("1/(1+x²) at 1", lambda x: 1 / (1 + x**2), 1, 1.2, math.sqrt(2)),
        ("ln(1+x) at 0", np.log1p, 0, 0.8, 1),
    ]
    radii, distances = {}, {}
    for name, function, center, circle, distance in cases:
        coefficients = circle_coefficients(function, center, 47, circle)
        radii[name], distances[name] = radius_estimate(coefficients), distance
    tanh = circle_coefficients(np.tanh, 0.0, 47, 1.3)
    ratio = -tanh[33] / tanh[31]
    predicted = 1 / half_pi**2
    print(f"tanh: ratio {ratio:.5f}, predicted {predicted:.5f}")
    try:
        circle_coefficients(np.tanh, 0.0, 47, 1.6)
    except ValueError as message:
        print(str(message).replace(", or", ",\nor"))
    # --8<-- [end:demo]
