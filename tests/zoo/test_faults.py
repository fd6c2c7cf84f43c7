"""The inputs from practice on which functions failed once: what is right, said directly.

The contract finds most of them by itself; here stands what it cannot see, by the number under
which it was reported.
"""

from __future__ import annotations

import math
import warnings
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from x0.initialization import (
    beyond,
    biases,
    choosing,
    choosing_diagnosis,
    frameworks_meta,
    frameworks_truncated,
    he,
    lecun_inputs,
    optimizers_recipe,
    orthogonal_relatives,
    residual,
    transformers,
)
from x0.taylor import multivariate, multivariate_check, optimization, univariate
from x0.training import (
    adaptive,
    adaptive_groups,
    datasets,
    learning_rate,
    learning_rate_range,
    mini_batches_scale,
    reproducibility_data,
    reproducibility_record,
)
from zoo.examples import loss_of
from zoo.models import chain, make


def test_a1_in_place_changes_do_not_disturb_the_diagnosis() -> None:
    plain, inputs = make("in_place")
    found = choosing_diagnosis.diagnose(plain, inputs, loss_of)
    kept = {layer.name: layer for layer in found.layers}
    h = plain.emb(inputs[0])
    h = h * torch.tensor([0.0] + [1.0] * (h.shape[1] - 1))[:, None]
    z = plain.mid(h)
    loss = loss_of(plain.head(F.relu(2 * z)))
    (gradient,) = torch.autograd.grad(loss, z)
    assert kept["mid"].signal == pytest.approx(z.square().mean().item(), rel=1e-5)
    assert kept["mid"].gradient == pytest.approx(gradient.square().mean().item(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("other_order", ["first", "last"]),
        ("unused", ["first", "last"]),
        ("used_twice", ["mid", "mid", "head"]),
        ("frozen", ["0", "1", "2", "3"]),
    ],
)
def test_a2_layers_come_in_the_order_of_use(name: str, order: list[str]) -> None:
    assert [x.name for x in choosing_diagnosis.diagnose(*make(name), loss_of).layers] == order


@pytest.mark.parametrize("wrap", [parametrizations.weight_norm, parametrizations.spectral_norm])
@pytest.mark.parametrize(
    ("std", "verdict"), [(1.41, "healthy"), (0.1, "vanishing"), (2.83, "exploding")]
)
def test_a3_wrapped_layers_are_watched(wrap, std: float, verdict: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = chain(*[std / math.sqrt(2)] * 15)
        for layer in model[::2]:
            wrap(layer)
        x = torch.randn(64, 32)
    found = choosing_diagnosis.diagnose(model, x, loss_of)
    assert len(found.layers) == 29
    expected = verdict
    if wrap is parametrizations.spectral_norm:
        expected = "vanishing"  # a singular value of 1 halves what ReLU halves again
    assert found.verdict == expected


def branch() -> nn.Sequential:
    last = parametrizations.weight_norm(nn.Linear(8, 8, False))
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), last)


@pytest.mark.parametrize("zero_", [residual.zero_branches_, residual.fixup_])
def test_a3_branches_with_weight_norm_start_at_zero(zero_) -> None:
    one = branch()
    zero_([one])
    assert not one(torch.randn(4, 8, generator=torch.Generator().manual_seed(0))).any()


def test_a3_branches_with_weight_norm_are_scaled() -> None:
    branches = [branch() for _ in range(4)]
    before = [one[2].weight.detach().clone() for one in branches]
    residual.scale_branches_(branches)
    for one, weight in zip(branches, before, strict=True):
        assert torch.allclose(one[2].weight, weight / 2)


def test_a4_integers_and_booleans_that_nobody_sets_are_named() -> None:
    model, _ = make("meta")
    assert frameworks_meta.materialize_(model) == ["positions", "mask", "freqs"]
    assert model.positions.unique().tolist() == [torch.iinfo(torch.int64).min]
    assert not model.mask.any()
    assert model.freqs.isnan().all()


