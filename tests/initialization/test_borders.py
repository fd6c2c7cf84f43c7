"""At the border of what they accept, and at the smallest sizes, the functions give what one finds by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from borders import names, near
from x0.initialization import (
    beyond,
    biases,
    biases_relu,
    frameworks,
    frameworks_fans,
    frameworks_half,
    frameworks_truncated,
    he,
    he_depth,
    he_fans,
    he_moments,
    he_width,
    lecun,
    lecun_depth,
    lecun_inputs,
    mean_field,
    mean_field_correlation,
    mean_field_edge,
    mean_field_gelu,
    mean_field_quadrature,
    normalization,
    optimizers,
    optimizers_invented,
    optimizers_momentum,
    optimizers_recipe,
    orthogonal,
    orthogonal_convolution,
    orthogonal_lsuv,
    orthogonal_relatives,
    orthogonal_spectrum,
    residual,
    residual_fixup,
    residual_gates,
    seeds,
    symmetry,
    symmetry_width_one,
    transformers_gated,
    transformers_zero,
    why_cases,
    why_logistic,
    xavier,
    xavier_activations,
    xavier_decay,
    xavier_gains,
    xavier_gradients,
    xavier_moments,
    xavier_rates,
    xavier_widths,
)

RNG = np.random.default_rng
INT = torch.ones(2, 2, dtype=torch.int64)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def empty(*shape: int) -> Tensor:
    return torch.empty(shape, dtype=torch.float64)


def same(x: Any) -> Any:
    return x


def relu(z: Tensor) -> Tensor:
    return torch.relu(z)


def square(z: Tensor) -> Tensor:
    return z**2


def lstm(bias: bool = True) -> nn.LSTM:
    return nn.LSTM(1, 1, bias=bias)


def gram(weight: Tensor) -> Tensor:
    return weight.flatten(1) @ weight.flatten(1).T


def linear(out: int = 1) -> nn.Linear:
    return nn.Linear(2, out, bias=False)


def scaled(variance: float) -> tuple[nn.Sequential, Tensor]:
    """A layer whose outputs on the batch 1, -1 have the variance that is asked for."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False)).double()
    nn.init.constant_(model[0].weight, math.sqrt(variance))
    return model, torch.tensor([[1.0], [-1.0]], dtype=torch.float64)


def rescaled(variance: float, tol: float, steps: int) -> int:
    model, batch = scaled(variance)
    with torch.no_grad():
        return orthogonal_lsuv.unit_variance_(model, batch, "0", model[0].weight, tol, steps)


