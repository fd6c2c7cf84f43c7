"""What two of the recommended tools do: torch.nn.init and TensorFlow Playground."""

import pytest
import torch

from x0.reference import bibliography_tools


@pytest.mark.proves("bibliography-torch", kind="call")
def test_torch_has_the_initializers_that_the_book_speaks_of() -> None:
    """torch.nn.init fills in place, from a generator; it has no function named LeCun."""
    names = bibliography_tools.torch_initializers()
    wanted = {"xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"}
    assert wanted | {"orthogonal_", "trunc_normal_", "zeros_", "constant_"} <= set(names)
    assert not any("lecun" in name or "glorot" in name or name == "he_normal_" for name in names)
    weight = torch.empty(64, 32)
    for name in wanted:  # each works in place and returns what it was given
        assert getattr(torch.nn.init, name)(weight) is weight
        first, again = (
            getattr(torch.nn.init, name)(
                torch.empty(3, 4), generator=torch.Generator().manual_seed(1)
            )
            for _ in range(2)
        )
        assert torch.equal(first, again)


@pytest.mark.claim("A-56")
def test_playground_draws_the_same_weights_for_every_width(values) -> None:
    names = values("bibliography_tools")
    rows = zip(names["measured"], names["predicted"], strict=True)
    for layer, ((mean, error), theory) in enumerate(rows, 1):
        assert abs(mean - theory) < 4 * error
        assert error < 0.05 * theory
        # Wrong law: a variance of 1 / fan_in, which would keep the signal and add the biases.
        assert abs(mean - (1 + layer / 100)) > 4 * error
    # At most 8 units: a third is lost in each layer, until only the biases speak.
    assert names["predicted"][5] == pytest.approx(
        0.01 * sum((2 / 3) ** k for k in range(6)) + (2 / 3) ** 5 / 6
    )
    assert names["limit"] == pytest.approx(0.03)


def test_the_weights_are_uniform_on_an_interval_of_length_one() -> None:
    generator = torch.Generator().manual_seed(3)
    (z,) = bibliography_tools.playground([1, 1], 40_000, generator)
    weight = z - 0.1
    assert -0.5 <= weight.min() < -0.499
    assert 0.499 < weight.max() < 0.5
    assert abs(weight.var().item() - 1 / 12) < 4 / 12 * (0.8 / 40_000) ** 0.5