def test_a6_a7_small_starts_stay() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.ModuleDict({"blocks": make("vit")[0].blocks, "plus": make("rms_plus_one")[0][1]})
    left = transformers.init_transformer_(model, 2, residual=("out_proj", "fc2"))
    assert left == [f"blocks.{k}.ls{i}" for k in (0, 1) for i in (1, 2)] + ["plus.weight"]
    assert (model["blocks"][0].ls1 == 1e-5).all()
    assert not model["plus"].weight.any()


def test_a5_padding_rows_stay_zero() -> None:
    layers = {"out_proj": nn.Linear(4, 4), "fc2": nn.Linear(4, 4)}
    block = nn.ModuleDict({"emb": nn.Embedding(9, 4, padding_idx=2), **layers})
    assert choosing.initialize_(block, "relu") == []
    assert not block["emb"].weight[2].any()
    transformers.init_transformer_(block, 1)
    assert not block["emb"].weight[2].any()
    assert block["emb"].weight[1].all()


def test_the_culprit_of_a_lost_gradient_is_the_weight_that_it_came_through() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.LayerNorm(32), *chain(*[1, 1, 1, 0.003, 1, 1, 1, 1, 1, 1]))
        x = torch.randn(64, 32)
    found = choosing_diagnosis.diagnose(model, x, loss_of)
    assert (found.verdict, found.where) == ("vanishing", "7")


def test_a8_a_tied_head_keeps_the_law_of_the_embedding() -> None:
    model, _ = make("gpt2")
    generator = torch.Generator().manual_seed(0)
    choosing.initialize_(model, "relu", generator=generator)
    assert model.wte.weight.std().item() == pytest.approx(0.02, rel=0.1)
    with pytest.raises(ValueError, match="tied"):
        choosing.initialize_(model, "relu", head=model.lm_head)
    assert model.wte.weight.any()


def test_a10_zero_deviation_gives_zeros() -> None:
    assert not frameworks_truncated.truncated_normal_(torch.ones(5), 0.0).any()


def test_a11_complex_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="complex64"):
        he.he_uniform_(torch.empty(4, 4, dtype=torch.complex64))


def test_a12_a_negative_sparsity_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sparsity=-0\.5"):
        orthogonal_relatives.sparse_(torch.empty(4, 4), -0.5)


def test_a12_zeros_are_drawn_where_the_tensor_is() -> None:
    with mock.patch("torch.randperm", wraps=torch.randperm) as drawn:
        orthogonal_relatives.sparse_(torch.empty(4, 3, device="meta"), 0.5)
    devices = [call.kwargs.get("device") for call in drawn.mock_calls]
    assert devices == 3 * [torch.device("meta")]


def test_b1_a_removable_singularity_is_refused() -> None:
    with pytest.raises(ValueError, match="derivative 2 at 0"):
        univariate.taylor_coefficients(torch.sinc, 0.0, 4)


