"""At the border of what they accept, and at the smallest sizes, the functions give what one finds by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from borders import names, near
from x0.training import (
    adaptive,
    adaptive_correction,
    adaptive_decay,
    adaptive_groups,
    adaptive_muon,
    datasets,
    datasets_condition,
    datasets_error,
    datasets_leakage,
    datasets_splits,
    early_stopping,
    early_stopping_minimum,
    early_stopping_ridge,
    learning_rate,
    learning_rate_limit,
    learning_rate_noise,
    learning_rate_range,
    learning_rate_stable,
    mini_batches,
    mini_batches_noise,
    mini_batches_stationary,
    momentum,
    momentum_cycle,
    momentum_noise,
    momentum_race,
    momentum_stability,
    reproducibility,
    reproducibility_floats,
)

ONE, TWO = torch.ones(1, dtype=torch.float64), torch.full((1,), 2.0, dtype=torch.float64)
RNG = np.random.default_rng


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def identity(x: float) -> float:
    return x


def stopped(patience: int, losses: list[float], min_delta: float = 0.0) -> list[bool]:
    stopper, model = early_stopping.EarlyStopping(patience, min_delta), nn.Linear(1, 1)
    return [stopper.should_stop(loss, model) for loss in losses]


def rates(**settings: Any) -> list[float]:
    def loss(model: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return model(batch[0]).square().mean()

    batches = [(torch.ones(1, 1),)] * 9
    return learning_rate_range.range_test(nn.Linear(1, 1), loss, batches, **settings)[0]


FOUND: list[tuple[Callable[[], Any], Any]] = [
    # without a memory RMSProp divides the gradient by its size
    (lambda: adaptive.rmsprop_step(ONE, TWO, ONE, 0.1, 0.0, 1e-30)[0], 0.9),
    (lambda: adaptive.rmsprop_step(ONE, TWO, ONE, 0.1, 0.0, 1e-30)[1], 4),
    (lambda: adaptive.rmsprop_step(ONE, TWO, 0 * ONE, 1.0, 0.75, 1.0)[0], 0),
    # the first step of Adam is as large as the rate, whatever the betas; epsilon counts once
    (lambda: adaptive.adam_step(ONE, TWO, 0 * ONE, 0 * ONE, 1, 0.1, (0.0, 0.0), 1e-30)[0], 0.9),
    (lambda: adaptive.adam_step(ONE, TWO, 0 * ONE, 0 * ONE, 1, 0.1, epsilon=1e-30)[0], 0.9),
    (lambda: adaptive.adam_step(ONE, TWO, 0 * ONE, 0 * ONE, 1, 0.1, epsilon=2.0)[0], 0.95),
    (lambda: adaptive.adam_step(ONE, TWO, 0 * ONE, 0 * ONE, 1, 0.1, epsilon=2.0)[1], 0.2),
    (lambda: adaptive.adam_step(ONE, TWO, 0 * ONE, 0 * ONE, 1, 0.1, epsilon=2.0)[2], 0.004),
    (lambda: adaptive.adam_step(TWO, 0 * TWO, ONE, ONE, 1, 0.1, (0.0, 0.0), 1.0, 0.5)[0], 1.9),
    (lambda: adaptive_correction.adam_directions(np.array([[-3.0, 0.0]]))[0], [-1, 0]),
    (lambda: adaptive_correction.adam_directions(np.array([[4.0]]), (0.0, 0.75), False)[0], [2]),
    (lambda: adaptive_correction.adam_directions(np.array([[4.0], [2.0]]), (0.0, 0.0))[1], [1]),
    (lambda: adaptive_correction.adam_directions(np.empty((0, 3))).shape, (0, 3)),
    (lambda: adaptive_muon.lion_step(ONE, TWO, 0 * ONE, 0.1, (0.0, 0.0))[0], 0.9),
    (lambda: adaptive_muon.lion_step(ONE, TWO, -9 * ONE, 0.1, (0.9, 0.5), 1.0)[0], 1.0),
    (lambda: adaptive_muon.lion_step(ONE, TWO, -9 * ONE, 0.1, (0.9, 0.5), 1.0)[1], -3.5),
    (lambda: datasets.stratified_split(np.array([0, 0]), 0.01, RNG(0))[1].size, 1),
    (lambda: datasets.stratified_split(np.array([0, 0]), 0.99, RNG(0))[0].size, 1),
    (lambda: datasets.grouped_split(np.array([3, 3, 7]), 0.01, RNG(0))[1].size in (1, 2), True),
    (lambda: datasets.grouped_split(np.array([3, 3, 7]), 0.99, RNG(0))[0].size in (1, 2), True),
    (lambda: datasets.temporal_split(np.array([5.0, 3.0]), 0.5), ([1], [0])),
    (lambda: datasets.temporal_split(np.array([5.0, 3.0]), 0.5, 1.0), ([1], [0])),
    (lambda: datasets.temporal_split(np.array([5.0, 3.0]), 0.01), ([1], [0])),
    (lambda: datasets.temporal_split(np.array([0.0, 1.0, 2.0, 3.0]), 0.5, 1.0), ([0], [2, 3])),
    (lambda: datasets.fit_scaler(np.array([[4.0, 0.5]])), [[4, 0.5], [1, 1]]),
    (lambda: datasets_condition.input_condition(np.array([[1.0], [-1.0]])), 1),
    # Wilson's interval of one sample: the ends solve (p - q)² = z² q (1 - q)
    (lambda: datasets_error.accuracy_interval(0, 1, 1.0), (0, 0.5)),
    (lambda: datasets_error.accuracy_interval(1, 1, 1.0), (0.5, 1)),
    (lambda: datasets_error.accuracy_interval(1, 2, 1e-9), (0.5, 0.5)),
    (lambda: datasets_leakage.select_features(np.eye(2), np.array([1.0, -3.0]), 1), [1]),
    (lambda: datasets_leakage.select_features(np.eye(2), np.array([1.0, -3.0]), 2), [1, 0]),
    (lambda: datasets_splits.chance_without(3, 0, 0), 1),
    (lambda: datasets_splits.chance_without(3, 3, 3), 0),
    (lambda: datasets_splits.chance_without(3, 1, 1), 2 / 3),
    (lambda: datasets_splits.chance_without(0, 0, 0), 1),
    (lambda: stopped(1, [2.0, 2.0]), [False, True]),
    (lambda: stopped(1, [2.0, 1.0, 0.5, 0.5], 0.5), [False, False, True, True]),
    (lambda: stopped(1, [math.inf]), [True]),
    (lambda: early_stopping.EarlyStopping().best_check, -1),
    (lambda: early_stopping_minimum.expected_maximum(1), 0),
    (lambda: early_stopping_minimum.expected_maximum(2), 1 / math.sqrt(math.pi)),
    (lambda: early_stopping_minimum.expected_maximum(3), 1.5 / math.sqrt(math.pi)),
    (lambda: early_stopping_ridge.stopped_filter(np.array([2.0, 0.0]), 0.25, 0), [0, 0]),
    (lambda: early_stopping_ridge.stopped_filter(np.array([2.0, 0.0]), 0.25, 2), [0.75, 0]),
    (lambda: early_stopping_ridge.stopped_filter(np.array([2.0]), 0.999, 1), [1.998]),
    (lambda: early_stopping_ridge.ridge_filter(np.array([2.0]), 0.0), [1]),
    (lambda: early_stopping_ridge.ridge_filter(np.array([2.0]), 6.0), [0.25]),
    (lambda: [learning_rate.step_decay(step, 1, 0.5) for step in range(3)], [1, 0.5, 0.25]),
    (lambda: learning_rate.step_decay(2, 2), 0.1),
    (lambda: learning_rate.step_decay(5, 2, 1.0), 1),
    (lambda: [learning_rate.cosine(step, 1) for step in (0, 1)], [1, 0]),
    (lambda: learning_rate.cosine(1, 3, 0.2), 0.8),
    (lambda: learning_rate.cosine(3, 3, 1.0), 1),
    (lambda: [learning_rate.warmup_cosine(step, 2, 1) for step in range(3)], [1, 1, 0]),
    (lambda: [learning_rate.warmup_cosine(step, 1, 0, 0.5) for step in range(2)], [1, 0.5]),
    (lambda: [learning_rate.warmup_cosine(step, 4, 2) for step in range(5)], [0.5, 1, 1, 0.5, 0]),
    # 9 steps, a rise to step 4: half way up at 2, half way down at 6
    (lambda: learning_rate.one_cycle(0, 9, 5 / 9), 1 / 25),
    (lambda: learning_rate.one_cycle(2, 9, 5 / 9), (1 + 1 / 25) / 2),
    (lambda: learning_rate.one_cycle(4, 9, 5 / 9), 1),
    (lambda: learning_rate.one_cycle(6, 9, 5 / 9), (1 + 1 / 250_000) / 2),
    (lambda: [learning_rate.one_cycle(step, 9, 5 / 9) for step in (8, 9)], [1 / 250_000] * 2),
    (lambda: learning_rate_limit.distance_after(0.0, 0), learning_rate_limit.distance_after(0.0)),
    (lambda: learning_rate_noise.noise_floor(1.0, 1.0, 3.0), 3),
    (lambda: learning_rate_noise.noise_floor(1.999, 1.0, 1.0), 1999),
    (lambda: learning_rate_noise.predicted_error(lambda t: 0.5, 2), [9, 2.5]),
    (lambda: learning_rate_noise.mean_square_error(lambda t: 0.5, 1), [9]),
    (lambda: rates(low=0.001, high=0.004, steps=2), [0.001, 0.004]),
    (lambda: rates(low=0.001, high=0.004, steps=3), [0.001, 0.002, 0.004]),
    (lambda: learning_rate_range.suggest_rate([1.0, 2.0, 3.0, 4.0, 5.0], [1.0] * 5), 1.5),
    (
        lambda: learning_rate_range.suggest_rate([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [9.0, *[1.0] * 5]),
        2,
    ),
    (
        lambda: [learning_rate_stable.warmup_stable_decay(step, 2, 1, 1) for step in range(3)],
        [1, 1, 0],
    ),
    (
        lambda: [learning_rate_stable.warmup_stable_decay(step, 4, 2, 2) for step in range(5)],
        [0.5, 1, 1, 0.5, 0],
    ),
    (lambda: learning_rate_stable.warmup_stable_decay(0, 1, 0, 1), 1),
    (lambda: [learning_rate_stable.inverse_root(step, 1) for step in (0, 3)], [1, 0.5]),
    (lambda: learning_rate_stable.inverse_root(0, 2), 0.5),
    (lambda: [len(x) for x in mini_batches.epoch_batches(3, 1, generator())], [1, 1, 1]),
    (lambda: [len(x) for x in mini_batches.epoch_batches(3, 2, generator())], [2, 1]),
    (lambda: [len(x) for x in mini_batches.epoch_batches(3, 3, generator())], [3]),
    (lambda: mini_batches_noise.batch_counts(2, 2, False, generator()).unique(), [1]),
    (lambda: mini_batches_noise.batch_counts(1, 3, True, generator()).unique(), [3]),
    # all targets are one number: each step takes the rate's share of the way
    (
        lambda: mini_batches_stationary.sgd_chains(4 * ONE, 0.5, 1, 2, True, generator()).unique(),
        [3],
    ),
    (
        lambda: mini_batches_stationary.sgd_chains(
            4 * torch.ones(2), 0.5, 1, 1, False, generator()
        ).unique(),
        [3],
    ),
    (
        lambda: mini_batches_stationary.sgd_chains(
            4 * torch.ones(2), 0.5, 2, 1, False, generator()
        ).unique(),
        [2],
    ),
    (lambda: momentum.momentum_step(ONE, TWO, None, 0.25, 0.5), (0.5, 2)),
    (lambda: momentum.momentum_step(ONE, TWO, 4 * ONE, 0.25, 0.5, 0.5), (0.25, 3)),
    (lambda: momentum.momentum_step(ONE, TWO, 4 * ONE, 0.25, 0.5, nesterov=True), (0, 4)),
    (lambda: momentum.momentum_step(ONE, TWO, None, 0.25, 1e-300, nesterov=True), (0.5, 2)),
    (lambda: momentum_cycle.bent_slope(1.5), 25.5),
    (lambda: momentum_cycle.momentum_path(identity, 8.0, 0.5, 0.0, 2), [8, 4, 2]),
    (lambda: momentum_cycle.momentum_path(identity, 8.0, 0.5, 0.5, 2), [8, 4, 0]),
    (lambda: momentum_cycle.momentum_path(identity, 8.0, 0.5, 0.5, 2, True), [8, 4, 1]),
    (lambda: momentum_cycle.momentum_path(identity, 8.0, 0.5, 0.5, 0), [8]),
    (lambda: momentum_noise.momentum_variance(1.0, 1.0, 0.0), 1),
    (lambda: momentum_noise.momentum_variance(1.0, 1.0, 0.5), 1.5 / (0.5 * 2)),
    (lambda: momentum_noise.momentum_variance(1.999, 1.0, 0.0), 1999),
    (lambda: momentum_race.best_heavy_ball(4.0, 4.0), (0.25, 0)),
    (lambda: momentum_race.best_heavy_ball(1.0, 9.0), (0.25, 0.25)),
    (lambda: momentum_stability.heavy_ball_radius([0.5, 2.0, 3.0], 0.0), [0.5, 1, 2]),
    (lambda: momentum_stability.heavy_ball_radius(0.0, 0.25), 1),
    (lambda: reproducibility.stream_entropy(0, "a").entropy, [0, 97]),
    (lambda: reproducibility_floats.chunked_sum(np.array([3], np.float32), 1), 3),
    (lambda: reproducibility_floats.chunked_sum(np.array([1, 2, 4, 8], np.float32), 2), 15),
    # 2²⁴ + 1 is no float32: the order decides
    (lambda: reproducibility_floats.chunked_sum(np.array([2**24, 1, 1], np.float32), 1), 2**24),
    (
        lambda: reproducibility_floats.chunked_sum(np.array([1, 1, 2**24, 0], np.float32), 2),
        2**24 + 2,
    ),
]
REJECTED: list[Callable[[], Any]] = [
    lambda: adaptive.rmsprop_step(ONE, TWO, ONE, 0.1, -1e-9),
    lambda: adaptive.rmsprop_step(ONE, TWO, ONE, 0.1, 1.0),
    lambda: adaptive.rmsprop_step(ONE, TWO, ONE, 0.1, 0.9, 0.0),
    lambda: adaptive.rmsprop_step(ONE, torch.ones(2), ONE, 0.1),
    lambda: adaptive.rmsprop_step(ONE.long(), ONE.long(), ONE.long(), 0.1, epsilon=1.0),
    lambda: adaptive.adam_step(ONE, TWO, ONE, ONE, 0, 0.1),
    lambda: adaptive.adam_step(ONE, TWO, ONE, torch.ones(2), 1, 0.1),
    lambda: adaptive_correction.adam_directions(np.ones((1, 1)), (1.0, 0.9)),
    lambda: adaptive_correction.adam_directions(np.ones((1, 1)), (0.9, 1.0)),
    lambda: adaptive_correction.adam_directions(np.ones((1, 1)), (-1e-9, 0.9)),
    lambda: adaptive_correction.adam_directions(np.ones(1)),
    lambda: adaptive_decay.mean_weight(True, 0.0),
    lambda: adaptive_groups.muon_and_adamw(nn.Linear(2, 2), nn.Linear(2, 2), -1e-9),
    lambda: adaptive_groups.muon_and_adamw(nn.Linear(2, 2), nn.Linear(2, 2), math.inf),
    lambda: adaptive_groups.muon_and_adamw(nn.Linear(2, 2), nn.Linear(2, 2), 0.1, -1e-9),
    lambda: adaptive_groups.muon_and_adamw(nn.Linear(2, 2), nn.Linear(2, 2), 0.1, math.inf),
    lambda: adaptive_muon.lion_step(ONE, torch.ones(2), ONE, 0.1),
    lambda: adaptive_muon.orthogonalize(torch.ones(2)),
    lambda: adaptive_muon.orthogonalize(torch.ones(2, 2).long()),
    lambda: datasets.stratified_split(np.array([0, 0]), 0.0, RNG(0)),
    lambda: datasets.stratified_split(np.array([0, 0]), 1.0, RNG(0)),
    lambda: datasets.stratified_split(np.array([0, 0, 1]), 0.5, RNG(0)),
    lambda: datasets.stratified_split(np.array([], int), 0.5, RNG(0)),
    lambda: datasets.stratified_split(np.zeros((2, 2), int), 0.5, RNG(0)),
    lambda: datasets.grouped_split(np.array([0, 1]), 0.0, RNG(0)),
    lambda: datasets.grouped_split(np.array([0, 1]), 1.0, RNG(0)),
    lambda: datasets.grouped_split(np.array([1, 1]), 0.5, RNG(0)),
    lambda: datasets.grouped_split(np.array([[0, 1]]), 0.5, RNG(0)),
    lambda: datasets.temporal_split(np.arange(4.0), 0.0),
    lambda: datasets.temporal_split(np.arange(4.0), 1.0),
    lambda: datasets.temporal_split(np.arange(4.0), 0.5, -1e-9),
    lambda: datasets.temporal_split(np.arange(4.0), 0.5, 2.0),
    lambda: datasets.temporal_split(np.arange(1.0), 0.5),
    lambda: datasets.temporal_split(np.array([0.0, math.nan, 2.0]), 0.5),
    lambda: datasets.temporal_split(np.ones((2, 2)), 0.5),
    lambda: datasets.fit_scaler(np.ones(3)),
    lambda: datasets.fit_scaler(np.ones((0, 3))),
    lambda: datasets.fit_scaler(np.array([["a"]])),
    lambda: datasets.fit_scaler(np.array([[math.inf]])),
    lambda: datasets_condition.input_condition(np.ones((2, 1))),
    lambda: datasets_condition.input_condition(np.ones(2)),
    lambda: datasets_condition.input_condition(np.ones((0, 2))),
    lambda: datasets_error.accuracy_interval(0, 0),
    lambda: datasets_error.accuracy_interval(-1, 1),
    lambda: datasets_error.accuracy_interval(2, 1),
    lambda: datasets_error.accuracy_interval(1, 1, 0.0),
    lambda: datasets_leakage.select_features(np.eye(2), np.ones(2), 0),
    lambda: datasets_leakage.select_features(np.eye(2), np.ones(2), 3),
    lambda: datasets_splits.chance_without(3, -1, 1),
    lambda: datasets_splits.chance_without(3, 4, 1),
    lambda: datasets_splits.chance_without(3, 1, -1),
    lambda: datasets_splits.chance_without(3, 1, 4),
    lambda: early_stopping.EarlyStopping(0),
    lambda: early_stopping.EarlyStopping(1, -1e-9),
    lambda: early_stopping.EarlyStopping(1, math.inf),
    lambda: early_stopping.EarlyStopping().should_stop(torch.ones(2), nn.Linear(1, 1)),
    lambda: early_stopping.EarlyStopping().restore(nn.Linear(1, 1)),
    lambda: early_stopping_minimum.expected_maximum(0),
    lambda: early_stopping_ridge.stopped_filter(np.array([2.0]), 0.5, -1),
    lambda: early_stopping_ridge.stopped_filter(np.array([2.0]), 1.0, 1),
    lambda: early_stopping_ridge.stopped_filter(np.array([2.0]), 0.0, 1),
    lambda: early_stopping_ridge.stopped_filter(np.array([0.0]), 0.5, 1),
    lambda: early_stopping_ridge.ridge_filter(np.array([2.0]), -1e-9),
    lambda: learning_rate.step_decay(-1, 1),
    lambda: learning_rate.step_decay(0, 0),
    lambda: learning_rate.step_decay(0, 1, 0.0),
    lambda: learning_rate.step_decay(0, 1, 1.001),
    lambda: learning_rate.cosine(-1, 2),
    lambda: learning_rate.cosine(3, 2),
    lambda: learning_rate.cosine(0, 0),
    lambda: learning_rate.cosine(0, 1, -0.001),
    lambda: learning_rate.cosine(0, 1, 1.001),
    lambda: learning_rate.warmup_cosine(0, 2, -1),
    lambda: learning_rate.warmup_cosine(0, 2, 2),
    lambda: learning_rate.warmup_cosine(-1, 2, 1),
    lambda: learning_rate.warmup_cosine(3, 2, 1),
    lambda: learning_rate.one_cycle(-1, 9),
    lambda: learning_rate.one_cycle(10, 9),
    lambda: learning_rate.one_cycle(0, 8, 1 / 8),
    lambda: learning_rate.one_cycle(0, 8, 1.0),
    lambda: learning_rate_limit.distance_after(-1e-9),
    lambda: learning_rate_limit.distance_after(math.inf),
    lambda: learning_rate_limit.distance_after(0.1, -1),
    lambda: learning_rate_noise.noise_floor(0.0, 1.0, 1.0),
    lambda: learning_rate_noise.noise_floor(2.0, 1.0, 1.0),
    lambda: rates(low=0.0, high=1.0),
    lambda: rates(low=1.0, high=1.0),
    lambda: rates(low=0.1, high=1.0, steps=1),
    lambda: learning_rate_range.suggest_rate([1.0] * 4, [1.0] * 4),
    lambda: learning_rate_range.suggest_rate([1.0] * 6, [1.0] * 5),
    lambda: learning_rate_stable.warmup_stable_decay(-1, 4, 1, 1),
    lambda: learning_rate_stable.warmup_stable_decay(5, 4, 1, 1),
    lambda: learning_rate_stable.warmup_stable_decay(0, 4, -1, 1),
    lambda: learning_rate_stable.warmup_stable_decay(0, 4, 3, 2),
    lambda: learning_rate_stable.warmup_stable_decay(0, 4, 1, 0),
    lambda: learning_rate_stable.inverse_root(-1, 1),
    lambda: learning_rate_stable.inverse_root(0, 0),
    lambda: list(mini_batches.epoch_batches(3, 0, generator())),
    lambda: list(mini_batches.epoch_batches(3, 4, generator())),
    lambda: mini_batches_noise.batch_counts(2, 3, False, generator()),
    lambda: mini_batches_stationary.sgd_chains(ONE, 0.5, 0, 1, True, generator()),
    lambda: mini_batches_stationary.sgd_chains(torch.ones(3), 0.5, 2, 1, True, generator()),
    lambda: mini_batches_stationary.sgd_chains(torch.ones(0), 0.5, 1, 1, True, generator()),
    lambda: mini_batches_stationary.sgd_chains(ONE.long(), 0.5, 1, 1, True, generator()),
    lambda: mini_batches_stationary.sgd_chains(ONE[None], 0.5, 1, 1, True, generator()),
    lambda: momentum.momentum_step(ONE, TWO, None, 0.1, 0.0, nesterov=True),
    lambda: momentum.momentum_step(ONE, TWO, None, 0.1, 0.5, 0.5, nesterov=True),
    lambda: momentum.momentum_step(ONE, torch.ones(2), None, 0.1, 0.5),
    lambda: momentum.momentum_step(ONE, TWO, torch.ones(2), 0.1, 0.5),
    lambda: momentum_cycle.momentum_path(identity, 1.0, 0.1, -1e-9, 1),
    lambda: momentum_cycle.momentum_path(identity, 1.0, 0.1, 1.0, 1),
    lambda: momentum_noise.momentum_variance(1.0, 1.0, -1e-9),
    lambda: momentum_noise.momentum_variance(1.0, 1.0, 1.0),
    lambda: momentum_noise.momentum_variance(0.0, 1.0, 0.5),
    lambda: momentum_noise.momentum_variance(3.0, 1.0, 0.5),
    lambda: momentum_race.best_heavy_ball(0.0, 1.0),
    lambda: momentum_race.best_heavy_ball(2.0, 1.0),
    lambda: momentum_stability.heavy_ball_radius(0.5, -1e-9),
    lambda: reproducibility.stream_entropy(-1, "a"),
    lambda: reproducibility.stream_entropy(0, ""),
    lambda: reproducibility_floats.chunked_sum(np.ones(2, np.float32), 0),
    lambda: reproducibility_floats.chunked_sum(np.ones(3, np.float32), 2),
    lambda: reproducibility_floats.chunked_sum(np.ones(0, np.float32), 1),
    lambda: reproducibility_floats.chunked_sum(np.ones((2, 2), np.float32), 1),
]


@pytest.mark.parametrize(("call", "expected"), FOUND, ids=[names(call) for call, _ in FOUND])
def test_at_the_border_and_at_the_smallest_size(call: Callable[[], Any], expected: Any) -> None:
    assert near(call(), expected)


@pytest.mark.parametrize("call", REJECTED, ids=[names(call) for call in REJECTED])
def test_beyond_the_border_nothing_is_accepted(call: Callable[[], Any]) -> None:
    with pytest.raises(
        (ValueError, RuntimeError), match=r"Received|No finite loss|Only one|Unstable"
    ):
        call()
