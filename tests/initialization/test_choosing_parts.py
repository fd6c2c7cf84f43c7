"""Each row of the tables of transformers, outputs and fine-tuning keeps its promise."""

import math
import os
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits
from torch import distributed, nn

from x0.initialization import choosing_parts as parts
from x0.initialization.choosing import initialize_
from x0.initialization.frameworks_meta import materialize_
from x0.initialization.transformers import init_transformer_

WRONG = {
    "Fixup": 2.0,
    "zero last": 2.0,
    "post-norm": 1.0,  # without the norm the input keeps its share
    "DeepNorm": 0.5**12,  # post-norm with branches of gain 1
    "patch": 2.0,  # He's variance
    "GAN": 2.0,
    "spectral norm": 2.8,  # the weights of He
    "GRU": 0.5,
    "input weight": 0.4,  # Xavier on the stacked matrix
    "QK-norm": (64 * 0.02**2) ** 2,  # without the norm
    "untied embedding": 0.02**2,
    "padding": 1.0,
    "router": 1.0,  # Xavier
    "experts": 1 / 64,  # He on the stacked tensor
    "LM head": math.log(1000) + 32,  # the default N(0, 1) of an embedding
    "reward": 2.0,
    "value": 1.0,
    "bottleneck": 1.0,
    "control": 1.0,
    "step bias": math.log(2),  # a bias of 0
    "decay": 0.5,
    "graph": 1.0,  # what He's variance keeps without the mean
    "dot product": 64.0,  # the default N(0, 1)
    "positions": 1.0,
    "policy": 1.0,
    "CLIP": math.log(256),  # a temperature of 1, nearly
    "SigLIP": 184.0,  # a bias of 0
    "codebook": 1 / 64,  # all outputs nearest to one code
    "pixel shuffle": 1.0,
    "soft prompt": 2500.0,  # the default N(0, 1)
    "channels": 1.0,
    "float8": 0.5,
    "continual": 1.0,
    "warm start": 0.25,
    "half precision": 0.5,
}
EXACT = {"Fixup", "zero last", "GRU", "padding", "value", "bottleneck", "control"}
EXACT |= {"continual", "channels", "policy", "decay", "codebook", "pixel shuffle"}


@pytest.mark.parametrize("name", parts.promises())
def test_the_row_keeps_its_promise(name):
    theory, seen = parts.promises()[name]
    seen = seen.detach().double()
    mean, error = float(seen.mean()), float(seen.std()) / math.sqrt(len(seen))
    if name in EXACT:
        assert torch.allclose(seen, torch.full_like(seen, theory), rtol=1e-4, atol=1e-7)
    else:
        finite = 0.02 * theory  # the prediction is that of infinite width
        assert abs(mean - theory) < 4 * error + finite
        assert 4 * error < 0.2 * theory
    assert abs(mean - WRONG[name]) > 4 * error + 1e-3


def test_step_biases_and_siglip_in_numbers():
    """The step of a Mamba block lies between 0.001 and 0.1; SigLIP with b = 0 would start at a loss of 184."""
    generator, b = torch.Generator().manual_seed(4), torch.empty(20000)
    parts.run_call(parts.CALLS["step bias"], generator, b=b)
    step = nn.functional.softplus(b)
    assert 0.001 * 0.999 < float(step.min()) < 0.0011
    assert 0.09 < float(step.max()) < 0.1 * 1.001
    losses = []
    for _ in range(5):
        x, y = nn.functional.normalize(torch.randn(2, 256, 512, generator=generator), dim=2)
        logits = 10 * (x @ y.T) * (2 * torch.eye(256) - 1)
        losses.append(nn.functional.softplus(-logits).sum() / 256)
    assert abs(float(torch.stack(losses).mean()) - 184) < 1