# 1 / (1 + e^-z) has its value 1/2 and its slope 1/4 at 0.
FOUND: list[tuple[Callable[[], Any], Any]] = [
    (lambda: [*beyond.LowRankLinear(nn.Linear(3, 2), 1, generator()).b.shape], [2, 1]),
    (lambda: biases.forget_bias_(lstm(), 0.0).bias_ih_l0, [0] * 4),
    (lambda: biases.forget_bias_(lstm()).bias_ih_l0, [0, 1, 0, 0]),
    (lambda: biases.forget_bias_(lstm()).bias_hh_l0, [0] * 4),
    (lambda: biases.chrono_bias_(lstm(), 2.0 + 1e-6).bias_ih_l0.abs() < 1e-5, [True] * 4),
    (lambda: biases.prior_bias(torch.tensor(0.5)), 0),
    (lambda: biases.prior_bias(torch.tensor([0.5, 0.5]).double()), [-math.log(2), -math.log(2)]),
    (lambda: biases_relu.biased_map(0.0, 1), ([2], [0.5])),
    (lambda: biases_relu.biased_map(0.0, 2), ([2, 2], [0.5, 0.5])),
    (lambda: [*frameworks.constructed(linear, ["weight"], 1)["weight"].shape], [1, 1, 2]),
    (lambda: frameworks_fans.forward_factor(nn.Identity, [2 * torch.ones(1, 3)], 1), [4]),
    (lambda: frameworks_half.zero_share(1e-30, torch.float16), 1),
    (lambda: frameworks_half.zero_share(1.0, torch.float32), 0),
    (lambda: frameworks_truncated.kept_std(0.001) * math.sqrt(3) / 0.001, 1 - 0.001**2 / 15),
    (lambda: frameworks_truncated.kept_std(40.0), 1),
    (lambda: frameworks_truncated.truncated_normal_(empty(2, 2), 0.0), [0] * 4),
    (lambda: frameworks_truncated.truncated_normal_(empty(9, 9), 0.1, 1.0).abs().max() < 0.1, True),
    (lambda: he.gain("leaky_relu", 0.0), math.sqrt(2)),
    (lambda: he.gain("leaky_relu", 1), 1),
    (lambda: he.gain("leaky_relu"), math.sqrt(2 / 1.0001)),
    (lambda: he.fans((3, 2)), (2, 3)),
    (lambda: he.fans((3, 2, 5, 7)), (70, 105)),
    (lambda: he.he_std((3, 2), 1), math.sqrt(0.5)),
    (lambda: he.he_std((3, 2), 1, "fan_out"), math.sqrt(1 / 3)),
    (lambda: he.he_std((3, 2)), 1),
    (lambda: he_depth.second_moments([1e-9, 1.0], 1, 0, 3, RNG(0)), [1] * 6),
    (lambda: he_depth.second_moments([1e-9], 1, 1, 1, RNG(0)).shape, (1, 2, 1)),
    (lambda: he_fans.variances([2, 6], "fan_in"), [1]),
    (lambda: he_fans.variances([2, 8], "fan_out"), [0.25]),
    (lambda: he_fans.variances([2, 6], "mean of both"), [0.5]),
    (lambda: he_moments.relu_share(np.array([[1.0], [-1.0]]), np.array([2.0])), 0.5),
    (lambda: he_moments.relu_share(np.array([[3.0], [-1.0]]), np.array([2.0])), 0.9),
    (lambda: he_moments.relu_growth(1e-9, 1, 0, 4, RNG(0)), (1, 0)),
    (lambda: he_width.log_second_moment(1, 1, 1, RNG(1)).shape, (1,)),
    (lambda: lecun.lecun_normal_(empty(2, 2), 0.0), [0] * 4),
    (lambda: lecun.lecun_uniform_(empty(2, 2), 0.0), [0] * 4),
    (lambda: lecun.lecun_normal((2, 2), 0.0, rng=RNG(0)), [0] * 4),
    (lambda: lecun.lecun_uniform((2, 2), 0.0, rng=RNG(0)), [0] * 4),
    (lambda: lecun.lecun_normal_(empty(1, 0)).shape, (1, 0)),
    (lambda: lecun_depth.predicted_layers(same, 1), ([1], [1])),
    (lambda: lecun_depth.predicted_layers(lambda z: 2 * z, 3), ([1, 4, 16], [16, 4, 1])),
    (lambda: lecun_inputs.standardize(np.array([[1.0], [3.0]])), [-1, 1]),
    (lambda: mean_field.iterate_map(same, 0.5, 0.0, 8.0, 3), [8, 4, 2]),
    (lambda: mean_field.iterate_map(relu, 1.0, 1.0, 8.0, 2), [8, 5]),
    (lambda: mean_field.iterate_map(same, 0.5, 1.0, 8.0, 1), [8]),
    (
        lambda: mean_field_correlation.smooth_map(
            same, 2.0, 1.0, 4.0, torch.tensor([-1.0, 0.0, 1.0])
        ),
        [-1.75, 0.25, 2.25],
    ),
    (  # E[x² y²] = q² (1 + 2 c²)
        lambda: mean_field_correlation.smooth_map(
            square, 1.0, 0.0, 0.5, torch.tensor([-1.0, 0.0, 1.0])
        ),
        [1.5, 0.5, 1.5],
    ),
    (lambda: mean_field_edge.critical_weight(torch.tanh, 0.0), 1),
    (lambda: mean_field_quadrature.hermite_mean(square, 0.0, 1), 0),
    (lambda: mean_field_quadrature.hermite_mean(square, 3.0, 2), 3),
    (lambda: mean_field_quadrature.hermite_mean(lambda z: z**0, 3.0, 1), 1),
    (
        lambda: optimizers_momentum.heavy_ball(
            torch.tensor([8.0]), torch.tensor([1.0]), 0.5, 0.0, 2
        ),
        [8, 4, 2],
    ),
    (
        lambda: optimizers_momentum.heavy_ball(
            torch.tensor([8.0]), torch.tensor([2.0]), 0.25, 0.5, 2
        ),
        [8, 4, 0],
    ),
    (
        lambda: optimizers_momentum.heavy_ball(
            torch.tensor([8.0]), torch.tensor([1.0]), 0.5, 0.5, 0
        ),
        [8],
    ),
    (lambda: gram(orthogonal.orthogonal_(empty(2, 3), 2.0)), [4, 0, 0, 4]),
    (lambda: gram(torch.tensor(orthogonal.orthogonal((2, 3, 1), 2.0, rng=RNG(0)))), [4, 0, 0, 4]),
    (lambda: abs(orthogonal.orthogonal((1, 1), rng=RNG(0))), 1),
    (lambda: gram(orthogonal_convolution.delta_orthogonal_(empty(2, 2, 1), 3.0)), [9, 0, 0, 9]),
    (lambda: orthogonal_convolution.delta_orthogonal_(empty(1, 1, 3)).abs(), [0, 1, 0]),
    (lambda: orthogonal_convolution.delta_orthogonal_(empty(1, 1, 2)).abs(), [0, 1]),
    (lambda: gram(orthogonal_convolution.delta_orthogonal_(empty(1, 1, 3, 3, 3))), 1),
    (lambda: rescaled(4.0, 1e-9, 1), 1),
    (lambda: rescaled(2.25, 1.25, 1), 0),
    (lambda: rescaled(1.0, 1e-9, 1), 0),
    (lambda: orthogonal_lsuv.lsuv_(*scaled(4.0), tol=0.5, max_steps=1), {"0": 0}),
    (lambda: orthogonal_relatives.eye_(empty(2, 3)), [1, 0, 0, 0, 1, 0]),
    (lambda: orthogonal_relatives.dirac_(empty(1, 1, 3)), [0, 1, 0]),
    (lambda: orthogonal_relatives.dirac_(empty(1, 1, 1, 1, 2)), [0, 1]),
    (lambda: orthogonal_relatives.dirac_(empty(2, 2, 1)), [1, 0, 0, 1]),
    (lambda: orthogonal_relatives.dirac_(empty(2, 2, 1), 2), [1, 0, 1, 0]),
    (lambda: (orthogonal_relatives.sparse_(empty(3, 2), 0.0, 1.0) == 0).sum(), 0),
    (lambda: (orthogonal_relatives.sparse_(empty(3, 2), 0.1, 1.0) == 0).sum(0), [1, 1]),
    (lambda: orthogonal_relatives.sparse_(empty(3, 2), 1.0), [0] * 6),
    (lambda: orthogonal_relatives.sparse_(empty(3, 2), 0.0, 0.0), [0] * 6),
    # ratio 1: sqrt((4 - x) / x) / (2 π); outside [0, 4] nothing
    (
        lambda: orthogonal_spectrum.marchenko_pastur(np.array([2.0, 4.0, 5.0]), 1.0),
        [1 / (2 * math.pi), 0, 0],
    ),
    (lambda: orthogonal_spectrum.marchenko_pastur(np.array([0.2, 1.0]), 0.25)[0], 0),
    (lambda: seeds.report(np.array([1.0, 3.0]))["mean"], (2, 1)),
    (lambda: seeds.report(np.array([1.0, 3.0]))["std"], (math.sqrt(2), 1)),
    (lambda: seeds.paired(np.array([1.0, 3.0]), np.array([0.0, 0.0])), (2, 1)),
    (lambda: symmetry.different_units(torch.eye(2), tolerance=0.0), 2),
    (lambda: symmetry.different_units(torch.ones(2, 1), tolerance=0.0), 1),
    (lambda: symmetry.different_units(torch.tensor([[1.0], [0.5]]), tolerance=0.5), 1),
    (lambda: symmetry.different_units(torch.ones(2, 1), torch.tensor([0.0, 1.0])), 2),
    (lambda: symmetry.different_units(torch.ones(2, 1), None, torch.tensor([[0.0, 1.0]])), 2),
    (lambda: symmetry.different_units(torch.zeros(2, 1)), 1),
    (lambda: transformers_gated.gated_moment("ReGLU", 0.0), 0),
    (lambda: transformers_gated.gated_moment("ReGLU", 3.0), 4.5),
    (lambda: transformers_gated.gated_moment("SwiGLU", 0.0), 0),
    (lambda: transformers_zero.LoRA(nn.Linear(2, 3), 1, 4.0).scale, 4),
    (lambda: transformers_zero.LoRA(nn.Linear(2, 3), 2, 4.0).B, [0] * 6),
    (lambda: transformers_zero.LoRA(nn.Linear(2, 3), 2, 4.0, "A").A, [0] * 4),
    (lambda: why_cases.layer_ratios((same, np.ones_like), 3.0, 0.5), (1.5, 3, 1)),
    (lambda: why_cases.layer_ratios((np.square, lambda z: 2 * z), 3.0, 0.5), (2.25, 6, 4 / 3)),
    (lambda: np.divide(why_logistic.settled_factor(1e-12), [1e-12 / 4, 1e-12 / 16]), [1, 1]),
    (lambda: xavier.xavier_normal_(empty(2, 2), 0.0), [0] * 4),
    (lambda: xavier.xavier_uniform_(empty(2, 2), 0.0), [0] * 4),
    (lambda: xavier.xavier_normal((2, 2), RNG(0), 0.0), [0] * 4),
    (lambda: xavier.xavier_uniform((2, 2), RNG(0), 0.0), [0] * 4),
    (lambda: xavier_activations.tanh_activations(0.0, 2, 1, 1, RNG(0)), [0, 0]),
    (lambda: xavier_activations.tanh_activations(0.0, 1, 3, 2, RNG(0)).shape, (1, 2, 3)),
    (lambda: xavier_decay.tanh_moments(0.0), (0, 1)),
    (lambda: xavier_gains.variance_by_rule(0.5, 2.0), [2, 0.5, 0.8, 1]),
    (lambda: xavier_gradients.layer_moments(1.0, 1, 2, 1, 0.0)["h"], 0),
    (lambda: xavier_gradients.layer_moments(0.0, 2, 2, 1)["delta"][0, 0], 0),
    (lambda: xavier_moments.draw_weights("normal", 0.0, (2,), RNG(0)), [0, 0]),
    (lambda: abs(xavier_moments.draw_weights("rademacher", 4.0, (2,), RNG(0))), [2, 2]),
    (lambda: xavier_rates.moment_after(np.tanh, 1, 0.25), 0.25),
    (lambda: xavier_rates.moment_after(same, 3, 0.25), 0.25),
    (lambda: xavier_rates.moment_after(lambda z: 2 * z, 3, 0.25), 4),
    (lambda: xavier_rates.moment_after(np.tanh, 2, 0.0), 0),
    (lambda: xavier_rates.moment_after(np.square, 2, 1.0), 3),
    (lambda: xavier_widths.layer_variances([2, 8], "fan_in"), [0.5]),
    (lambda: xavier_widths.layer_variances([2, 8], "fan_out"), [0.125]),
    (lambda: xavier_widths.layer_variances([2, 8], "xavier"), [0.2]),
    (lambda: xavier_widths.layer_variances([2, 8], "geometric"), [0.25]),
]
REJECTED: list[Callable[[], Any]] = [
    lambda: beyond.LowRankLinear(nn.Linear(3, 2), 0),
    lambda: biases.forget_bias_(lstm(), math.inf),
    lambda: biases.forget_bias_(lstm(False)),
    lambda: biases.chrono_bias_(lstm(), 2.0),
    lambda: biases.chrono_bias_(lstm(False), 9.0),
    lambda: biases.prior_bias(torch.tensor([0.0, 0.5])),
    lambda: biases.prior_bias(torch.tensor([1.0, 0.5])),
    lambda: biases_relu.biased_map(0.0, 0),
    lambda: frameworks.constructed(linear, ["weight"], 0),
    lambda: frameworks_fans.forward_factor(nn.Identity, [torch.ones(1, 3)], 0),
    lambda: frameworks_half.zero_share(0.0, torch.float16),
    lambda: frameworks_truncated.kept_std(0.000999),
    lambda: frameworks_truncated.kept_std(math.inf),
    lambda: frameworks_truncated.truncated_normal_(empty(2), -1e-9),
    lambda: frameworks_truncated.truncated_normal_(empty(2), math.inf),
    lambda: frameworks_truncated.truncated_normal_(INT.clone(), 1.0),
    lambda: he.gain("leaky_relu", True),
    lambda: he.gain("leaky_relu", math.inf),
    lambda: he.gain("nothing"),
    lambda: he.fans((3,)),
    lambda: he.he_std((3, 2), mode="fan"),
    lambda: he.he_normal_(INT.clone()),
    lambda: he.he_uniform_(INT.clone()),
    lambda: he_depth.second_moments([1.0, 0.0], 1, 1, 1, RNG(0)),
    lambda: he_fans.variances([2, 6], "none"),
    lambda: he_moments.relu_share(np.ones((2, 1)), np.zeros(1)),
    lambda: he_moments.relu_share(np.ones((2, 1)), np.ones(2)),
    lambda: he_moments.relu_share(np.ones(2), np.ones(())),
    lambda: he_moments.relu_growth(0.0, 1, 1, 1, RNG(0)),
    lambda: he_width.log_second_moment(0, 1, 1, RNG(0)),
    lambda: he_width.log_second_moment(1, 0, 1, RNG(0)),
    lambda: he_width.log_second_moment(1, 1, 0, RNG(0)),
    lambda: lecun.lecun_normal_(empty(2, 2), -1e-9),
    lambda: lecun.lecun_normal_(empty(2, 2), math.inf),
    lambda: lecun.lecun_normal_(INT.clone()),
    lambda: lecun.lecun_uniform_(empty(2, 2), -1e-9),
    lambda: lecun.lecun_uniform_(empty(2, 2), math.inf),
    lambda: lecun.lecun_uniform_(INT.clone()),
    lambda: lecun.lecun_normal((2, 2), -1e-9, rng=RNG(0)),
    lambda: lecun.lecun_uniform((2, 2), -1e-9, rng=RNG(0)),
    lambda: lecun_depth.predicted_layers(same, 0),
    lambda: lecun_inputs.standardize(np.ones(2)),
    lambda: lecun_inputs.standardize(np.ones((0, 2))),
    lambda: lecun_inputs.standardize(np.array([[math.inf]])),
    lambda: mean_field.iterate_map(same, 0.0, 0.0, 1.0, 2),
    lambda: mean_field.iterate_map(same, 1.0, -1e-9, 1.0, 2),
    lambda: mean_field.activation_moments(relu, torch.tensor([1.0, 0.0])),
    lambda: mean_field_correlation.smooth_map(same, 1.0, 0.0, 1.0, torch.tensor([1.001])),
    lambda: mean_field_correlation.smooth_map(same, 1.0, 0.0, 0.0, torch.tensor([0.0])),
    lambda: mean_field_correlation.smooth_map(same, 1.0, 0.0, math.inf, torch.tensor([0.0])),
    lambda: mean_field_correlation.smooth_map(same, 1.0, 0.0, 1.0, torch.tensor(0.0)),
    lambda: mean_field_edge.critical_weight(torch.tanh, -1e-9),
    lambda: mean_field_edge.critical_weight(torch.tanh, 1e9),
    lambda: mean_field_gelu.critical_point(torch.tanh),
    lambda: mean_field_quadrature.hermite_mean(square, 1.0, 0),
    lambda: mean_field_quadrature.hermite_mean(square, -1e-9, 2),
    lambda: mean_field_quadrature.hermite_mean(square, math.inf, 2),
    lambda: normalization.effective_learning_rates(nn.Linear(1, 1), torch.ones(2, 1), 0.0),
    lambda: optimizers.optimizer_step(torch.optim.Adam, torch.tensor([math.inf])),
    lambda: optimizers_invented.fixed_std_growth(1, 0.0, RNG(0)),
    lambda: optimizers_momentum.heavy_ball(torch.ones(1), torch.ones(1), 0.1, -1e-9, 1),
    lambda: optimizers_momentum.heavy_ball(torch.ones(1), torch.ones(1), 0.1, 1.0, 1),
    lambda: optimizers_recipe.mup_(nn.Linear(4, 4), nn.Linear(2, 2), -1e-9),
    lambda: optimizers_recipe.mup_(nn.Linear(4, 4), nn.Linear(2, 2), math.inf),
    lambda: optimizers_recipe.mup_(nn.Linear(4, 4), nn.Linear(2, 2), 0.1, -1e-9),
    lambda: optimizers_recipe.mup_(nn.Linear(4, 4), nn.Linear(2, 2), 0.1, math.inf),
    lambda: orthogonal.orthogonal_(empty(2)),
    lambda: orthogonal.orthogonal_(INT.clone()),
    lambda: orthogonal.orthogonal((2,), rng=RNG(0)),
    lambda: orthogonal_convolution.delta_orthogonal_(empty(2, 2)),
    lambda: orthogonal_convolution.delta_orthogonal_(empty(1, 1, 1, 1, 1, 1)),
    lambda: orthogonal_convolution.delta_orthogonal_(empty(1, 2, 1)),
    lambda: orthogonal_convolution.delta_orthogonal_(torch.ones(1, 1, 1).long()),
    lambda: rescaled(4.0, 0.5, 0),
    lambda: rescaled(0.0, 0.5, 3),
    lambda: rescaled(math.inf, 0.5, 3),
    lambda: orthogonal_lsuv.lsuv_(*scaled(4.0), tol=0.0),
    lambda: orthogonal_lsuv.lsuv_(*scaled(4.0), tol=math.inf),
    lambda: orthogonal_lsuv.lsuv_(*scaled(4.0), max_steps=0),
    lambda: orthogonal_relatives.eye_(empty(2, 2, 2)),
    lambda: orthogonal_relatives.dirac_(empty(2, 2)),
    lambda: orthogonal_relatives.dirac_(empty(1, 1, 1, 1, 1, 1)),
    lambda: orthogonal_relatives.dirac_(empty(2, 2, 1), 0),
    lambda: orthogonal_relatives.dirac_(empty(3, 2, 1), 2),
    lambda: orthogonal_relatives.sparse_(empty(2), 0.5),
    lambda: orthogonal_relatives.sparse_(empty(2, 2), -1e-9),
    lambda: orthogonal_relatives.sparse_(empty(2, 2), 1.001),
    lambda: orthogonal_relatives.sparse_(empty(2, 2), 0.5, -1e-9),
    lambda: orthogonal_relatives.sparse_(empty(2, 2), 0.5, math.inf),
    lambda: orthogonal_relatives.sparse_(INT.clone(), 0.5),
    lambda: orthogonal_spectrum.marchenko_pastur(np.ones(1), 0.0),
    lambda: orthogonal_spectrum.marchenko_pastur(np.ones(1), 1.001),
    lambda: orthogonal_spectrum.marchenko_pastur(np.array([1.0, 0.0]), 1.0),
    lambda: seeds.report(np.ones(1)),
    lambda: seeds.report(np.ones((2, 2))),
    lambda: seeds.paired(np.ones(2), np.ones(3)),
    lambda: symmetry.different_units(torch.ones(2)),
    lambda: symmetry.different_units(torch.ones(2, 1), None, torch.ones(2)),
    lambda: symmetry.different_units(torch.ones(2, 1), tolerance=-1e-9),
    lambda: symmetry.different_units(torch.ones(2, 1), torch.ones(3)),
    lambda: symmetry_width_one.train_tanh([torch.ones(1, 1)], [0.1, 0.1]),
    lambda: transformers_gated.gated_moment("ReGLU", -1e-9),
    lambda: transformers_gated.gated_moment("none"),
    lambda: transformers_zero.LoRA(nn.Linear(2, 3), 0, 1.0),
    lambda: transformers_zero.LoRA(nn.Linear(2, 3), 1.5, 1.0),  # type: ignore[arg-type]
    lambda: transformers_zero.LoRA(nn.Linear(2, 3), 1, 1.0, "C"),
    lambda: why_cases.layer_ratios((same, np.ones_like), 1.0, 0.0),
    lambda: why_logistic.settled_factor(0.0),
    lambda: why_logistic.settled_factor(math.inf),
    lambda: why_logistic.settled_factor(1.0, 0.0),
    lambda: why_logistic.settled_factor(1.0, math.inf),
    lambda: xavier.xavier_normal_(empty(2, 2), -1e-9),
    lambda: xavier.xavier_normal_(empty(2, 2), math.inf),
    lambda: xavier.xavier_normal_(INT.clone()),
    lambda: xavier.xavier_uniform_(empty(2, 2), -1e-9),
    lambda: xavier.xavier_uniform_(empty(2, 2), math.inf),
    lambda: xavier.xavier_uniform_(INT.clone()),
    lambda: xavier.xavier_normal((2, 2), RNG(0), -1e-9),
    lambda: xavier.xavier_uniform((2, 2), RNG(0), -1e-9),
    lambda: xavier_activations.tanh_activations(-1e-9, 1, 1, 1, RNG(0)),
    lambda: xavier_decay.tanh_moments(-1e-9),
    lambda: xavier_decay.tanh_moments(math.inf),
    lambda: xavier_gains.variance_by_rule(0.0, 1.0),
    lambda: xavier_gains.variance_by_rule(1.0, 0.0),
    lambda: xavier_gradients.layer_moments(1.0, 0, 2, 1),
    lambda: xavier_moments.draw_weights("normal", -1e-9, (2,), RNG(0)),
    lambda: xavier_moments.draw_weights("none", 1.0, (2,), RNG(0)),
    lambda: xavier_rates.moment_after(np.tanh, 0),
    lambda: xavier_rates.moment_after(np.tanh, 1, -1e-9),
    lambda: xavier_rates.moment_after(np.tanh, 1, math.inf),
    lambda: xavier_widths.layer_variances([2, 8], "none"),
]