def test_b3_fused_attention_has_no_second_derivative_and_we_say_what_helps() -> None:
    x = torch.randn(1, 1, 3, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = F.scaled_dot_product_attention(x, x, x).square().sum()
    with pytest.raises(ValueError, match=r"SDPBackend\.MATH"):
        multivariate.hessian_vector_product(loss, [x], [torch.ones_like(x)])
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        loss = F.scaled_dot_product_attention(x, x, x).square().sum()
        (product,) = multivariate.hessian_vector_product(
            loss, iter([x]), iter([torch.ones_like(x)])
        )
    assert product.isfinite().all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ends", [(-1.0, 1.0), (-9.9, 10.0), (-10.0, 9.9)])
def test_b4_both_ends_are_found_when_they_differ_in_sign_only(ends, seed: int) -> None:
    scales = torch.tensor(ends)
    found = optimization.largest_curvature(
        lambda x: scales @ x**2 / 2, torch.ones(2), generator=torch.Generator().manual_seed(seed)
    )
    assert (found.smallest, found.largest) == pytest.approx(ends, rel=1e-4)
    assert found.converged


def test_b4_few_iterations_say_that_they_have_not_converged() -> None:
    scales = torch.linspace(1, 2, 200)
    found = optimization.largest_curvature(
        lambda x: scales @ x**2 / 2, torch.ones(200), 3, torch.Generator().manual_seed(0)
    )
    assert not found.converged
    assert (scales - found.largest).abs().min() <= found.residual


def test_c1_a_range_test_with_negative_losses_goes_on() -> None:
    x = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Linear(4, 1)
    lengths = [
        len(
            learning_rate_range.range_test(
                model, lambda m, b, c=c: m(b[0]).square().mean() - c, [(x,)] * 100, 1e-4, 10.0
            )[0]
        )
        for c in (0.0, 3.0)
    ]
    assert min(lengths) > 60


def test_c5_the_epoch_lies_in_shared_memory() -> None:
    digits = reproducibility_data.NoisyDigits()
    digits.epoch = 3
    assert digits.epoch == 3
    assert all(x.is_shared() for x in vars(digits).values() if isinstance(x, torch.Tensor))


def test_c8_an_epsilon_that_rounds_to_zero_is_refused() -> None:
    one = torch.ones(2).half()
    with pytest.raises(ValueError, match="epsilon"):
        adaptive.adam_step(one, torch.tensor([1e-4, 0]).half(), 0 * one, 0 * one, 1, 0.1)
    for step in (adaptive.adagrad_step, adaptive.rmsprop_step):
        with pytest.raises(ValueError, match="epsilon"):
            step(one, 0 * one, 0 * one, 0.1)


def test_dates_are_split_in_time() -> None:
    days = np.datetime64("2024-01-01") + np.arange(10)
    train, test = datasets.temporal_split(days, 0.3, np.timedelta64(2, "D"))
    assert days[train].max() < days[test].min() - np.timedelta64(2, "D")


def test_a_parameter_generator_is_not_spent_on_its_shapes() -> None:
    model = nn.Linear(3, 1)
    loss = model(torch.ones(1, 3)).square().sum()
    ones = [torch.ones_like(p) for p in model.parameters()]
    assert len(multivariate.hessian_vector_product(loss, model.parameters(), ones)) == 2


def test_a_loss_of_other_parameters_is_refused() -> None:
    x, other = (torch.ones(2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    loss = other.square().sum()
    for call in (
        lambda: multivariate.hessian_vector_product(loss, [x], [torch.ones_like(x)]),
        lambda: multivariate.taylor_terms(lambda _: loss, x, x),
        lambda: optimization.largest_curvature(lambda _: loss, x),
        lambda: univariate.taylor_coefficients(lambda _: loss, 1.0, 2),
    ):
        with pytest.raises(ValueError, match="Received"):
            call()


def test_the_order_has_a_limit() -> None:
    with pytest.raises(ValueError, match="order=171"):
        univariate.taylor_coefficients(torch.exp, 0.0, 171)


def test_a_split_says_that_its_rows_are_sorted() -> None:
    labels = np.arange(30) % 3
    train, _ = datasets.stratified_split(labels, 0.2, np.random.default_rng(0))
    assert (np.diff(labels[train]) >= 0).all()
    assert "sorted by class" in str(datasets.stratified_split.__doc__)


def test_the_start_is_where_the_point_is() -> None:
    seen = []

    def lanczos(product: object, start: torch.Tensor, iterations: int) -> object:
        seen.append(start.device)
        return optimization.Ends(1.0, 2.0, 0.0, start[:, None])

    x = torch.ones(3, device="meta")
    with (
        mock.patch.object(optimization, "lanczos", lanczos),
        mock.patch.object(optimization, "slope_at", lambda _, x: (x, x)),
    ):
        optimization.largest_curvature(lambda x: x.square().sum(), x)
    assert seen == [x.device]


class WithoutDouble(torch.Tensor):
    """A tensor of a device that has no float64."""

    def double(self, *_: object) -> torch.Tensor:  # type: ignore[override]
        raise TypeError("no float64 here")

    def cpu(self, *_: object) -> torch.Tensor:  # type: ignore[override]
        return self.as_subclass(torch.Tensor)


def test_a_saturated_hardtanh_is_named() -> None:
    found = choosing_diagnosis.diagnose(*make("saturated_hardtanh"), loss_of)
    assert (found.verdict, found.where) == ("saturated", "3")


def test_moments_are_summed_on_the_cpu() -> None:
    x = torch.tensor([3.0, -1.0]).as_subclass(WithoutDouble)
    assert choosing_diagnosis.moment(x) == 5


def test_messages_name_the_numbers_of_the_caller() -> None:
    with pytest.raises(ValueError, match="warmup=2, total=10, step=11"):
        learning_rate.warmup_cosine(11, 10, 2)


def test_a_constant_column_stays_zero_in_float32_and_small_features_count() -> None:
    x = np.full((100, 2), 0.1, dtype=np.float32)
    x[:, 1] = 1e-16 * np.arange(100)
    mean, std = datasets.fit_scaler(x)
    assert np.abs((x - mean) / std)[:, 0].max() < 1e-6
    assert ((x - mean) / std)[:, 1].std() == pytest.approx(1)


def test_the_diagnosis_takes_what_models_take() -> None:
    model, inputs = make("dictionary")
    named = {"x": inputs[0], "kind": inputs[1]}
    model_ = nn.ModuleDict({"inner": model})
    model_.forward = lambda x, kind: model(x, kind)  # type: ignore[method-assign]
    assert choosing_diagnosis.diagnose(model_, named, loss_of).verdict == "healthy"
    with torch.inference_mode():
        assert choosing_diagnosis.diagnose(model, inputs, loss_of).verdict == "healthy"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choosing_diagnosis.diagnose(*make("frozen"), loss_of).layers[0].gradient > 0


class Reentrant(torch.nn.Module):
    """A block that recomputes its forward pass in the way that excludes autograd.grad."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        from torch.utils.checkpoint import checkpoint

        return checkpoint(self.layer, x, use_reentrant=True)  # type: ignore[no-any-return]


@pytest.mark.proves("choosing-refuses", kind="call", n="4 models")
@pytest.mark.parametrize("case", ["meta", "lazy", "unrelated", "reentrant"])
def test_what_the_diagnosis_cannot_judge(case: str) -> None:
    """It raises a ValueError for meta and lazy parameters, an unrelated loss, a reentrant checkpoint."""
    nn = torch.nn
    model = {
        "meta": nn.Sequential(nn.Linear(4, 4, device="meta")),
        "lazy": nn.Sequential(nn.LazyLinear(4)),
        "unrelated": nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)),
        "reentrant": nn.Sequential(nn.Linear(4, 4), Reentrant(), nn.Linear(4, 4)),
    }[case]

    def loss(output: torch.Tensor) -> torch.Tensor:
        return torch.zeros((), requires_grad=True) * 1 if case == "unrelated" else loss_of(output)

    before = None if case in ("meta", "lazy") else [p.clone() for p in model.parameters()]
    with pytest.raises(ValueError, match="Received"):
        choosing_diagnosis.diagnose(model, torch.randn(3, 4), loss)
    if before:
        assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


# --- what the hunt found -----------------------------------------------------------------------


def test_a_loss_of_nan_is_not_healthy() -> None:
    found = choosing_diagnosis.diagnose(
        chain(1, 1, 1), torch.randn(8, 32), lambda out: out.sum() * math.nan
    )
    assert found.verdict == "exploding"
    assert not math.isfinite(found.number)


@pytest.mark.parametrize(
    "wrap",
    [parametrizations.weight_norm, parametrizations.spectral_norm, nn.utils.spectral_norm],
)
def test_a_wrapped_head_is_not_said_to_be_zero(wrap) -> None:
    with pytest.raises(ValueError, match="Received"):
        beyond.zero_head_(wrap(nn.Linear(3, 2)))


def test_a_gru_has_no_forget_gate() -> None:
    gru = nn.GRU(3, 2)
    for set_ in (biases.forget_bias_, lambda x: biases.chrono_bias_(x, 100)):
        with pytest.raises(ValueError, match="Received"):
            set_(gru)
    for longest in (math.nan, math.inf, 2):
        with pytest.raises(ValueError, match="Received"):
            biases.chrono_bias_(nn.LSTM(3, 2), longest)


def test_a_shared_branch_is_scaled_once() -> None:
    shared = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    first, last = (shared[k].weight.detach().clone() for k in (0, 2))
    residual.scale_branches_([shared] * 4)
    assert torch.allclose(shared[2].weight, last / 2)
    residual.fixup_([shared] * 4)
    assert torch.allclose(shared[0].weight, first / 2)
    model = nn.ModuleList([shared] * 4)
    choosing.initialize_(model, "relu", branches=[shared] * 4)
    wide = nn.Sequential(nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 200))
    choosing.initialize_(wide, "relu", branches=[wide] * 4)
    assert 200 * wide[2].weight.var().item() == pytest.approx(2 / 4, rel=0.05)


@pytest.mark.parametrize("norm", [nn.SyncBatchNorm, nn.InstanceNorm2d])
def test_every_norm_that_ends_a_branch_gets_the_zero(norm) -> None:
    last = norm(4, affine=True)
    one = nn.Sequential(nn.Conv2d(4, 4, 3), last)
    residual.zero_branches_([one])
    assert not last.weight.any()
    assert one[0].weight.all()


def test_a_mask_of_rows_counts_what_it_holds() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, x = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)), torch.randn(12, 4)
    y = torch.arange(12) % 3
    mask = torch.arange(12) < 5
    by_mask = mini_batches_scale.noise_scales(model, x, y, mask)
    assert by_mask == pytest.approx(mini_batches_scale.noise_scales(model, x, y, torch.arange(5)))
    for wrong in (torch.arange(12) < 0, torch.tensor([99])):
        with pytest.raises(ValueError, match="Received"):
            mini_batches_scale.noise_scales(model, x, y, wrong)
    with pytest.raises(ValueError, match="Received"):
        mini_batches_scale.noise_scales(model, x * math.nan, y, mask)
    with pytest.raises(ValueError, match="out of bounds"):
        mini_batches_scale.noise_scales(model, x, y + 5, mask)


class Table:
    """What a table of another library has: numbers behind __array__."""

    def __init__(self, numbers: object) -> None:
        self.numbers = np.asarray(numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self.numbers.astype(dtype) if dtype else self.numbers


@pytest.mark.parametrize("kind", [list, Table, torch.tensor])
def test_lists_and_tables_are_taken_as_arrays(kind) -> None:
    x = np.arange(24.0).reshape(12, 2) ** 2
    assert (lecun_inputs.standardize(kind(x.tolist())) == lecun_inputs.standardize(x)).all()
    for a, b in zip(datasets.fit_scaler(kind(x.tolist())), datasets.fit_scaler(x), strict=True):
        assert (a == b).all()
    labels = np.arange(12) % 3
    for split in (datasets.stratified_split, datasets.grouped_split):
        rows = [split(y, 0.4, np.random.default_rng(0)) for y in (labels, kind(labels.tolist()))]
        assert all((a == b).all() for a, b in zip(*rows, strict=True))
    assert len(datasets.temporal_split(kind(np.arange(9.0).tolist()), 0.3)[0]) == 6


@pytest.mark.parametrize("missing", [math.nan, None])
def test_a_missing_label_is_refused(missing: object) -> None:
    labels = np.array(["a", "b", missing, "a", "b", "a"], dtype=object)
    for split in (datasets.stratified_split, datasets.grouped_split):
        with pytest.raises(ValueError, match="missing"):
            split(labels, 0.4, np.random.default_rng(0))
    numbers = np.array([0.0, 1.0, math.nan, 0.0, 1.0])
    with pytest.raises(ValueError, match="missing"):
        datasets.grouped_split(numbers, 0.4, np.random.default_rng(0))


def test_a_scale_below_what_squares_hold_is_not_0() -> None:
    x = np.array([[1e-200], [3e-200]])
    assert datasets.fit_scaler(x)[1] == 1
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(lecun_inputs.standardize(x)).all()


def test_a_gradient_of_nan_is_neither_right_nor_wrong() -> None:
    point = np.ones(3)
    for function, gradient in (
        (lambda x: x @ x, lambda x: math.nan * x),
        (lambda x: math.nan, lambda x: 2 * x),
        (lambda x: x**2, lambda x: 2 * x),
    ):
        with pytest.raises(ValueError, match="Received"):
            multivariate_check.check_gradient(function, gradient, point)
    slope = multivariate_check.check_gradient(lambda x: [x @ x], lambda x: 2 * x, [1.0, 1.0])
    assert slope > 1.9


def test_frozen_parameters_and_freed_graphs_are_refused() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    ones = [torch.ones_like(p) for p in model.parameters()]
    loss = model(torch.ones(4, 3)).square().sum()
    loss.backward()
    with pytest.raises(ValueError, match="anew"):
        multivariate.hessian_vector_product(loss, model.parameters(), ones)
    model[0].requires_grad_(False)
    loss = model(torch.ones(4, 3)).square().sum()
    with pytest.raises(ValueError, match="Received"):
        multivariate.hessian_vector_product(loss, model.parameters(), ones)


def test_a_transposed_convolution_has_its_inputs_first() -> None:
    wide, narrow = nn.ConvTranspose2d(8, 3, 2), nn.ConvTranspose2d(4, 3, 2)
    with pytest.raises(ValueError, match="Received"):
        optimizers_recipe.fan_in_growth(wide, narrow)


def test_the_lengths_of_weight_norm_are_no_matrix_for_muon() -> None:
    body = parametrizations.weight_norm(nn.Linear(3, 4))
    head = nn.Linear(4, 2)
    muon, _ = adaptive_groups.muon_and_adamw(nn.Sequential(body, head), head, 0.1)
    assert [p.shape for p in muon.param_groups[0]["params"]] == [(4, 3)]


def test_a_loss_of_nan_has_no_best_rate() -> None:
    with pytest.raises(ValueError, match="NaN"):
        learning_rate_range.suggest_rate([1.0] * 6, [5, 4, math.nan, 2, 1, 9])
    with pytest.raises(ValueError, match="minimize"):
        learning_rate_range.range_test(nn.Linear(2, 1), lambda m, b: 1.0, [(torch.ones(2, 2),)] * 3)


def test_a_weight_of_a_convolution_that_lies_channels_last() -> None:
    from x0.initialization import orthogonal_lsuv
    from x0.taylor import multivariate_module

    model, inputs = make("instance_norm")
    assert orthogonal_lsuv.lsuv_(model, inputs[0])
    loss, point = multivariate_module.flat_loss(model, inputs[0], torch.sum)
    assert loss(point).item() == pytest.approx(model(inputs[0]).sum().item(), rel=1e-4)


def test_a_script_float8_a_mask_and_lbfgs_are_refused() -> None:
    """Each is left as it was."""
    torch.manual_seed(0)
    x, y = torch.randn(32, 5), torch.randint(3, (32,))
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.script(model)
    with pytest.raises(ValueError, match=r"torch\.jit\.script"):
        choosing_diagnosis.diagnose(script, x, lambda out: nn.functional.cross_entropy(out, y))
    with pytest.raises(ValueError, match="LBFGS"):
        learning_rate_range.range_test(
            model,
            lambda m, b: nn.functional.cross_entropy(m(b[0]), b[1]),
            [(x, y)] * 3,
            make_optimizer=torch.optim.LBFGS,
        )
    short = model[0].weight.detach().to(torch.float8_e4m3fn)
    model[0].weight = nn.Parameter(short, requires_grad=False)
    before = model[2].weight.detach().clone()
    with pytest.raises(ValueError, match="float8"):
        choosing.initialize_(model, "relu")
    assert torch.equal(model[2].weight, before)
    masked = np.ma.masked_equal(np.arange(4), 2)
    with pytest.raises(ValueError, match="mask"):
        reproducibility_record.data_hash({"x": masked})


def test_a_gradient_of_rounding_size_has_no_noise_scale() -> None:
    """Two rows whose gradients cancel but for the last bit."""
    model = nn.Linear(1, 2, bias=False).double()
    nn.init.zeros_(model.weight)
    x = torch.tensor([[1.0], [-1.0 - 2e-16]], dtype=torch.float64)
    y = torch.zeros(2, dtype=torch.long)
    with pytest.raises(ValueError, match=r"Received: squared=\d\.?\d*e-3"):
        mini_batches_scale.noise_scales(model, x, y, torch.arange(2))