def test_float8_without_a_scale_loses_small_weights():
    """Unscaled, 26 % of weights of standard deviation 0.02 / sqrt(48) round to 0 in e4m3; scaled hardly any do."""
    generator = torch.Generator().manual_seed(4)
    w = 0.02 / math.sqrt(48) * torch.randn(100_000, generator=generator)
    q = w.to(torch.float8_e4m3fn)
    assert abs(float((q.float() == 0).float().mean()) - 0.265) < 0.005
    parts.run_call(parts.CALLS["float8"], generator, w=w, q=q)
    assert float((q.float() == 0).float().mean()) < 1e-3


def test_every_call_has_a_row():
    assert set(parts.promises()) == set(parts.CALLS) == set(WRONG)


@pytest.mark.proves("choosing-experts", kind="cause", seeds=20, effect="1 : 1/64")
def test_he_on_stacked_experts_reads_the_wrong_fan():
    """kaiming_normal_ on a stack of experts (E, out, in) divides their variance by out; one by one it does not."""
    generator = torch.Generator().manual_seed(1)
    for out, n in ((16, 16), (64, 64), (16, 64), (64, 16)):
        for call, factor in (("kaiming_normal_(w)", 1 / out), (parts.CALLS["experts"], 1)):
            w = torch.empty(20, out, n)
            parts.run_call(call, generator, w=w)
            found = n / 2 * w.square().mean((1, 2))
            error = float(found.std()) / math.sqrt(20)
            assert abs(float(found.mean()) - factor) < 4 * error < 0.2 * factor


@pytest.mark.proves("choosing-router", kind="fact", range="2…64 experts, top 1…2")
def test_a_router_of_zeros_sends_all_tokens_to_the_same_experts():
    """With a router of zeros topk picks the same experts for each token; with 0.02 every expert is picked."""
    generator = torch.Generator().manual_seed(1)
    h = torch.nn.functional.layer_norm(torch.randn(4000, 64, generator=generator), (64,))
    for experts in (2, 8, 64):
        for k in (1, 2):
            w = torch.zeros(experts, 64)
            assert len((h @ w.T).topk(k).indices.unique()) == k
            parts.run_call(parts.CALLS["router"], generator, w=w)
            assert len((h @ w.T).topk(k).indices.unique()) == experts


@pytest.mark.proves("choosing-control", kind="call")
def test_a_zero_convolution_learns():
    """A convolution of zeros adds nothing and has a gradient that is not zero."""
    layer = nn.Conv2d(3, 3, 1)
    parts.run_call(parts.CALLS["control"], torch.Generator(), w=layer.weight, b=layer.bias)
    x = torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    out = layer(x)
    assert not out.any()
    (out - x).square().sum().backward()
    assert layer.weight.grad.any()
    assert layer.bias.grad.any()


@pytest.mark.proves(
    "choosing-warm", kind="fact", range="8 hidden layers, width 64, Adam, 100 steps", seeds=5
)
def test_a_warm_start_loses_what_a_deep_model_has_learned():
    """Eight hidden layers trained on the digits are right for over 80 % of test images, after the row for under 40 %."""
    digits = load_digits()
    x, y = torch.tensor(digits.data / 8 - 1).float(), torch.tensor(digits.target)
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        hidden = [layer for _ in range(8) for layer in (nn.Linear(64, 64), nn.ReLU())]
        model = nn.Sequential(*hidden, nn.Linear(64, 10))
        initialize_(model, "relu", generator=generator)
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        for _ in range(100):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[:1000]), y[:1000]).backward()
            optimizer.step()
        right = []
        for again in (False, True):
            for layer in model:
                if again and isinstance(layer, nn.Linear):
                    call = parts.CALLS["warm start"]
                    parts.run_call(call, generator, w=layer.weight, torch=torch)
            right.append((model(x[1000:]).argmax(1) == y[1000:]).double().mean().item())
        assert right[0] > 0.8
        assert right[1] < 0.4


