"""Steps with momentum, their factors and their best constants: the numerics of descent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from ports import INPUTS, Port, agree, random_rows

from x0.training import momentum_race, momentum_stability
from x0.training.momentum import momentum_step

Ports = Callable[..., Port]


def test_steps(port: Ports) -> None:
    """Three steps with a gradient of its own each, with and without dampening and Nesterov."""
    rng = np.random.default_rng(1)
    rows = [
        [
            rng.normal(size=3),
            rng.normal(size=(3, 3)).ravel(),
            [*rng.uniform(0, 4, 1), *rng.uniform(0.01, 1, 2)],
        ]
        for _ in range(INPUTS)
    ]
    rows = [[list(map(float, part)) for part in row] for row in rows]
    flat = [[*a, *b, *c] for a, b, c in rows]
    body = """(() => {
      let [theta, m] = [row.slice(0, 3), null];
      const [rate, beta, dampening] = row.slice(12);
      for (let k = 0; k < 3; k++) {
        const g = row.slice(3 + 3 * k, 6 + 3 * k);
        [theta, m] = momentumStep(theta, g, m, rate, beta, i % 2 ? 0 : dampening, i % 2 === 1);
      }
      return [...theta, ...m];
    })()"""
    wanted = []
    for i, row in enumerate(flat):
        theta, m = torch.tensor(row[:3], dtype=torch.float64), None
        rate, beta, dampening = row[12:]
        for k in range(3):
            g = torch.tensor(row[3 + 3 * k : 6 + 3 * k], dtype=torch.float64)
            theta, m = momentum_step(
                theta, g, m, rate, beta, 0.0 if i % 2 else dampening, i % 2 == 1
            )
        assert m is not None
        wanted.append([*theta.tolist(), *m.tolist()])
    agree(port("descending")(body, flat), wanted, scale=1e-3)
    (start,) = port("descending")("momentumStep([1], [2], null, 0.1, 0.9, 0.5)", [0])
    assert start == [[0.8], [2]]


def test_factors(port: Ports) -> None:
    rows = random_rows([0.0, 0.0], [4.0, 0.99])
    wanted = momentum_stability.heavy_ball_radius(rows[:, 0], rows[:, 1])
    # Where both roots meet, rounding under the square root is what both differ by.
    agree(port("descending")("heavyBallRadius(...row)", rows), wanted, 1e-9, scale=0)
    step, beta = rows.T
    matrix = np.zeros((len(rows), 2, 2))
    matrix[:, 0, 0], matrix[:, 0, 1] = (1 + beta) * (1 - step), -beta * (1 - step)
    matrix[:, 1, 0] = 1
    agree(
        port("descending")("nesterovRadius(...row)", rows),
        np.abs(np.linalg.eigvals(matrix)).max(-1),
        1e-7,  # a double root of the matrix is known to half the digits
    )


def test_best_constants(port: Ports) -> None:
    rows = np.exp(random_rows([-7.0, 0.0], [0.0, 7.0]))
    for js, best in (
        ("bestHeavyBall", momentum_race.best_heavy_ball),
        ("bestNesterov", momentum_race.best_nesterov),
    ):
        agree(
            port("descending")(f"{js}(...row)", rows),
            [best(*map(float, x)) for x in rows],
            scale=1e-6,
        )


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_path_is_made_of_steps_and_has_the_predicted_factor(port: Ports, nesterov: bool) -> None:
    flag = str(nesterov).lower()
    rows = random_rows([1e-3, 0.02, 0.01], [1.0, 4.0, 0.99], INPUTS // 8)
    body = f"descentPath([row[0], 1], [-3, 1.6], row[1], row[2], {flag}, 12)"
    wanted = []
    for low, rate, beta in rows.tolist():
        curvature = torch.tensor([low, 1.0], dtype=torch.float64)
        theta, m = torch.tensor([-3.0, 1.6], dtype=torch.float64), None
        path = [theta.tolist()]
        for _ in range(12):
            theta, m = momentum_step(theta, curvature * theta, m, rate, beta, 0.0, nesterov)
            path.append(theta.tolist())
        wanted.append(path)
    agree(port("descending")(body, rows), wanted, scale=1e-3)
    radius = "nesterovRadius" if nesterov else "heavyBallRadius"
    for low, rate, beta in [(0.05, 0.5, 0.3), (0.01, 1.3, 0.0), (0.1, 2.9, 0.6)]:
        if nesterov and beta == 0:
            continue
        body = f"descentPath([row[0], 1], [-3, 1.6], row[1], row[2], {flag}, 900).map((x) => Math.hypot(...x))"
        (far,) = port("descending")(body, [[low, rate, beta]])
        factor = max(port("descending")(f"{radius}(row, {beta})", [rate * low, rate]))
        if far[600] > 1e-280 and far[900] < 1e280:
            assert (far[900] / far[600]) ** (1 / 300) == pytest.approx(factor, rel=5e-3)
