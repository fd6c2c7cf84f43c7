"""Schedules and what they leave of the noise: the numerics of schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ports import INPUTS, Port, agree, random_rows

from x0.training import learning_rate, learning_rate_noise

Ports = Callable[..., Port]


def integers(low: list[int], high: list[int]) -> list[list[int]]:
    return random_rows([*map(float, low)], [*map(float, high)]).round().astype(int).tolist()


def test_schedules(port: Ports) -> None:
    schedules = port("schedules")
    rows: Any = [
        [step, period, factor]
        for (step, period), factor in zip(
            integers([0, 1], [3000, 900]), np.linspace(0.05, 1, INPUTS + 4), strict=True
        )
    ]
    agree(schedules("stepDecay(...row)", rows), [learning_rate.step_decay(*x) for x in rows])
    agree(schedules("stepDecay(...row)", [[7, 3]]), [learning_rate.step_decay(7, 3)])
    rows = [
        [min(a, b), b, floor]
        for (a, b), floor in zip(
            integers([0, 1], [3000, 3000]), np.linspace(0, 1, INPUTS + 4), strict=True
        )
    ]
    agree(schedules("cosine(...row)", rows), [learning_rate.cosine(*x) for x in rows], scale=1e-6)
    agree(schedules("cosine(...row)", [[7, 9]]), [learning_rate.cosine(7, 9)])


def test_one_curve_with_warmup_plateau_and_decay(port: Ports) -> None:
    schedules = port("schedules")
    total, warmup, plateau, floor = 300, 30, 60, 0.1
    given = f"{total}, {warmup}, {plateau}, {floor}"
    kinds = ("cosine", "line", "steps", "none")
    curves = {k: schedules(f'factor("{k}", row, {given})', range(total)) for k in kinds}
    for kind, curve in curves.items():
        agree(curve[:warmup], [(t + 1) / warmup for t in range(warmup)])
        assert set(curve[warmup : warmup + plateau + 1]) == {1}, kind
        assert (np.diff(curve[warmup:]) <= 0).all(), kind
    left = total - warmup - plateau
    agree(curves["cosine"][90:], [learning_rate.cosine(t, left, floor) for t in range(left)])
    agree(curves["line"][90:], [1 - 0.9 * t / left for t in range(left)])
    steps = [max(floor, learning_rate.step_decay(t, 70, 0.3)) for t in range(left)]
    agree(curves["steps"][90:], steps)
    assert set(curves["none"][90:]) == {1}
    # Without a plateau and warm-up it is the schedule of the module.
    found = schedules('factor("cosine", row, 90, 9, 0, 0)', range(90))
    agree(found, [learning_rate.warmup_cosine(t, 90, 9) for t in range(90)], scale=1e-6)
    deep = schedules('factor("steps", row, 90, 0, 0, 0.5)', range(90))
    assert min(deep) == 0.5


def test_floors(port: Ports) -> None:
    rows = [[r, e, n] for r, e, n in random_rows([0.001, 0.1, 0.1], [0.99, 2.0, 5.0])]
    wanted = [learning_rate_noise.noise_floor(*map(float, x)) for x in rows]
    agree(port("schedules")("noiseFloor(...row)", rows), wanted)


def test_predicted_errors(port: Ports) -> None:
    rates = np.random.default_rng(1).uniform(0, 1.9, (INPUTS // 10, 30))
    wanted = [
        learning_rate_noise.predicted_error(lambda t, r=row: float(r[t - 1]), 30) for row in rates
    ]
    agree(port("schedules")("predictedError(row)", rates), wanted)
    long = [[0.1] * 3000]
    (found,) = port("schedules")("predictedError(row)", long)
    agree(found, learning_rate_noise.predicted_error(lambda t: 0.1, 3000))
    (floor,) = port("schedules")("noiseFloor(...row)", [[0.1, 1, 1]])
    assert found[-1] == pytest.approx(floor)


@pytest.mark.parametrize(("rate", "skip"), [(0.1, 0), (0.1, 1500), (0.5, 2700), (0.02, 300)])
def test_the_error_of_an_average(port: Ports, rate: float, skip: int) -> None:
    """The expectation of what the module draws, within 4.5 standard errors."""
    steps = learning_rate_noise.STEPS
    (found,) = port("schedules")(f"averagedError(row, {skip})", [[rate] * steps])
    mean, error = learning_rate_noise.averaged_error(rate, skip)
    assert abs(found[-1] - mean) < 4.5 * error
    assert np.isnan(found[:skip]).all()
    assert found[skip] == pytest.approx(
        port("schedules")("predictedError(row)", [[rate] * steps])[0][skip]
    )


def test_the_error_of_an_average_under_a_schedule(port: Ports) -> None:
    """By enumeration of a short chain: the weights of the noise in the mean, squared."""
    rates = np.random.default_rng(2).uniform(0, 1.5, 9)
    for skip in (0, 3, 8):
        (found,) = port("schedules")(f"averagedError(row, {skip})", [rates])
        # e_t = 3 prod (1 - r) - sum of r_s prod (1 - r): coefficients of the start and of each noise.
        e = np.zeros(10)
        e[0] = 3
        total = np.zeros(10)
        for t, rate in enumerate(rates):
            if t >= skip:
                total += e
            e = e * (1 - rate)
            e[t + 1] -= rate
        assert found[-1] == pytest.approx(((total / (9 - skip)) ** 2).sum())