@pytest.mark.proves(
    "choosing-averages", kind="cause", range="width 256, 64 tokens", seeds=20, effect="0.96 : 0.50"
)
def test_attention_leaves_more_of_the_input_than_an_mlp_as_it_averages():
    """In post-norm, attention leaves more than a half of the input, as it averages unlike tokens; where all
    tokens are alike, so that the average is what each one says, it leaves a half."""
    torch.manual_seed(0)
    shares = {"unlike": [], "alike": []}
    for _ in range(20):
        attention = nn.MultiheadAttention(256, 4, batch_first=True)
        initialize_(attention, "relu")
        for name, count in (("unlike", 64), ("alike", 1)):
            x = nn.functional.layer_norm(torch.randn(4, count, 256), (256,)).expand(4, 64, 256)
            y = nn.functional.layer_norm(x + attention(x, x, x)[0], (256,)).detach()
            shares[name].append(nn.functional.cosine_similarity(x, y, dim=2).square().mean())
    for name, share in (("unlike", 0.96), ("alike", 0.5)):
        assert float(torch.stack(shares[name]).mean()) == pytest.approx(share, abs=0.03)


@pytest.mark.proves("choosing-meta", kind="call")
def test_a_meta_model_is_complete_after_both_functions():
    """to_empty alone sets no value and initialize_ leaves norms as they are, so the layers are reset first;
    after both functions no name is returned, no value is left to chance, and shared weights are shared."""

    def build():
        with torch.device("meta"):
            return nn.Sequential(nn.Linear(4, 9), nn.LayerNorm(9), nn.ReLU(), nn.Linear(9, 2))

    model = build()
    assert materialize_(model) == []
    assert initialize_(model, "relu") == []
    assert (model[1].weight == 1).all()
    assert all(p.isfinite().all() for p in model.parameters())
    model = build().to_empty(device="cpu")
    with torch.no_grad():
        for parameter in model.parameters():  # what the memory happens to hold
            parameter.fill_(7.0)
    initialize_(model, "relu")
    assert (model[1].weight == 7).all()
    assert (model[0].weight != 7).all()
    with torch.device("meta"):
        model = nn.Sequential(nn.Embedding(300, 16), nn.Linear(16, 300, bias=False))
        model[1].weight = model[0].weight
        layer = nn.TransformerEncoderLayer(16, 2, 64, norm_first=True)
        gpt = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    assert materialize_(model) == initialize_(model, "relu") == []
    assert model[1].weight is model[0].weight
    assert model[1].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert materialize_(gpt) == init_transformer_(gpt, depth=2) == []
    assert all(p.isfinite().all() for p in gpt.parameters())