@pytest.mark.parametrize(("call", "expected"), FOUND, ids=[names(call) for call, _ in FOUND])
def test_at_the_border_and_at_the_smallest_size(call: Callable[[], Any], expected: Any) -> None:
    assert near(call(), expected, 1e-6)


@pytest.mark.parametrize("call", REJECTED, ids=[names(call) for call in REJECTED])
def test_beyond_the_border_nothing_is_accepted(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="Received"):
        call()


X, C = torch.randn(2, 3, 4, 8, generator=torch.Generator().manual_seed(5)).double()


def moved(module: nn.Module) -> nn.Module:
    """Return a block away from its start, where nothing is 0 or 1."""
    for p in module.double().parameters():
        nn.init.normal_(p.data, generator=torch.Generator().manual_seed(p.numel()))
    return module


def part(module: nn.Module, name: str) -> Tensor:
    return module.get_parameter(name)


def test_blocks_are_the_formula_of_their_docstring_away_from_the_start() -> None:
    """What a block computes is written out with its parameters, all of them moved."""
    close = torch.testing.assert_close
    gated = moved(residual_gates.Gated(nn.Linear(8, 8)))
    close(gated(X), X + part(gated, "factor") * gated.branch(X))
    summed = moved(residual.Residual(nn.Linear(8, 8)))
    close(summed(X), X + summed.branch(X))
    images = X[:, None]
    zero = moved(residual_gates.ZeroGamma(1)).eval()
    inner = images
    for conv, norm in ((0, 1), (3, 4)):
        inner = inner if conv == 0 else inner.relu()
        inner = F.conv2d(inner, part(zero, f"branch.{conv}.weight"), padding=1)
        gamma, beta = part(zero, f"branch.{norm}.weight"), part(zero, f"branch.{norm}.bias")
        inner = inner / math.sqrt(1 + 1e-5) * gamma.view(-1, 1, 1) + beta.view(-1, 1, 1)
    close(zero(images), images + inner)
    shift, multiply = moved(residual_fixup.Shift()), moved(residual_fixup.Multiply())
    close(shift(X), X + part(shift, "bias"))
    close(multiply(X), X * part(multiply, "factor"))
    assert part(residual_fixup.Multiply(), "factor") == 1
    low = moved(beyond.LowRankLinear(nn.Linear(8, 8), 2))
    weight = part(low, "base.weight") + part(low, "b") @ part(low, "a")
    close(low(X), F.linear(X, weight, part(low, "base.bias")))
    lora = moved(transformers_zero.LoRA(nn.Linear(8, 8), 2, 6.0))
    weight = part(lora, "base.weight") + 3 * part(lora, "B") @ part(lora, "A")
    close(lora(X), F.linear(X, weight, part(lora, "base.bias")))
    adaln = moved(transformers_zero.AdaLNZero(8))
    offset, scale, gate = (adaln.modulation(C)[..., 8 * i : 8 * i + 8] for i in range(3))
    normed = (X - X.mean(-1, keepdim=True)) / (X.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    close(adaln(X, C), X + gate * adaln.branch(normed * (1 + scale) + offset))
    assert adaln.branch[0].out_features == adaln.branch[2].in_features == 32
    attention = moved(normalization.QKNorm(8))
    normed = attention.norm(X)
    q, k = (
        y / (y.square().mean(-1, keepdim=True) + torch.finfo(y.dtype).eps).sqrt()
        for y in (attention.q(normed), attention.k(normed))
    )
    shares = (q @ k.mT / math.sqrt(8)).softmax(-1)
    close(attention(X), X + attention.out(shares @ attention.v(normed)))
