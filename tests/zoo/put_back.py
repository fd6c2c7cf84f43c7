"""Put faults that were repaired back, one at a time, and see the contract fail.

Run `python tests/zoo/put_back.py`, with words of the faults that are meant, or for all of them. The
modules are those of a copy; a fault that the contract cannot see is left to a test of test_faults.
"""

from __future__ import annotations

import importlib
import linecache
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]


class Fault(NamedTuple):
    """A fault of the list, by its number there: a text of a module, and what stood there."""

    number: str
    module: str
    now: str
    before: str
    found: str  # by the contract with this function, or by this test


FAULTS = (
    Fault(
        "a1: no copy for the model, which changes it in place",
        "initialization/choosing_diagnosis.py",
        "            return h.clone()\n        if type(output)",
        "            return None\n        if type(output)",
        "test_a1_in_place_changes_do_not_disturb_the_diagnosis",
    ),
    Fault(
        "a3: a parametrized layer is not watched",
        "initialization/choosing_diagnosis.py",
        '- {"parametrizations"}',
        "",
        "choosing_diagnosis.diagnose",
    ),
    Fault(
        "a3: a weight under weight_norm is written without effect",
        "initialization/choosing.py",
        '    if not is_parametrized(module, "weight"):\n        module.weight.copy_(weight)',
        "    if True:\n        module.weight.copy_(weight)",
        "choosing.initialize_",
    ),
    Fault(
        "a3: a branch that ends in weight_norm does not start at 0",
        "initialization/residual.py",
        '    if not is_parametrized(module, "weight"):\n        module.weight.copy_(weight)',
        "    if True:\n        module.weight.copy_(weight)",
        "test_a3_branches_with_weight_norm_start_at_zero",
    ),
    Fault(
        "a4: garbage in integers is not named",
        "initialization/frameworks_meta.py",
        "if tensor._version == filled[name] or tensor.isnan().any()",
        "if tensor.isnan().any()",
        "frameworks_meta.materialize_",
    ),
    Fault(
        "a5: the padding row is drawn",
        "initialization/choosing.py",
        "module.weight[module.padding_idx].zero_()",
        "pass",
        "choosing.initialize_",
    ),
    Fault(
        "a6, a7: LayerScale and norms with 1 + weight become 1",
        "initialization/transformers.py",
        "            elif isinstance(module, NORMS):",
        "            elif True:",
        "test_a6_a7_small_starts_stay",
    ),
    Fault(
        "a8: a tied embedding gets the weights of a linear layer",
        "initialization/choosing.py",
        "if isinstance(module, LAYERS) and id(module.weight) not in tied:",
        "if isinstance(module, LAYERS):",
        "choosing.initialize_",
    ),
    Fault(
        "a10: a deviation of 0 divides by 0",
        "initialization/frameworks_truncated.py",
        "    if std == 0:\n        return nn.init.zeros_(tensor)\n",
        "",
        "frameworks_truncated.truncated_normal_",
    ),
    Fault(
        "a11: complex weights get twice the variance",
        "initialization/he.py",
        "    if not tensor.is_floating_point():\n",
        "    if False:\n",
        "he.he_uniform_",
    ),
    Fault(
        "a12: a negative sparsity",
        "initialization/orthogonal_relatives.py",
        "0 <= sparsity <= 1 and",
        "",
        "orthogonal_relatives.sparse_",
    ),
    Fault(
        "b4: a number that is no eigenvalue",
        "taylor/optimization.py",
        "        low, high = values[0].item(), values[-1].item()",
        "        low, high = values[0].item(), values.mean().item()",
        "optimization.largest_curvature",
    ),
    Fault(
        "c1: a range test of negative losses ends at once",
        "training/learning_rate_range.py",
        "value > min(losses) + 3 * abs(losses[0])",
        "value > 4 * min(losses)",
        "test_c1_a_range_test_with_negative_losses_goes_on",
    ),
    Fault(
        "c8: an epsilon that is 0 in float16",
        "training/adaptive.py",
        " or not rounded > 0",
        "",
        "test_c8_an_epsilon_that_rounds_to_zero_is_refused",
    ),
    Fault(
        "an iterator of parameters is spent on their shapes",
        "taylor/multivariate.py",
        "    parameters, vectors = list(parameters), list(vectors)\n",
        "",
        "test_a_parameter_generator_is_not_spent_on_its_shapes",
    ),
    Fault(
        "an order whose factorial is no float",
        "taylor/univariate.py",
        "    if order > 170:",
        "    if False:",
        "test_the_order_has_a_limit",
    ),
    Fault(
        "a1: a full backward hook forbids changes in place",
        "initialization/choosing_diagnosis.py",
        "        self.hooks = [m.register_forward_hook(self.after) for m in names]",
        "        self.hooks = [m.register_forward_hook(self.after) for m in names]\n"
        "        self.hooks += [m.register_full_backward_hook(print) for m in names]",
        "test_a1_in_place_changes_do_not_disturb_the_diagnosis",
    ),
    Fault(
        "a1: the observer's input is changed by the model",
        "initialization/choosing_diagnosis.py",
        "{key: x.clone() for key, x in copies.items()}",
        "copies",
        "choosing_diagnosis.diagnose",
    ),
    Fault(
        "a2: moments of outputs that in-place ReLU has overwritten",
        "initialization/choosing_diagnosis.py",
        "            return h.clone()\n        if type(output)",
        "            self.kept = [*vars(self).get('kept', []), (layer, h)]\n"
        "            for other, x in self.kept:\n"
        "                other.signal = moment(x)\n"
        "            return h.view_as(h).detach().requires_grad_()\n        if type(output)",
        "test_a1_in_place_changes_do_not_disturb_the_diagnosis",
    ),
    Fault(
        "a2: layers in the order of their registration",
        "initialization/choosing_diagnosis.py",
        "    return watch.layers, {",
        "    watch.layers.sort(key=lambda x: list(names).index(x.module))\n"
        "    return watch.layers, {",
        "test_a2_layers_come_in_the_order_of_use",
    ),
    Fault(
        "a2: a layer that is never used",
        "initialization/choosing_diagnosis.py",
        "wanted, allow_unused=True",
        "wanted",
        "test_a2_layers_come_in_the_order_of_use",
    ),
    Fault(
        "a2: a frozen layer",
        "initialization/choosing_diagnosis.py",
        "named_parameters() if p.requires_grad}",
        "named_parameters()}",
        "test_a2_layers_come_in_the_order_of_use",
    ),
    Fault(
        "a2: a layer used twice",
        "initialization/choosing_diagnosis.py",
        "        self.layers.append(layer)",
        "        self.layers = [x for x in self.layers if x.module is not module]\n"
        "        self.layers.append(layer)",
        "test_a2_layers_come_in_the_order_of_use",
    ),
    Fault(
        "a2: a layer with a kernel of one dimension is skipped",
        "initialization/choosing_diagnosis.py",
        "        if isinstance(module, kinds) if kinds else layer:",
        "        if isinstance(module, kinds or (nn.Linear, nn.Conv2d)):",
        "choosing_diagnosis.diagnose",
    ),
    Fault(
        "a3: a weight under spectral_norm is said to be initialized",
        "initialization/choosing.py",
        "        return torch.allclose(module.weight, wanted, rtol=1e-2)",
        "        return True",
        "choosing.initialize_",
    ),
    Fault(
        "a3: scale_branches_ scales the direction",
        "initialization/residual.py",
        "    elif weight.any():\n        module.weight = weight",
        "    elif weight.any():\n        module.parametrizations.weight.original1.copy_(weight)",
        "test_a3_branches_with_weight_norm_are_scaled",
    ),
    Fault(
        "a3: fixup_ divides zeros by their length",
        "initialization/residual.py",
        "        next(iter(module.parametrizations.weight.parameters())).zero_()",
        "        module.weight = weight",
        "test_a3_branches_with_weight_norm_start_at_zero",
    ),
    Fault(
        "a4: garbage in complex numbers is not named",
        "initialization/frameworks_meta.py",
        "if tensor._version == filled[name] or tensor.isnan().any()",
        "if tensor.is_floating_point() and tensor.isnan().any()",
        "frameworks_meta.materialize_",
    ),
    Fault(
        "a4: booleans hold leftover memory",
        "initialization/frameworks_meta.py",
        "            tensor.fill_(False)",
        "            tensor.fill_(True)",
        "test_a4_integers_and_booleans_that_nobody_sets_are_named",
    ),
    Fault(
        "a4: integers hold leftover memory",
        "initialization/frameworks_meta.py",
        "            tensor.fill_(torch.iinfo(tensor.dtype).min)",
        "            tensor.fill_(7)",
        "test_a4_integers_and_booleans_that_nobody_sets_are_named",
    ),
    Fault(
        "a5: the padding row of a transformer is drawn",
        "initialization/transformers.py",
        "            module.weight[row].zero_()",
        "            pass",
        "test_a5_padding_rows_stay_zero",
    ),
    Fault(
        "a6: a parameter that was left alone is not named",
        "initialization/transformers.py",
        "            else:\n                left.append(name)",
        "            else:\n                pass",
        "transformers.init_transformer_",
    ),
    Fault(
        "a7: a norm with 1 + weight starts at 2",
        "initialization/transformers.py",
        "            elif isinstance(module, NORMS):",
        "            elif 'Norm' in type(module).__name__:",
        "test_a6_a7_small_starts_stay",
    ),
    Fault(
        "a8: a tied head sets the embedding to 0",
        "initialization/choosing.py",
        "(id(head.weight) in tied or not follows(head))",
        "not follows(head)",
        "test_a8_a_tied_head_keeps_the_law_of_the_embedding",
    ),
    Fault(
        "a11: complex weights get twice the variance from Xavier",
        "initialization/xavier.py",
        "    if not tensor.is_floating_point() or not 0 <= gain < math.inf:",
        "    if not 0 <= gain < math.inf:",
        "xavier.xavier_uniform_",
    ),
    Fault(
        "a11: the sign of a complex number",
        "initialization/orthogonal.py",
        "    if tensor.ndim < 2 or not tensor.is_floating_point():",
        "    if tensor.ndim < 2:",
        "orthogonal.orthogonal_",
    ),
    Fault(
        "a11: a diagnosis of complex numbers by their real part",
        "initialization/choosing_diagnosis.py",
        "x.detach().abs().cpu().double()",
        "x.detach().cpu().double()",
        "choosing_diagnosis.diagnose",
    ),
    Fault(
        "a12: the zeros are drawn on another device than the generator's",
        "initialization/orthogonal_relatives.py",
        "generator=generator, device=tensor.device",
        "generator=generator",
        "test_a12_zeros_are_drawn_where_the_tensor_is",
    ),
    Fault(
        "b1: a derivative that is NaN",
        "taylor/univariate.py",
        "        if not torch.isfinite(derivative):",
        "        if False:",
        "test_b1_a_removable_singularity_is_refused",
    ),
    Fault(
        "b3: no second derivative through fused attention",
        "taylor/multivariate.py",
        "    except RuntimeError as error:",
        "    except ZeroDivisionError as error:",
        "multivariate.taylor_terms",
    ),
    Fault(
        "b3: no curvature through fused attention",
        "taylor/optimization.py",
        "    except RuntimeError as error:",
        "    except ZeroDivisionError as error:",
        "optimization.largest_curvature",
    ),
    Fault(
        "b4: no word when it has not converged",
        "taylor/optimization.py",
        "        return self.residual <= 1e-6 * size",
        "        return True",
        "optimization.largest_curvature",
    ),
    Fault(
        "b8: a reentrant checkpoint ends in an error of torch",
        "initialization/choosing_diagnosis.py",
        "    except RuntimeError as error:",
        "    except ZeroDivisionError as error:",
        "test_what_the_diagnosis_cannot_judge",
    ),
    Fault(
        "c5: workers that live on do not see the epoch",
        "training/reproducibility_data.py",
        "        self._epoch.fill_(epoch)",
        "        self._epoch = torch.tensor(epoch)",
        "test_c5_the_epoch_lies_in_shared_memory",
    ),
    Fault(
        "c8: an epsilon that is 0 in float16, in AdaGrad",
        "training/adaptive.py",
        "    _check_step(epsilon, theta, g, u)\n    u = u + g**2",
        "    u = u + g**2",
        "test_c8_an_epsilon_that_rounds_to_zero_is_refused",
    ),
    Fault(
        "an error after all weights were changed",
        "initialization/transformers.py",
        "    if depth < 1 or len(found) != 2 * depth or not 0 <= std < math.inf:",
        "    for p in model.parameters():\n        p.zero_()\n"
        "    if depth < 1 or len(found) != 2 * depth or not 0 <= std < math.inf:",
        "transformers.init_transformer_",
    ),
    Fault(
        "a packed sequence is no tensor",
        "initialization/choosing_diagnosis.py",
        "    found = map(first, value) if isinstance(value, (tuple, list)) else ()",
        "    found = value if isinstance(value, (tuple, list)) else ()",
        "choosing_diagnosis.diagnose",
    ),
    Fault(
        "a buffer that forward creates stays",
        "initialization/choosing_diagnosis.py",
        "            table.clear()\n",
        "",
        "choosing_diagnosis.diagnose",
    ),
    Fault(
        "a buffer that forward resizes",
        "initialization/choosing_diagnosis.py",
        "            table.update(entries)",
        "            for key in entries:\n"
        "                if isinstance(entries[key], Tensor):\n"
        "                    entries[key].copy_(table[key])\n"
        "            table.update(entries)",
        "choosing_diagnosis.diagnose",
    ),
    Fault(
        "inference mode",
        "initialization/choosing_diagnosis.py",
        "            torch.inference_mode(False),\n",
        "",
        "test_the_diagnosis_takes_what_models_take",
    ),
    Fault(
        "a saturated ReLU6 is healthy",
        "initialization/choosing_diagnosis.py",
        "    nn.ReLU6: (0, 6),\n",
        "",
        "choosing_diagnosis.diagnose",
    ),
    Fault(
        "a saturated Hardtanh is not named",
        "initialization/choosing_diagnosis.py",
        "    nn.Hardtanh: (-1, 1),\n",
        "",
        "test_a_saturated_hardtanh_is_named",
    ),
    Fault(
        "float64 on a device that has none",
        "initialization/choosing_diagnosis.py",
        ".abs().cpu().double()",
        ".abs().double().cpu()",
        "test_moments_are_summed_on_the_cpu",
    ),
    Fault(
        "the curvature of a linear loss",
        "taylor/optimization.py",
        "    if not gradient.requires_grad:\n        return torch.zeros_like(x)\n"
        "    try:\n        (product,) = torch.autograd.grad(\n"
        "            gradient @ v.to(x.dtype),\n            x,\n            retain_graph=True,\n"
        "            materialize_grads=True,\n        )\n    except RuntimeError as error:",
        "    try:\n        (product,) = torch.autograd.grad(\n"
        "            gradient @ v.to(x.dtype), x, retain_graph=True\n        )\n"
        "    except ZeroDivisionError as error:",
        "optimization.largest_curvature",
    ),
    Fault(
        "a loss that is independent of the point",
        "taylor/optimization.py",
        "        value, x, create_graph=True, allow_unused=True\n",
        "        value, x, create_graph=True\n",
        "optimization.largest_curvature",
    ),
    Fault(
        "a loss that is independent of the parameters",
        "taylor/multivariate.py",
        "        loss, parameters, create_graph=True, allow_unused=True\n",
        "        loss, parameters, create_graph=True, materialize_grads=True\n",
        "test_a_loss_of_other_parameters_is_refused",
    ),
    Fault(
        "a function that is independent of its argument",
        "taylor/univariate.py",
        "            derivative, x, retain_graph=True, allow_unused=True\n",
        "            derivative, x, retain_graph=True, materialize_grads=True\n",
        "test_a_loss_of_other_parameters_is_refused",
    ),
    Fault(
        "a start on another device than the point",
        "taylor/optimization.py",
        "    start = start.to(x.device)\n",
        "",
        "test_the_start_is_where_the_point_is",
    ),
    Fault(
        "the message names a step of the cosine",
        "training/learning_rate.py",
        "not 0 <= warmup < total or not 0 <= step <= total:",
        "not 0 <= warmup < total:",
        "test_messages_name_the_numbers_of_the_caller",
    ),
    Fault(
        "rows that come sorted by class",
        "training/datasets.py",
        "Rows come sorted by class: shuffle them\n    before training in batches.",
        "",
        "test_a_split_says_that_its_rows_are_sorted",
    ),
    Fault(
        "a constant column of float32 is divided by its rounding",
        "training/datasets.py",
        "    constant = x.min(0) == x.max(0)\n"
        "    std = x.std(0)  # of a column below 1e-160 it is 0, by underflow\n"
        "    return x.mean(0), np.where(constant | (std == 0), 1.0, std)",
        "    return x.mean(0), np.where(x.std(0) == 0, 1.0, x.std(0))",
        "datasets.fit_scaler",
    ),
    Fault(
        "a constant column of float32 is divided by its rounding, in float32",
        "training/datasets.py",
        "    x = x.astype(np.float64)  # float32 rounds the mean of a constant column\n"
        "    constant = x.min(0) == x.max(0)\n"
        "    std = x.std(0)  # of a column below 1e-160 it is 0, by underflow\n"
        "    return x.mean(0), np.where(constant | (std == 0), 1.0, std)",
        "    return x.mean(0), np.where(x.std(0) == 0, 1.0, x.std(0))",
        "test_a_constant_column_stays_zero_in_float32_and_small_features_count",
    ),
    Fault(
        "a constant column of float32 becomes noise",
        "initialization/lecun_inputs.py",
        "    varies = inputs.min(axis=0) < inputs.max(axis=0)",
        "    varies = inputs.std(axis=0) > 0",
        "lecun_inputs.standardize",
    ),
    Fault(
        "observer: the modes of the model are not restored",
        "initialization/orthogonal_lsuv.py",
        "            module.training = mode\n    return steps",
        "            pass\n    return steps",
        "orthogonal_lsuv.lsuv_",
    ),
    Fault(
        "layout: parameters that lie channels last",
        "taylor/multivariate_module.py",
        "torch.cat([p.detach().reshape(-1) for p in named.values()])",
        "torch.cat([p.detach().view(-1) for p in named.values()])",
        "multivariate_module.flat_loss",
    ),
    Fault(
        "layout: an orthogonal weight that lies channels last",
        "initialization/orthogonal_lsuv.py",
        "wide = torch.empty(weight.shape, device=weight.device)",
        "wide = torch.empty_like(weight, dtype=torch.float32)",
        "orthogonal_lsuv.lsuv_",
    ),
    Fault(
        "residual: a product that works in place",
        "taylor/optimization.py",
        "product(basis[-1].clone())",
        "product(basis[-1])",
        "optimization.lanczos",
    ),
    Fault(
        "residual: that of one end only",
        "taylor/optimization.py",
        "residual = (left * last[-1].abs()).max().item()",
        "residual = (left * last[-1].abs()).min().item()",
        "optimization.lanczos",
    ),
    Fault(
        "residual: the basis loses its orthogonality",
        "taylor/optimization.py",
        "        for _ in range(2):\n            image = image",
        "        for _ in range(0):\n            image = image",
        "optimization.lanczos",
    ),
    Fault(
        "precision: a product in float64",
        "taylor/optimization_trust.py",
        "product(direction.clone()).to(direction.dtype)",
        "product(direction)",
        "optimization_trust.conjugate_gradients",
    ),
    Fault(
        "variance: he_initialize_ writes a weight that is made anew",
        "initialization/he_model.py",
        "        if own is None or nn.parameter.is_lazy(own) or own.is_meta:",
        "        if own is not None and nn.parameter.is_lazy(own):",
        "he_model.he_initialize_",
    ),
    Fault(
        "variance: muP draws the length of weight_norm",
        "initialization/optimizers_recipe.py",
        '        if "parametrizations." in name\n',
        "        if False\n",
        "optimizers_recipe.mup_",
    ),
    Fault(
        "biases: those of recurrent layers keep their draw",
        "initialization/optimizers_recipe.py",
        'elif "bias" in name.rpartition(".")[2]:',
        'elif name.endswith("bias"):',
        "optimizers_recipe.mup_",
    ),
    Fault(
        "left alone: reading a weight moves spectral_norm",
        "initialization/choosing.py",
        "        if m not in skipped and follows(m) and id(m.weight) not in tied",
        "        if m not in skipped and id(m.weight) not in tied",
        "choosing.initialize_",
    ),
    Fault(
        "left alone: integers of a quantized weight",
        "initialization/transformers.py",
        "            if made or not parameter.is_floating_point():",
        "            if made:",
        "transformers.init_transformer_",
    ),
    Fault(
        "left alone: a pruned weight",
        "initialization/transformers.py",
        '("weight_g", "weight_v", "weight_orig")',
        '("weight_g", "weight_v")',
        "transformers.init_transformer_",
    ),
    Fault(
        "variance: a layer that shares its weight with a later one",
        "initialization/orthogonal_lsuv.py",
        "                if not abs(variance - 1) <= tol:",
        "                if False:",
        "orthogonal_lsuv.lsuv_",
    ),
    Fault(
        "a quantized model ends in a warning of torch",
        "initialization/choosing_diagnosis.py",
        '        if "quantized" in type(module).__module__:',
        "        if False:",
        "choosing_diagnosis.diagnose",
    ),
    Fault(
        "a healthy model is refused: frozen parameters",
        "initialization/choosing_diagnosis.py",
        "    if all(grad is None for grad in grads):",
        "    if not all(p.requires_grad for p in model.parameters()):",
        "choosing_diagnosis.diagnose",
    ),
    Fault(
        "an expert without samples has a variance of NaN",
        "initialization/orthogonal_lsuv.py",
        "        if z.numel():",
        "        if True:",
        "orthogonal_lsuv.lsuv_",
    ),
    Fault(
        "a loss of NaN is healthy",
        "initialization/choosing_diagnosis.py",
        "size if math.isfinite(size) else math.inf",
        "size",
        "test_a_loss_of_nan_is_not_healthy",
    ),
    Fault(
        "a norm of another kind ends the branch",
        "initialization/residual.py",
        "NORMS = (*OTHER_NORMS, *BATCH_NORMS, *INSTANCE_NORMS)",
        "NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, *BATCH_NORMS)",
        "test_every_norm_that_ends_a_branch_gets_the_zero",
    ),
    Fault(
        "a shared branch is scaled each time",
        "initialization/residual.py",
        "in zip(lasts, weights, strict=True):  # may be shared\n        write_(layer, weight)",
        "in zip(lasts, weights):\n        write_(layer, layer.weight / math.sqrt(len(branches)))",
        "test_a_shared_branch_is_scaled_once",
    ),
    Fault(
        "a mask counts as many rows as there are",
        "training/mini_batches_scale.py",
        "/ count\n",
        "/ len(some)\n",
        "test_a_mask_of_rows_counts_what_it_holds",
    ),
    Fault(
        "a missing group leaves the test part empty",
        "training/datasets.py",
        "    if any(x is None or x != x for x in groups.flat):",
        "    if False:",
        "test_a_missing_label_is_refused",
    ),
    Fault(
        "a gradient of NaN has the slope NaN",
        "taylor/multivariate_check.py",
        "        if not np.isfinite(last[-1:]).all():",
        "        if False:",
        "test_a_gradient_of_nan_is_neither_right_nor_wrong",
    ),
    Fault(
        "rows: a statistic of the first sample only",
        "initialization/lecun_inputs.py",
        "inputs - inputs.mean(axis=0), 0)",
        "inputs - inputs[0], 0)",
        "lecun_inputs.standardize",
    ),
    Fault(
        "precision: moments in the type that was given",
        "training/datasets.py",
        "    x = x.astype(np.float64)  # float32",
        "    x = x.astype(np.float16)  # float32",
        "datasets.fit_scaler",
    ),
)