def worker(rank, store, folder):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=2, timeout=timedelta(minutes=5)
    )
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor.parallel import (
        ColwiseParallel,
        RowwiseParallel,
        parallelize_module,
    )

    found = {}
    torch.manual_seed(rank)
    model = nn.Linear(4, 4, bias=False)
    found["own"] = model.weight.detach().clone()
    found["ddp"] = nn.parallel.DistributedDataParallel(model).module.weight.detach().clone()
    mesh = init_device_mesh("cpu", (2,))
    torch.manual_seed(rank)
    model = nn.Linear(4, 4, bias=False)
    fully_shard(model, mesh=mesh)
    found["wrapped"] = model.weight.full_tensor().detach()
    torch.manual_seed(0)
    model = nn.Linear(4, 4, bias=False)
    found["same"] = model.weight.detach().clone()
    fully_shard(model, mesh=mesh)
    found["sharded"] = model.weight.full_tensor().detach()
    found["mask"] = nn.functional.dropout(torch.ones(64))
    torch.manual_seed(rank)
    found["own mask"] = nn.functional.dropout(torch.ones(64))
    torch.manual_seed(0)
    with torch.no_grad():
        nn.init.normal_(model.weight)
    found["after"] = model.weight.full_tensor().detach()
    torch.manual_seed(rank)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 4))
    initialize_(model, "relu")
    found["whole"] = [model[i].weight.detach().clone() for i in (0, 2)]
    parallelize_module(model, mesh, {"0": ColwiseParallel(), "2": RowwiseParallel()})
    found["parallel"] = [model[i].weight.full_tensor().detach() for i in (0, 2)]
    found["slices"] = [tuple(model[i].weight.to_local().shape) for i in (0, 2)]
    torch.save(found, Path(folder) / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.multiprocessing.spawn(worker, (str(folder / "store"), str(folder)), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.proves("choosing-ddp", kind="call", range="2 processes, gloo, CPU")
def test_ddp_gives_every_rank_the_values_of_rank_0(ranks):
    """DistributedDataParallel gives each rank the values of rank 0, whatever the rank has drawn itself."""
    first, second = ranks
    assert not torch.equal(first["own"], second["own"])
    assert torch.equal(first["ddp"], first["own"])
    assert torch.equal(second["ddp"], first["own"])


@pytest.mark.proves("choosing-fsdp", kind="call", range="2 processes, gloo, CPU")
def test_fsdp_keeps_what_each_rank_has_drawn(ranks):
    """fully_shard keeps of each rank's own draw its shard: one seed on all ranks before it gives the model
    of one process. On the CPU, drawing after it with one seed gives all shards the same numbers. With one
    seed all ranks draw the same dropout masks, with a seed of its own each rank draws another one."""
    first, second = ranks
    assert torch.equal(first["wrapped"], torch.cat([first["own"][:2], second["own"][2:]]))
    assert torch.equal(first["sharded"], first["same"])
    assert torch.equal(second["sharded"], first["same"])
    assert torch.equal(first["after"][:2], first["after"][2:])
    assert torch.equal(first["mask"], second["mask"])
    assert not torch.equal(first["own mask"], second["own mask"])


@pytest.mark.proves("choosing-tensor-parallel", kind="call", range="2 processes, gloo, CPU")
def test_tensor_parallelism_slices_the_draw_of_rank_0(ranks):
    """parallelize_module gives each rank its slice of rank 0's draw, whatever the rank has drawn itself; the
    slice of a row-parallel layer has half as many columns, so that a draw on it would read half the fan_in."""
    first, second = ranks
    assert not torch.equal(first["whole"][0], second["whole"][0])
    for i in range(2):
        assert torch.equal(first["parallel"][i], first["whole"][i])
        assert torch.equal(second["parallel"][i], first["whole"][i])
    assert first["slices"] == [(3, 4), (4, 3)]


@pytest.mark.proves("choosing-spectral", kind="fact", range="dense layer and convolution")
def test_under_spectral_norm_a_draw_has_no_effect_and_zeros_give_nan():
    """Under spectral_norm the scale is divided out, a draw into the weight has no effect, and 0 gives NaN."""
    spectral_norm = nn.utils.parametrizations.spectral_norm
    for make in (lambda: nn.Linear(6, 6), lambda: nn.Conv2d(6, 6, 3)):
        torch.manual_seed(0)
        found = []
        for scale in (1.0, 100.0):
            layer = make()
            with torch.no_grad():
                layer.weight.copy_(
                    scale * torch.linspace(-1, 2, layer.weight.numel()).view_as(layer.weight)
                )
            found.append(spectral_norm(layer).eval().weight)
        assert torch.allclose(*found, rtol=1e-3, atol=1e-4)
        with torch.no_grad():
            nn.init.kaiming_normal_(layer.weight)
        assert torch.equal(layer.weight, found[1])
        layer = make()
        nn.init.zeros_(layer.weight)
        assert spectral_norm(layer).weight.isnan().all()


def test_the_output_of_attention_has_the_variance_of_a_linear_layer():
    """It reads no activation function: fan_in times the variance is 1, that of the MLP beside it is 2."""
    torch.manual_seed(0)
    block = nn.TransformerEncoderLayer(256, 4, 512)
    assert initialize_(block, "relu") == []
    for layer, scale in ((block.self_attn.out_proj, 1), (block.linear1, 2), (block.linear2, 2)):
        found = layer.weight[0].numel() * layer.weight.square().mean().item()
        assert found == pytest.approx(scale, rel=0.03)
