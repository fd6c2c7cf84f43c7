"""The snippet of the landing page."""

import math

import pytest


@pytest.mark.proves("index-halves", kind="fact", effect="2⁵⁰", n="64")
def test_he_carries_the_signal_and_xavier_halves_it_in_each_layer(values) -> None:
    """The same inputs, layers and draws: only the factor of the initialization differs."""
    size = values("index")["size"]
    he, xavier = size["kaiming_normal_"], size["xavier_normal_"]
    # The same draws, scaled: Xavier's variance is half of He's, layer by layer.
    assert he / xavier == pytest.approx(2.0**50, rel=1e-3)
    # One network: ln of the mean square has variance about 5 · 50 / 512.
    assert abs(math.log(he)) < 4 * math.sqrt(5 * 50 / 512)
    # Wrong law: Xavier keeps the signal.
    assert abs(math.log(xavier)) > 4 * math.sqrt(5 * 50 / 512)
