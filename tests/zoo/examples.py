"""Arguments with which each function works: what a member of the zoo takes the place of.

Most follow from annotation and name; EXAMPLES holds the rest, by function.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
from typing import Any

import numpy as np
import torch
from torch import nn

from zoo.contract import Subject, kind
from zoo.models import make
from zoo.tensors import draw

INTS = {
    "fan_in": 4,
    "fan_out": 6,
    "depth": 2,
    "width": 4,
    "networks": 2,
    "steps": 3,
    "count": 2,
    "seed": 0,
    "order": 3,
    "m": 4,
    "n": 4,
    "batch": 2,
    "runs": 2,
    "t": 1,
    "total": 10,
    "warmup": 3,
    "period": 4,
    "step": 2,
    "layers": 2,
    "draws": 2,
}
FLOATS = {
    "rate": 0.1,
    "beta": 0.9,
    "std": 0.5,
    "variance": 0.5,
    "q": 1.0,
    "tol": 0.01,
    "test_share": 0.3,
    "low": 0.5,
    "high": 50.0,
}


def example(subject: Subject) -> dict[str, Any]:
    """Return arguments for a call; a fresh set each time, with the same numbers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return arguments_of(subject)


def arguments_of(subject: Subject) -> dict[str, Any]:
    given = EXAMPLES.get(subject.key, lambda: {})()
    arguments = {}
    for name, parameter in subject.parameters.items():
        if name in given:
            arguments[name] = given[name]
            continue
        what = kind(parameter)
        if "Generator" in str(parameter.annotation):
            arguments[name] = (
                np.random.default_rng(0)
                if "random" in str(parameter.annotation) or name == "rng"
                else torch.Generator().manual_seed(7)
            )
        elif parameter.default is not inspect.Parameter.empty:
            continue
        elif what == "tensor":
            arguments[name] = draw(6, 4)
        elif what == "array":
            arguments[name] = draw(6, 4).double().numpy()
        elif what == "int":
            arguments[name] = INTS.get(name, 3)
        elif what == "float":
            arguments[name] = FLOATS.get(name, 0.5)
        elif what == "bool":
            arguments[name] = True
        elif name == "shape":
            arguments[name] = (6, 4)
        elif what == "function":
            arguments[name] = torch.tanh
        elif what in ("module", "modules"):
            model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
            arguments[name] = model if what == "module" else [model]
    return arguments


def stack() -> list[tuple[np.ndarray, np.ndarray]]:
    """Two layers, 4-5-3, for functions that take (W, b) pairs."""
    rng = np.random.default_rng(1)
    return [(rng.normal(size=(5, 4)), np.zeros(5)), (rng.normal(size=(3, 5)), np.zeros(3))]


def array(*shape: int) -> np.ndarray:
    return draw(*shape).double().numpy()


def positive(*shape: int) -> np.ndarray:
    return np.abs(array(*shape)) + 0.1


def weights(*widths: int) -> list[torch.Tensor]:
    return [draw(b, a, seed=a) for a, b in itertools.pairwise(widths)]


def classifier() -> nn.Module:
    return make("other_order")[0]


def classes(m: int = 6, n: int = 4) -> torch.Tensor:
    return torch.arange(m) % n


def theta(n: int) -> torch.Tensor:
    return 0.3 * draw(n).double()


def bowl(x: torch.Tensor) -> torch.Tensor:
    return (x**2 * torch.arange(1, x.numel() + 1).view(x.shape)).sum() / 2