def cases(test: Callable[..., None]) -> list[dict[str, Any]]:
    """Return the arguments of a test in its parametrizations."""
    found: list[dict[str, Any]] = [{}]
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names, values = mark.args
            names = names.split(",") if isinstance(names, str) else names
            rows = [dict(zip(names, v if len(names) > 1 else [v], strict=True)) for v in values]
            found = [old | row for old in found for row in rows]
    return found


def fails(found: str) -> bool:
    """Tell whether the contract with a function, or a test, fails."""
    import pytest

    from zoo import contract, general, test_faults
    from zoo.examples import example
    from zoo.oracles import ORACLES

    if found.startswith("test_"):
        test = getattr(test_faults, found)
        try:
            for arguments in cases(test):
                test(**arguments)
        except (Exception, pytest.fail.Exception):
            return True
        return False
    stem, name = found.split(".")
    module = next(
        m for k, m in sys.modules.items() if k.startswith("x0.") and k.endswith(f".{stem}")
    )
    subject = contract.describe(found, getattr(module, name))
    calls = (contract.meetings(subject, example) for _ in range(2))
    for call, twin in zip(*calls, strict=True):
        if general.judge(subject, call, twin, example, ORACLES.get(found))[0].end == "failed":
            return True
    return False


def bites(fault: Fault, folder: Path) -> bool:
    """Tell whether a fault is found, and the repaired module passes."""
    path = folder / fault.module
    module = importlib.import_module("x0." + fault.module.removesuffix(".py").replace("/", "."))
    text, ends = path.read_text(), []
    assert fault.now in text, f"{fault.number}: {fault.now!r} is no longer in {fault.module}"
    for version in (text.replace(fault.now, fault.before), text):
        path.write_text(version)
        linecache.checkcache()
        code = compile(version, str(path), "exec", dont_inherit=True)
        exec(code, vars(module))
        ends.append(fails(fault.found))
    return ends == [True, False]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(ROOT / "src" / "x0", Path(place) / "x0")
        sys.path[:0] = [place, str(ROOT / "tests")]
        for fault in FAULTS:
            if len(sys.argv) < 2 or any(word in fault.number for word in sys.argv[1:]):
                word = "bites" if bites(fault, Path(place) / "x0") else "PASSES"
                print(f"{word:7} {fault.number}", flush=True)