def mean_square(model: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return loss_of(model(*batch))


def loss_of(out: Any) -> torch.Tensor:
    """Compare the first tensor of an output with fixed targets."""
    out = next(iter(out.values())) if isinstance(out, dict) else out
    out = out.abs() if out.is_complex() else out
    target = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    return (out - target.to(out.dtype)).square().mean()


def unit_jet() -> Any:
    from x0.taylor.multivariate_bound import Interval

    return [Interval(0.5, 0.5), Interval(1.0, 1.0)]


def sources() -> str:
    from x0.initialization.recipes import SOURCES

    return SOURCES


def hidden_row() -> Any:
    from x0.initialization.choosing_hidden import ROWS

    return ROWS[0]


SHAPES_OF_LINE = {
    "theta": lambda: array(2),
    "start": lambda: array(2),
    "x": lambda: array(6),
    "y": lambda: array(6),
}


def one_layer() -> dict[str, torch.Tensor]:
    return {"w": draw(5, 4), "b": draw(5), "u": draw(3, 5)}


def wide() -> dict[str, torch.Tensor]:
    return {"w": draw(32, 64).double(), "b": draw(32).double(), "u": draw(10, 32).double()}


def he_start() -> list[torch.Tensor]:
    """Return where the networks of learning_rate_warmup start."""
    found: list[torch.Tensor] = importlib.import_module(
        "x0.training.learning_rate_warmup"
    ).he_regressors()
    return found


EXAMPLES: dict[str, Any] = {
    "activations_learnable.prelu": lambda: {"p": draw(1)},
    "activations_learnable.swish": lambda: {"p": draw(1)},
    "activations_learnable.rational": lambda: {"p": draw(5)},
    "activations_learnable.maxout": lambda: {"p": draw(1)},
    "frameworks_meta.materialize_": lambda: {"model": make("meta")[0]},
    "early_stopping_digits.mean_and_error": lambda: {"x": array(6)},
    "learning_rate_warmup.mean_and_error": lambda: {"x": array(6)},
    "optimization.slope_at": lambda: {"function": bowl, "point": draw(4)},
    "optimization.hessian_times": lambda: (
        lambda x: {
            "x": x,
            "gradient": torch.autograd.grad(bowl(x), x, create_graph=True)[0],
            "v": draw(4),
        }
    )(draw(4).requires_grad_()),
    "reproducibility_floats.chunked_sum": lambda: {"x": array(6).astype(np.float32), "chunks": 2},
    "activations_linear.collapse_affine": lambda: {"layers": stack()},
    "networks.forward_pass": lambda: {"layers": stack(), "x": array(6, 4)},
    "networks.reverse_pass": lambda: {
        "layers": stack(),
        "inputs": [array(6, 4), array(6, 5)],
        "delta": array(6, 3),
    },
    "networks.update_parameters_": lambda: {"layers": stack(), "gradients": stack()},
    "networks.flatten": lambda: {"layers": stack()},
    "networks.autograd_gradients": lambda: {"layers": stack(), "x": array(6, 4), "y": array(6, 3)},
    "networks_cost.tanh_loss": lambda: {"weights": weights(4, 4, 4), "x": draw(6, 4)},
    "networks_cost.gradient_cost": lambda: {"weights": weights(4, 4, 4), "x": draw(6, 4)},
    "networks_cost.live_numbers": lambda: {"weights": weights(4, 4, 4), "x": draw(6, 4)},
    "networks_cost.kept_numbers": lambda: {"weights": weights(4, 4, 4), "x": draw(6, 4)},
    "networks_differences.slope_at_zero": lambda: {"program": "relu(z)"},
    "networks_rescaling.relu_output": lambda: one_layer() | {"x": draw(6, 4)},
    "networks_rescaling.rescale_units": lambda: one_layer() | {"a": draw(5).abs() + 0.1},
    "networks_rescaling.weight_scores": lambda: wide(),
    "networks_rescaling.pruned_accuracy": lambda: wide() | {"score": draw(32 * 74)},
    "tasks.task_loss": lambda: {"z": draw(6, 4), "y": draw(6, 4, seed=1), "task": "squared"},
    "tasks.best_constant": lambda: {"y": draw(6, 4), "task": "squared"},
    "tasks.start_output_": lambda: {"layer": nn.Linear(3, 4), "y": draw(6, 4), "task": "squared"},
    "tasks_others.policy_gradient": lambda: {"actions": classes(), "advantage": draw(6)},
    "tasks_others.next_token": lambda: {
        "z": draw(3, 5, 4),
        "tokens": torch.arange(15).view(3, 5) % 4,
    },
    "notation.layer_means": lambda: {"width": 8, "depth": 2, "networks": 2},
    "notation_layer.columns": lambda: {"weight": draw(5, 4), "bias": draw(5), "h": draw(4, 6)},
    "notation_layer.rows": lambda: {"weight": draw(5, 4), "bias": draw(5), "h": draw(6, 4)},
    "notation_moments.next_layer": lambda: {"h": draw(6)},
    "notation.growth": lambda: {"means": draw(6, 4).abs()},
    "beyond.zero_head_": lambda: {"head": nn.Linear(4, 3)},
    "beyond.predicted_start": lambda: {"std": positive(3)},
    "beyond.LowRankLinear": lambda: {"base": nn.Linear(4, 3), "rank": 2},
    "biases.forget_bias_": lambda: {"lstm": nn.LSTM(4, 3, num_layers=2)},
    "biases.prior_bias": lambda: {"rates": torch.tensor([0.2, 0.3, 0.5])},
    "recipes.parse": lambda: {"sources": sources()},
    "recipes.stds": lambda: {"model": "Gemma", "group": "qkv"},
    "choosing.hidden_scale": lambda: {"activation": "relu"},
    "choosing.initialize_": lambda: {"activation": "relu"},
    "choosing.attention_": lambda: {"module": nn.MultiheadAttention(8, 2)},
    "biases.chrono_bias_": lambda: {"lstm": nn.LSTM(4, 3), "longest": 100.0},
    "xavier_convolutions.connected_xavier_": lambda: {"layer": nn.Conv2d(4, 6, 3)},
    "choosing.recurrent_": lambda: {"module": nn.LSTM(4, 3)},
    "choosing_diagnosis.growth_factor": lambda: {"moments": [1.0, 2.0, 3.0]},
    "choosing_diagnosis.trend": lambda: {"moments": [1.0, 2.0, 3.0]},
    "choosing_diagnosis.ends": lambda: {"logs": [0.0, 1.0, 3.0]},
    "choosing_diagnosis.diagnose": lambda: {"batch": draw(6, 4), "loss": loss_of},
    "choosing_diagnosis.watched": lambda: {"kinds": ()},
    "choosing_diagnosis.first": lambda: {"value": draw(6, 4)},
    "choosing_diagnosis.same_units": lambda: {"module": nn.Linear(4, 4)},
    "choosing_hidden.predicted": lambda: {"row": hidden_row()},
    "choosing_hidden.gelu_": lambda: {"w": draw(6, 4), "b": draw(6)},
    "frameworks.uniform_law": lambda: {"text": "1/n", "n": 4.0},
    "frameworks_apply.untouched": lambda: {"function": lambda module: None},
    "he.gain": lambda: {"nonlinearity": "relu"},
    "he_fans.variances": lambda: {"widths": (4, 5, 6), "rule": "fan_in"},
    "he_moments.relu_share": lambda: {"rows": array(6, 4), "h": array(4)},
    "he_width.summarize": lambda: {"log_s": array(12)},
    "lecun_inputs.standardize": lambda: {"inputs": array(37, 4)},
    "datasets.fit_scaler": lambda: {"x": array(37, 4)},
    "lecun_inputs.first_layer": lambda: {"inputs": array(6, 4)},
    "mean_field_correlation.relu_map": lambda: {"c": torch.linspace(-1, 1, 5, dtype=torch.float64)},
    "mean_field_correlation.smooth_map": lambda: {
        "c": torch.linspace(-1, 1, 5, dtype=torch.float64)
    },
    "mean_field_correlation.correlations": lambda: {"step": torch.tanh},
    "mean_field_edge.settle_grid": lambda: {
        "weight": torch.full((2, 2), 1.5).double(),
        "bias": torch.full((2, 2), 0.1).double(),
    },
    "mean_field_fluctuations.settled": lambda: {"name": "tanh, gain 5/3"},
    "mean_field_gains.pytorch_gain": lambda: {"name": "relu"},
    "mean_field_gelu.critical_point": lambda: {"phi": nn.functional.gelu},
    "mean_field_gelu.neighbor": lambda: {"q": 1.0, "weight": 1.5, "bias": 0.1},
    "mean_field_networks.typical": lambda: {"seen": draw(6, 4).abs(), "label": "q"},
    "normalization.effective_learning_rates": lambda: {"batch": draw(6, 4), "lr": 0.1},
    "normalization.identities": lambda: {"norm": nn.LayerNorm(16).double(), "a": 2.0},
    "normalization_explosion.factor": lambda: {"case": "BN, ReLU"},
    "normalization_explosion.normalize": lambda: {"dim": 1},
    "normalization_growth.normalize": lambda: {"dim": 1},
    "optimizers.optimizer_step": lambda: {"optimizer": lambda p: torch.optim.SGD(p, lr=0.1)},
    "optimizers_momentum.heavy_ball": lambda: {"start": draw(4), "curvature": draw(4).abs()},
    "orthogonal_convolution.delta_orthogonal_": lambda: {"tensor": draw(6, 4, 3, 3)},
    "orthogonal_convolution.operator_singular_values": lambda: {
        "kernel": draw(6, 4, 3, 3),
        "size": 5,
    },
    "orthogonal_jacobian.draw": lambda: {"shape": (2, 4, 4)},
    "orthogonal_relatives.dirac_": lambda: {"tensor": draw(6, 4, 3)},
    "orthogonal_relatives.sparse_": lambda: {"sparsity": 0.3},
    "orthogonal_spectrum.marchenko_pastur": lambda: {"x": positive(6), "ratio": 0.5},
    "residual_gates.zero_start": lambda: {"x": draw(6, 4), "top": draw(6, 4)},
    "seeds.report": lambda: {"results": array(6)},
    "seeds.paired": lambda: {"a": array(6), "b": array(6)},
    "symmetry.different_units": lambda: {"bias": draw(6), "outgoing": draw(3, 6)},
    "transformers.init_transformer_": lambda: {"model": make("pre_norm_encoder")[0]},
    "transformers_gated.gated_moment": lambda: {"gate": "SwiGLU"},
    "transformers_zero.LoRA": lambda: {"base": nn.Linear(4, 3), "rank": 2, "alpha": 1.0},
    "why.gradient_norms": lambda: {"inputs": draw(6, 4), "targets": classes()},
    "why_cases.layer_ratios": lambda: {"phi": (np.tanh, lambda z: 1 - np.tanh(z) ** 2), "n_v": 1.0},
    "why_cases.case_theory": lambda: {
        "case": next(iter(importlib.import_module("x0.initialization.why_cases").CASES)),
        "depth": 2,
    },
    "why_training.steps_to": lambda: {"losses": array(2, 20)},
    "xavier_convolutions.connections": lambda: {"layer": nn.Conv2d(4, 6, 3)},
    "xavier_moments.draw_weights": lambda: {"law": "normal", "shape": (6, 4)},
    "xavier_moments.output_moments": lambda: {"law": "normal", "h": array(6, 4)},
    "xavier_rates.moment_after": lambda: {"phi": np.tanh},
    "xavier_widths.layer_variances": lambda: {"widths": (4, 5, 6), "rule": "xavier"},
    "xavier_widths.products": lambda: {"widths": (4, 5, 6), "rule": "xavier"},
    "bibliography_tools.playground_moments": lambda: {"widths": [4, 5, 6]},
    "claims_network.expected_moments": lambda: {"numerators": (2.0, 1.0, 1.0)},
    **{
        f"applications_{stem}.{name}": lambda name=name: {
            "theta": theta(19),
            "x": draw(5, 1).double(),
            "v": theta(19),
            "steps": 2,
        }
        for stem in ("gauss_newton", "sharpness")
        for name in (
            "curve_output",
            "curve_loss",
            "gradient_and_hessian",
            "gauss_newton",
            "damped_gauss_newton",
            "newton_lowest",
            "hessian_product",
            "sharpness_at",
        )
    },
    "applications_influence.fit_logistic": lambda: {
        "x": array(6, 4),
        "y": np.arange(6) % 2.0,
        "weights": np.ones((2, 6)),
    },
    "applications_kfac.kfac_factors": lambda: {"h": draw(6, 4), "s": draw(6, 3, 3)},
    "applications_kfac.exact_block": lambda: {"h": draw(6, 4), "s": draw(6, 3, 3)},
    "applications_kfac.damped_solve": lambda: {
        "outer": torch.eye(3),
        "inner": torch.eye(4),
        "v": draw(3, 4),
        "tau": 0.1,
    },
    "applications_kfac.label_block": lambda: {
        "h": draw(6, 4),
        "logits": draw(6, 10),
        "labels": classes(),
    },
    "applications_pruning.digits_loss": lambda: {
        "theta": theta(610),
        "x": draw(6, 64).double(),
        "y": classes(),
    },
    "applications_pruning.saliencies": lambda: {"theta": theta(610)},
    "applications_pruning.rank_correlation": lambda: {"a": draw(6), "b": draw(6)},
    **{
        f"linear_regression{stem}.{name}": lambda: (
            {k: f() for k, f in SHAPES_OF_LINE.items()}
            | {"path": array(5, 2), "reduce": np.sum, "steps": 3}
        )
        for stem in ("", "_descent", "_exercises", "_repairs")
        for name in (
            "line_loss",
            "line_gradient",
            "line_hessian",
            "newton_line",
            "descend_line",
            "line_modes",
            "excess_loss",
            "condition_number",
            "crossed_loss",
            "descend_reduced",
        )
    },
    "linear_regression_repairs.one_newton_step": lambda: {
        "start": array(2, 1),
        "x": array(6),
        "y": array(6),
    },
    "linear_regression_descent.predicted_loss": lambda: {
        "start": array(2),
        "x": array(6),
        "y": array(6),
        "steps": np.arange(4),
    },
    "multivariate.hessian_vector_product": lambda: (
        lambda x: {"loss": bowl(x), "parameters": [x], "vectors": [draw(4)]}
    )(draw(4).requires_grad_()),
    "multivariate.taylor_terms": lambda: {"function": bowl, "point": draw(4), "step": draw(4)},
    "multivariate_bound.Jet": lambda: {"coefficients": unit_jet()},
    "multivariate_bound.total": lambda: {"terms": unit_jet()},
    "multivariate_bound.expand": lambda: {
        "function": lambda a, b: a * b,
        "point": (0.5, 0.5),
        "step": (0.1, 0.1),
    },
    "multivariate_bound.true_error": lambda: {
        "function": lambda a, b: a * b,
        "point": (0.5, 0.5),
        "step": (0.1, 0.1),
    },
    "multivariate_check.check_gradient": lambda: {
        "function": lambda x: float(x @ x),
        "gradient": lambda x: 2 * x,
        "point": array(4),
    },
    "optimization_saddles.second_order": lambda: {"function": bowl, "point": draw(4).double()},
    "optimization_saddles.classify": lambda: {"matrix": torch.eye(4).double()},
    "optimization_saddles.saddle_free_step": lambda: {
        "gradient": draw(4).double(),
        "matrix": torch.eye(4).double(),
    },
    "optimization_saddles.line_search": lambda: {
        "function": bowl,
        "point": torch.ones(4),
        "step": -torch.ones(4),
        "slope": -8.0,
    },
    "optimization_saddles.saddle_free_newton": lambda: {"function": bowl, "point": draw(4)},
    "optimization_trust.to_border": lambda: {
        "step": torch.zeros(4),
        "direction": torch.ones(4),
        "radius": 1.0,
    },
    "optimization_trust.conjugate_gradients": lambda: {
        "gradient": draw(4),
        "product": lambda v: 2 * v,
        "radius": 1.0,
    },
    "optimization_trust.model_at": lambda: {"function": bowl, "point": draw(4)},
    "optimization_trust.trust_region": lambda: {"function": bowl, "point": draw(4)},
    "univariate_numerical.forward_quotient": lambda: {"f": lambda x: x * x},
    "univariate_numerical.central_quotient": lambda: {"f": lambda x: x * x},
    "univariate_numerical.complex_step": lambda: {"f": lambda x: x * x},
    "univariate_series.taylor_degree": lambda: {"name": "exp", "low": -1.0, "high": 1.0},
    "univariate_series.chebyshev_degree": lambda: {"name": "exp", "low": -1.0, "high": 1.0},
    "univariate_orders.ratio_radius": lambda: {"coefficients": 0.5 ** np.arange(8.0)},
    "learning_rate_stable.squared_error": lambda: {"factors": positive(5)},
    "adaptive_groups.muon_size": lambda: {"shape": (4, 3), "adjust": "original"},
    "multivariate_cost.operations": lambda: {"work": lambda: draw(4, 4) @ draw(4, 4)},
    "multivariate_exercises.quadratic_forms": lambda: {
        "function": bowl,
        "point": draw(4),
        "vectors": draw(3, 4),
    },
    "multivariate_exercises.trace_estimate": lambda: {
        "function": bowl,
        "point": draw(4),
        "probes": 3,
    },
    "multivariate_slice.slice_errors": lambda: {"steps": array(5)},
    "multivariate_traps.bent": lambda: {"x": torch.tensor(0.3).double()},
    "multivariate_traps.central_product": lambda: {
        "point": draw(4),
        "vector": draw(4),
        "step": 0.01,
    },
    "optimization.largest_curvature": lambda: {"function": bowl, "point": draw(4)},
    "optimization.newton_step": lambda: {"function": bowl, "point": draw(4)},
    "optimization_descent.margin_loss": lambda: {"w": array(4), "data": array(6, 4)},
    "optimization_descent.margin_gradient": lambda: {"w": array(4), "data": array(6, 4)},
    "optimization_norms.steepest_step": lambda: {"norm": "spectral"},
    "univariate.taylor_polynomial": lambda: {
        "coefficients": draw(4).double(),
        "step": draw(5).double(),
    },
    "univariate_autograd.cubic_remainder": lambda: {"dtype": torch.float64},
    "univariate_polynomials.closed_form": lambda: {"name": "sin"},
    "univariate_polynomials.function_values": lambda: {"name": "sin"},
    "univariate_polynomials.maximum_error": lambda: {"name": "sin"},
    "univariate_radius.circle_coefficients": lambda: {"function": np.exp},
    "univariate_radius.radius_estimate": lambda: {"coefficients": 0.5 ** np.arange(30.0)},
    "univariate_remainder.integral_remainder": lambda: {"derivative": np.exp},
    "univariate_slopes.slope": lambda: {"steps": positive(5), "errors": positive(5) + 1},
    "adaptive_correction.adam_directions": lambda: {"gradients": array(6, 4)},
    "adaptive_correction.excess_ratio": lambda: {"t": np.arange(1, 6)},
    "learning_rate_warmup.descend": lambda: {
        "rates": torch.full((len((start := he_start())[0]),), 0.01),
        "factors": [1.0, 1.0],
        "parameters": start,
    },
    "adaptive.adagrad_step": lambda: {"u": draw(6, 4).abs()},
    "adaptive.rmsprop_step": lambda: {"u": draw(6, 4).abs()},
    "adaptive.adam_step": lambda: {"u": draw(6, 4).abs()},
    "adaptive_failure.walk_to_the_end": lambda: {
        "name": importlib.import_module("x0.training.adaptive_failure").NAMES[0]
    },
    **{
        f"{stem}.lanczos": lambda: {
            "product": lambda v: torch.arange(float(len(v))) * v,
            "start": draw(4),
        }
        for stem in ("optimization", "applications_sharpness", "learning_rate_warmup")
    },
    "adaptive_failure.steps_on_quadratic": lambda: {
        "name": "Adam",
        "bases": torch.eye(4).double()[None],
    },
    "datasets.stratified_split": lambda: {"labels": np.arange(12) % 3},
    "datasets.grouped_split": lambda: {"groups": np.arange(12) % 4},
    "datasets.temporal_split": lambda: {"times": np.arange(12.0)},
    "datasets_condition.input_condition": lambda: {"x": array(8, 3)},
    "datasets_leakage.select_features": lambda: {
        "x": array(6, 4),
        "y": np.sign(array(6)),
        "count": 2,
    },
    "datasets_error.accuracy_interval": lambda: {"hits": 3, "tested": 5},
    "datasets_splits.chance_without": lambda: {"samples": 10, "rare": 2, "tested": 3},
    "early_stopping_ridge.stopped_filter": lambda: {"eigenvalues": positive(5)},
    "early_stopping_ridge.ridge_filter": lambda: {"eigenvalues": positive(5)},
    "early_stopping_ridge.spectral_risk": lambda: {
        "shares": positive(5),
        "eigenvalues": positive(5),
        "components": array(5),
    },
    "early_stopping_twice.two_groups": lambda: {"gap": 4.0},
    "early_stopping_twice.predicted_parts": lambda: {"gap": 4.0},
    "early_stopping_twice.expected_curve": lambda: {"gap": 4.0},
    "early_stopping_twice.falls": lambda: {"error": array(6)},
    "early_stopping_twice.stopping_step": lambda: {"errors": array(6)},
    "learning_rate_noise.predicted_error": lambda: {"rate": lambda t: 0.1},
    "learning_rate_range.range_test": lambda: {
        "loss_of": mean_square,
        "batches": [(draw(6, 4),)] * 5,
        "steps": 5,
        "low": 1e-3,
        "high": 1.0,
    },
    "learning_rate_range.suggest_rate": lambda: {
        "rates": [1.0, 2, 3, 4, 5, 6],
        "losses": [3.0, 2, 1, 1, 2, 3],
    },
    "learning_rate_range.cross_entropy": lambda: {"batch": (draw(6, 4), classes())},
    "mini_batches.sgd_epoch": lambda: {"x": draw(6, 4), "y": classes()},
    "mini_batches_critical.fit_critical": lambda: {"steps": positive(3, 8)},
    "mini_batches_noise.row_gradients": lambda: {"x": draw(6, 4), "y": classes()},
    "mini_batches_scale.noise_scales": lambda: {
        "x": draw(6, 4),
        "y": classes(),
        "some": torch.arange(4),
    },
    "mini_batches_stationary.sgd_chains": lambda: {"targets": draw(6), "batch": 2, "epochs": 2},
    "momentum.momentum_step": lambda: {"buffer": draw(6, 4)},
    "momentum.farthest_from_torch": lambda: {"nesterov": False},
    "momentum_cycle.momentum_path": lambda: {"slope": lambda x: x},
    "momentum_race.error_norms": lambda: {
        "name": next(iter(importlib.import_module("x0.training.momentum_race").NAMES)),
        "steps": 3,
    },
    "momentum_stability.heavy_ball_radius": lambda: {"step": 0.5, "beta": 0.5},
    "momentum_stability.torch_converges": lambda: {"step": positive(3), "beta": positive(3)},
    "reproducibility_record.data_hash": lambda: {"arrays": {"x": array(6, 4)}},
    "reproducibility_record.run_record": lambda: {
        "config": {"rate": 0.1},
        "arrays": {"x": array(6, 4)},
    },
    "regularization.shift": lambda: {"x": draw(6, 64)},
    "regularization.train_": lambda: {
        "model": nn.Linear(4, 4),
        "training": (draw(6, 4), classes()),
        "validation": (draw(6, 4), classes()),
        "steps": 2,
    },
    "regularization_digits.shifted": lambda: {"x": draw(6, 64)},
    "regularization_digits.label_loss": lambda: {
        "logits": draw(2, 6, 4),
        "y": classes().expand(2, 6),
        "smoothing": 0.1,
    },
    "regularization_digits.calibration_error": lambda: {
        "p": draw(2, 6, 4).softmax(-1),
        "y": classes().expand(2, 6),
    },
    "regularization_linear.penalized": lambda: {
        "x": array(6, 4),
        "y": array(6),
        "penalties": 0.5,
    },
    "claims_network.Network": lambda: {"widths": (4, 5, 3), "initialize": nn.init.normal_},
}
for _name in (
    "lecun_moments.activation_moments",
    "mean_field.activation_moments",
    "mean_field_edge.activation_moments",
    "mean_field_gains.activation_moments",
    "mean_field_gelu.activation_moments",
    "mean_field_edge.critical_line",
):
    EXAMPLES[_name] = lambda: {"q": torch.tensor([0.5, 1.0], dtype=torch.float64)}
