"""Small models as they occur in practice, each with what makes it awkward."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils.checkpoint import checkpoint

Build = Callable[[], tuple[nn.Module, tuple[Any, ...]]]


class Model(NamedTuple):
    """A model of the zoo; build draws from the global generator, which the caller seeds."""

    name: str
    trap: str
    build: Build
    ill: str = ""  # the verdict of a diagnosis, if it is not healthy


MODELS: dict[str, Model] = {}


def member(trap: str, ill: str = "") -> Callable[[Build], Build]:
    def add(build: Build) -> Build:
        MODELS[build.__name__] = Model(build.__name__, trap, build, ill)
        return build

    return add


def make(name: str, seed: int = 0) -> tuple[nn.Module, tuple[Any, ...]]:
    """Return a fresh model of the zoo and its inputs; the global generator stays where it was."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # building weight_norm of the old kind warns
        torch.manual_seed(seed)
        return MODELS[name].build()


@functools.cache
def classifies(name: str, rows: bool) -> bool:
    """Tell whether a model maps a batch (of rows of features) to logits, one row for each sample."""
    model, inputs = make(name)
    if len(inputs) > 1 or not inputs[0].is_floating_point() or (rows and inputs[0].dim() != 2):
        return False
    try:
        out = model(inputs[0])
    except Exception:
        return False  # it takes the inputs in another way, or has no numbers
    return (
        isinstance(out, Tensor)
        and out.dim() == 2
        and len(out) == len(inputs[0])
        and out.shape[1] > 2
    )


class Of(nn.Module):
    """A module from named parts and a function of them."""

    def __init__(self, forward: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self._call = forward
        for name, part in parts.items():
            if isinstance(part, Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, *inputs: Any) -> Any:
        return self._call(self, *inputs)


def images(channels: int = 3) -> Tensor:
    return torch.randn(8, channels, 8, 8)


def he_(model: nn.Module) -> nn.Module:
    for m in model.modules():
        if isinstance(m, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(m.weight)
    return model


# --- convolutions ----------------------------------------------------------------------------


def basic(n: int) -> nn.Module:
    def forward(m: Any, x: Tensor) -> Tensor:
        out = m.relu(m.bn1(m.conv1(x)))
        out = m.bn2(m.conv2(out))
        out += x
        return m.relu(out)

    return Of(
        forward,
        conv1=nn.Conv2d(n, n, 3, padding=1, bias=False),
        bn1=nn.BatchNorm2d(n),
        relu=nn.ReLU(inplace=True),
        conv2=nn.Conv2d(n, n, 3, padding=1, bias=False),
        bn2=nn.BatchNorm2d(n),
    )


@member("adds in place; one ReLU module, in place, is used twice")
def basic_block() -> Any:
    stem = nn.Conv2d(3, 8, 3, padding=1)
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))
    return he_(nn.Sequential(stem, basic(8), basic(8), pool)), (images(),)


@member("F.relu(…, inplace=True) on the output of a norm; three convolutions")
def bottleneck() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        out = F.relu(m.bn1(m.conv1(x)), inplace=True)
        out = F.relu(m.bn2(m.conv2(out)), inplace=True)
        out = m.bn3(m.conv3(out))
        out += m.down(x)
        return F.relu(out, inplace=True).mean((2, 3))

    model = Of(
        forward,
        conv1=nn.Conv2d(3, 8, 1, bias=False),
        bn1=nn.BatchNorm2d(8),
        conv2=nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False),
        bn2=nn.BatchNorm2d(8),
        conv3=nn.Conv2d(8, 16, 1, bias=False),
        bn3=nn.BatchNorm2d(16),
        down=nn.Conv2d(3, 16, 1),
    )
    return he_(model), (images(),)


@member("the last norm of each branch starts at 0 (zero-γ), and so does the head")
def zero_gamma() -> Any:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), basic(8), basic(8), nn.Flatten(), nn.Linear(288, 5))
    for block in (model[1], model[2]):
        nn.init.zeros_(block.bn2.weight)
    nn.init.zeros_(model[4].weight)
    return model, (images(),)


@member("transposed and grouped convolutions; skips by concatenation")
def u_net() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        a = F.relu(m.down1(x))
        b = F.relu(m.down2(a))
        c = F.relu(m.up(b))
        return m.out(torch.cat([a, c], 1))

    model = Of(
        forward,
        down1=nn.Conv2d(4, 8, 3, padding=1, groups=2),
        down2=nn.Conv2d(8, 16, 3, stride=2, padding=1, padding_mode="circular"),
        up=nn.ConvTranspose2d(16, 8, 2, stride=2, groups=2),
        out=nn.Conv2d(16, 2, 1),
    )
    return he_(model), (images(4),)


@member("one-dimensional, grouped, without bias, over a transposed view")
def conv1d() -> Any:
    layers = (nn.Conv1d(4, 8, 3), nn.GELU(), nn.Conv1d(8, 8, 3, groups=8), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(32, 3)), (torch.randn(6, 8, 4).transpose(1, 2),)


# --- attention -------------------------------------------------------------------------------


def encoder(norm_first: bool) -> Any:
    layer = nn.TransformerEncoderLayer(
        16, 2, 32, dropout=0.0, batch_first=True, norm_first=norm_first
    )
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return model, (torch.randn(4, 5, 16),)


@member("copies of one layer; attention calls its out_proj as a function")
def pre_norm_encoder() -> Any:
    return encoder(True)


@member("norm after the sum; in eval mode torch may fuse the layer")
def post_norm_encoder() -> Any:
    model, inputs = encoder(False)
    return model.eval(), inputs


class Conv1D(nn.Module):
    """GPT-2's layer: the weight has shape (in, out)."""

    def __init__(self, out: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.1 * torch.randn(size, out))
        self.bias = nn.Parameter(torch.zeros(out))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class GPTBlock(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(n), nn.LayerNorm(n)
        self.c_attn, self.attn_c_proj = Conv1D(3 * n, n), nn.ModuleDict({"c_proj": Conv1D(n, n)})
        self.c_fc, self.c_proj = Conv1D(4 * n, n), Conv1D(n, 4 * n)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.c_attn(self.ln_1(x)).chunk(3, -1)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_c_proj["c_proj"](a)
        return x + self.c_proj(F.gelu(self.c_fc(self.ln_2(x))))


@member("head and embedding share one weight; Conv1D weights have shape (in, out)")
def gpt2() -> Any:
    def forward(m: Any, tokens: Tensor) -> Tensor:
        x = m.wte(tokens) + m.wpe(torch.arange(tokens.shape[1]))
        return m.lm_head(m.ln_f(m.h(x)))

    n = 16
    blocks = nn.Sequential(GPTBlock(n), GPTBlock(n))
    head = nn.Linear(n, 40, bias=False)
    wte = nn.Embedding(40, n)
    nn.init.normal_(wte.weight, std=0.02)
    head.weight = wte.weight
    model = Of(forward, wte=wte, wpe=nn.Embedding(8, n), h=blocks, ln_f=nn.LayerNorm(n))
    model.lm_head = head
    return model, (torch.randint(40, (4, 6)),)


class ViTBlock(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(n), nn.LayerNorm(n)
        self.attn = nn.MultiheadAttention(n, 2, batch_first=True)
        self.fc1, self.fc2 = nn.Linear(n, 2 * n), nn.Linear(2 * n, n)
        self.ls1, self.ls2 = (nn.Parameter(torch.full((n,), 1e-5)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm1(x)
        x = x + self.ls1 * self.attn(h, h, h, need_weights=False)[0]
        return x + self.ls2 * self.fc2(F.gelu(self.fc1(self.norm2(x))))


@member("class token, LayerScale of 1e-5, a logit_scale of shape ()")
def vit() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        x = m.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([m.class_embedding.expand(len(x), 1, -1), x], 1) + m.pos_embed
        return m.logit_scale * m.head(m.norm(m.blocks(x))[:, 0])

    n = 16
    model = Of(
        forward,
        class_embedding=nn.Parameter(torch.zeros(n)),
        pos_embed=nn.Parameter(0.02 * torch.randn(1, 5, n)),
        logit_scale=nn.Parameter(torch.tensor(2.659)),
        patch=nn.Conv2d(3, n, 4, stride=4),
        blocks=nn.Sequential(ViTBlock(n), ViTBlock(n)),
        norm=nn.LayerNorm(n),
        head=nn.Linear(n, 5),
    )
    return model, (images(),)


class PlusOneNorm(nn.Module):
    """RMSNorm as in Gemma: multiplies by 1 + weight, and the weight starts at 0."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * (1 + self.weight)


@member("a norm that multiplies by 1 + weight: its weight starts at 0")
def rms_plus_one() -> Any:
    layers = (nn.Linear(8, 16), PlusOneNorm(16), nn.SiLU(), nn.Linear(16, 16), PlusOneNorm(16))
    return nn.Sequential(*layers, nn.Linear(16, 4)), (torch.randn(16, 8),)


@member("norms of query and key (QK-norm); fused attention; two weights of one module")
def qk_norm() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        q, k, v = m.wqkv(x).chunk(3, -1)
        q, k = F.rms_norm(q, (16,), m.q_norm.weight), m.k_norm(k)
        return m.wo(F.scaled_dot_product_attention(q, k, v))

    model = Of(
        forward,
        wqkv=nn.Linear(16, 48, bias=False),
        q_norm=nn.RMSNorm(16),
        k_norm=nn.RMSNorm(16),
        wo=nn.Linear(16, 16, bias=False),
    )
    return model, (torch.randn(4, 5, 16),)


@member("keys and values of other sizes: three weights of three shapes")
def cross_attention() -> Any:
    def forward(m: Any, x: Tensor, y: Tensor) -> Tensor:
        return m.out(m.attn(x, y, y[..., :7].contiguous())[0])

    attn = nn.MultiheadAttention(16, 2, kdim=12, vdim=7, batch_first=True)
    model = Of(forward, attn=attn, out=nn.Linear(16, 4))
    return model, (torch.randn(4, 5, 16), torch.randn(4, 6, 12))


# --- recurrent -------------------------------------------------------------------------------


@member("a packed sequence goes through the LSTM; row 0 of the embedding is padding")
def lstm_packed() -> Any:
    def forward(m: Any, tokens: Tensor) -> Tensor:
        lengths = (tokens != 0).sum(1)
        packed = pack_padded_sequence(m.emb(tokens), lengths, True, enforce_sorted=False)
        return m.head(m.lstm(packed)[1][0][-1])

    tokens = torch.randint(1, 20, (6, 7))
    tokens[:3, 4:] = 0
    model = Of(
        forward,
        emb=nn.Embedding(20, 8, padding_idx=0),
        lstm=nn.LSTM(8, 16, num_layers=2, batch_first=True, proj_size=4),
        head=nn.Linear(4, 3),
    )
    return model, (tokens,)


@member("cells in a loop; the state starts as a new tensor")
def cells() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        h = m.gru.weight_hh.new_zeros(x.shape[1], 16)
        state = None
        for step in x:
            h = m.gru(step, h)
            state = m.lstm(h, state)
        return m.head(state[0])

    model = Of(forward, gru=nn.GRUCell(8, 16), lstm=nn.LSTMCell(16, 16), head=nn.Linear(16, 3))
    return model, (torch.randn(5, 6, 8),)


@member("bidirectional GRU that returns a tuple")
def gru() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.head(m.gru(x)[0])

    model = Of(forward, gru=nn.GRU(8, 8, bidirectional=True), head=nn.Linear(16, 3))
    return model, (torch.randn(5, 6, 8),)


# --- wrapped weights -------------------------------------------------------------------------


def wrapped(wrap: Callable[[nn.Module], nn.Module], std: float = 1.41, depth: int = 5) -> Any:
    layers: list[nn.Module] = []
    for _ in range(depth):
        linear = nn.Linear(32, 32)
        nn.init.normal_(linear.weight, std=std / math.sqrt(32))
        layers += [wrap(linear), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(32, 4)), (torch.randn(16, 32),)


@member("weight_norm of the old kind: the weight is made in a hook before each call")
def weight_norm_old() -> Any:
    return wrapped(nn.utils.weight_norm)


@member("weight_norm as a parametrization: a Linear with a child")
def weight_norm() -> Any:
    return wrapped(parametrizations.weight_norm)


@member("weight_norm around layers that are far too small", ill="vanishing")
def weight_norm_small() -> Any:
    return wrapped(parametrizations.weight_norm, 0.1, 15)


@member("weight_norm around layers that are far too large", ill="exploding")
def weight_norm_large() -> Any:
    return wrapped(parametrizations.weight_norm, 2.83, 15)


@member("spectral_norm of the old kind keeps its weight as weight_orig")
def spectral_norm_old() -> Any:
    return wrapped(nn.utils.spectral_norm, depth=3)


@member("spectral_norm as a parametrization: its buffers change in each forward pass")
def spectral_norm() -> Any:
    return wrapped(parametrizations.spectral_norm, depth=3)


class Symmetric(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x + x.T) / 2


@member("a parametrization of one's own without right_inverse: nothing can be assigned")
def no_inverse() -> Any:
    linear = nn.Linear(8, 8)
    parametrize.register_parametrization(linear, "weight", Symmetric())
    return nn.Sequential(linear, nn.ReLU(), nn.Linear(8, 3)), (torch.randn(16, 8),)


class LoRA(nn.Module):
    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.lora_A = nn.Parameter(torch.randn(2, base.in_features) / math.sqrt(base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + x @ self.lora_A.T @ self.lora_B.T


@member("a frozen base; of the two added matrices the second starts at 0")
def lora() -> Any:
    model = nn.Sequential(LoRA(nn.Linear(8, 16)), nn.Tanh(), LoRA(nn.Linear(16, 4)))
    return model, (torch.randn(16, 8),)


@member("everything is frozen, and the input is tokens: nothing requires a gradient")
def frozen() -> Any:
    layers = (nn.Embedding(20, 8), nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    return nn.Sequential(*layers).requires_grad_(False), (torch.randint(20, (16, 3)),)


# --- how modules are used --------------------------------------------------------------------


@member("one module is used twice")
def used_twice() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.head(F.relu(m.mid(F.relu(m.mid(x)))))

    model = Of(forward, mid=nn.Linear(16, 16), head=nn.Linear(16, 4))
    return he_(model), (torch.randn(16, 16),)


@member("registered in another order than used")
def other_order() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.last(F.relu(m.first(x)))

    model = Of(forward, last=nn.Linear(16, 4), first=nn.Linear(8, 16))
    return he_(model), (torch.randn(16, 8),)


@member("one layer is never used")
def unused() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.last(F.relu(m.first(x)))

    model = Of(forward, spare=nn.Linear(3, 3), first=nn.Linear(8, 16), last=nn.Linear(16, 4))
    return he_(model), (torch.randn(16, 8),)


@member("a layer and a buffer are created in forward; another buffer changes its size")
def created() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        if not hasattr(m, "mask"):
            m.register_buffer("mask", torch.ones(8))
        if not hasattr(m, "late"):
            m.late = nn.Linear(8, 8)
        m.seen = torch.cat([m.seen, x[:1, 0].detach()])
        return m.head(m.late(x * m.mask))

    model = Of(forward, head=nn.Linear(8, 4), seen=torch.zeros(0))
    return model, (torch.randn(16, 8),)


@member("changes layer outputs in place: h *= 2, h[:, 0] = 0")
def in_place() -> Any:
    def forward(m: Any, tokens: Tensor) -> Tensor:
        h = m.emb(tokens)
        h[:, 0] = 0
        h = m.mid(h)
        h *= 2
        return m.head(F.relu(h, inplace=True))

    model = Of(forward, emb=nn.Embedding(20, 16), mid=nn.Linear(16, 16), head=nn.Linear(16, 4))
    return model, (torch.randint(20, (8, 4)),)


@member("changes its input in place")
def input_in_place() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        x -= 0.1
        return m.head(x)

    return Of(forward, head=nn.Linear(8, 4)), (torch.randn(16, 8),)


@member("dropout and BatchNorm in training mode: random outputs, buffers that count")
def dropout() -> Any:
    layers = (nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 4))
    return nn.Sequential(*layers), (torch.randn(32, 8),)


@member("a checkpointed block runs a second time in the backward pass")
def checkpointed() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.head(checkpoint(m.block, x, use_reentrant=False))

    block = nn.Sequential(nn.Linear(8, 16), nn.ReLU(inplace=True), nn.Linear(16, 16))
    return Of(forward, block=block, head=nn.Linear(16, 4)), (torch.randn(16, 8),)


@member("reentrant checkpoint: autograd.grad is forbidden", ill="refused")
def reentrant() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.head(checkpoint(m.block, x, use_reentrant=True))

    block = nn.Sequential(nn.Linear(8, 16), nn.ReLU())
    return Of(forward, block=block, head=nn.Linear(16, 4)), (torch.randn(16, 8),)


@member("torch.compile wraps the module")
def compiled() -> Any:
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    return torch.compile(he_(model), backend="eager"), (torch.randn(16, 8),)


@member("returns a dictionary; takes two inputs, of which one is integers")
def dictionary() -> Any:
    def forward(m: Any, x: Tensor, kind: Tensor) -> Any:
        h = m.mid(x) + m.kind(kind)
        return {"logits": m.head(F.relu(h)), "hidden": h}

    model = Of(forward, mid=nn.Linear(8, 16), kind=nn.Embedding(3, 16), head=nn.Linear(16, 4))
    return model, (torch.randn(16, 8), torch.randint(3, (16,)))


@member("ReZero: every branch is multiplied by a scalar that starts at 0")
def re_zero() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        for branch, alpha in zip(m.branches, m.alphas, strict=True):
            x = x + alpha * branch(x)
        return m.head(x)

    def branch() -> nn.Module:
        return he_(nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16)))

    model = Of(
        forward,
        branches=nn.ModuleList([branch() for _ in range(4)]),
        alphas=nn.ParameterList([torch.zeros(()) for _ in range(4)]),
        head=nn.Linear(16, 4),
    )
    return model, (torch.randn(16, 16),)


@member("the head starts at 0: no gradient reaches what is below in the first step")
def zero_head() -> Any:
    layers = (nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))
    model = he_(nn.Sequential(*layers))
    nn.init.zeros_(model[-1].weight)
    return model, (torch.randn(16, 8),)


@member("no parameter at all")
def no_parameters() -> Any:
    return nn.Sequential(nn.ReLU(), nn.Flatten()), (torch.randn(16, 8),)


# --- where and what the numbers are ------------------------------------------------------------


@member("on the meta device: there are no numbers", ill="refused")
def meta() -> Any:
    with torch.device("meta"):
        model = Of(
            lambda m, x: m.head(F.relu(m.mid(x))) + m.positions,
            mid=nn.Linear(8, 16),
            head=nn.Linear(16, 4),
            positions=torch.arange(4),
            mask=torch.ones(4, dtype=torch.bool),
            freqs=torch.ones(4, dtype=torch.complex64),
        )
    return model, (torch.randn(16, 8),)


@member("lazy: the weight has no shape yet", ill="refused")
def lazy() -> Any:
    return nn.Sequential(nn.LazyLinear(16), nn.ReLU(), nn.LazyLinear(4)), (torch.randn(16, 8),)


@member("half precision")
def half() -> Any:
    layers = (nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    return he_(nn.Sequential(*layers)).half(), (torch.randn(16, 8).half(),)


@member("bfloat16 with a float32 norm between")
def bfloat16() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.head(m.norm(m.mid(x).float()).bfloat16())

    model = Of(
        forward,
        mid=nn.Linear(8, 16).bfloat16(),
        norm=nn.LayerNorm(16),
        head=nn.Linear(16, 4).bfloat16(),
    )
    return model, (torch.randn(16, 8).bfloat16(),)


@member("float64, one unit wide")
def double() -> Any:
    return nn.Sequential(nn.Linear(1, 1), nn.Tanh(), nn.Linear(1, 1)).double(), (
        torch.randn(16, 1).double(),
    )


@member("complex weights")
def complex_weights() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.head(m.mid(x).abs())

    model = Of(forward, mid=nn.Linear(8, 16, dtype=torch.complex64), head=nn.Linear(16, 4))
    return model, (torch.randn(16, 8, dtype=torch.complex64),)


@member("buffers of integers, booleans and complex numbers; one parameter of shape ()")
def buffers() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        m.calls += 1
        return m.scale * m.head(x.masked_fill(m.mask, 0))

    model = Of(
        forward,
        head=nn.Linear(8, 4),
        scale=nn.Parameter(torch.tensor(1.0)),
        calls=torch.tensor(3),
        mask=torch.arange(8) > 6,
        freqs=torch.polar(torch.ones(4), torch.arange(4.0)),
    )
    return model, (torch.randn(16, 8),)


# --- what else is found in practice ------------------------------------------------------------


@member("SyncBatchNorm ends the branches; in eval mode it runs on a CPU")
def sync_batch_norm() -> Any:
    block = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.SyncBatchNorm(8), nn.ReLU())
    pool = nn.Sequential(nn.Conv2d(8, 8, 3), nn.SyncBatchNorm(8), nn.Flatten(), nn.Linear(288, 5))
    return he_(nn.Sequential(block, pool)).eval(), (images(),)


@member("InstanceNorm with weights, channels last in memory")
def instance_norm() -> Any:
    layers = (nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8, affine=True), nn.ReLU(), nn.Conv2d(8, 4, 3))
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 5))
    x = images().to(memory_format=torch.channels_last)
    return he_(model).to(memory_format=torch.channels_last), (x,)


@member("weight_norm around a transposed convolution, over its second axis")
def weight_norm_transposed() -> Any:
    up = parametrizations.weight_norm(nn.ConvTranspose2d(4, 6, 2, stride=2), dim=1)
    layers = (nn.Conv2d(3, 4, 3), nn.ReLU(), up, nn.Flatten(), nn.Linear(864, 5))
    return nn.Sequential(*layers), (images(),)


@member("an orthogonal parametrization: the weight is made from a triangle")
def orthogonal_weight() -> Any:
    linear = parametrizations.orthogonal(nn.Linear(16, 16))
    return nn.Sequential(linear, nn.Tanh(), nn.Linear(16, 4)), (torch.randn(16, 16),)


class Adapted(nn.Module):
    """LoRA as a parametrization: the weight is W + B A."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.randn(2, columns) / math.sqrt(columns))
        self.b = nn.Parameter(torch.zeros(rows, 2))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.b @ self.a


@member("LoRA as a parametrization of a frozen weight")
def lora_parametrized() -> Any:
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    for layer in (model[0], model[2]):
        layer.requires_grad_(False)
        parametrize.register_parametrization(layer, "weight", Adapted(*layer.weight.shape))
    return model, (torch.randn(16, 8),)


@member("pruned: the weight is made from weight_orig and a mask, before each call")
def pruned() -> Any:
    from torch.nn.utils import prune

    model = he_(nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4)))
    prune.l1_unstructured(model[0], "weight", 0.5)
    return model, (torch.randn(16, 16),)


@member("two linear layers share one weight")
def tied_linears() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.head(F.relu(m.two(F.relu(m.one(x)))))

    model = Of(forward, one=nn.Linear(16, 16), two=nn.Linear(16, 16), head=nn.Linear(16, 4))
    model.two.weight = model.one.weight
    return model, (torch.randn(16, 16),)


@member("an autoencoder whose decoder is the transposed weight of the encoder, as a function")
def tied_transposed() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return F.linear(F.relu(m.encoder(x)), m.encoder.weight.t(), m.bias)

    model = Of(forward, encoder=nn.Linear(16, 8), bias=nn.Parameter(torch.zeros(16)))
    return model, (torch.randn(16, 16),)


@member("one block stands in the list three times (ALBERT)")
def repeated_block() -> Any:
    block = nn.Sequential(nn.Linear(16, 16), nn.LayerNorm(16), nn.GELU())
    return nn.Sequential(*[block] * 3, nn.Linear(16, 4)), (torch.randn(16, 16),)


@member("a mixture of experts: one of them gets no sample of this batch")
def experts() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        which = m.router(x).topk(2, -1)
        chosen = which.indices.clamp(max=2)  # the last expert is idle
        out = torch.zeros_like(x)
        for k, expert in enumerate(m.experts):
            mask = (chosen == k).any(-1)
            out[mask] = out[mask] + expert(x[mask])
        return m.head(x + out * which.values.softmax(-1).sum(-1, keepdim=True))

    def expert() -> nn.Module:
        return he_(nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16)))

    many = nn.ModuleList([expert() for _ in range(4)])
    model = Of(forward, router=nn.Linear(16, 4), experts=many, head=nn.Linear(16, 4))
    return model, (torch.randn(32, 16),)


@member("weights are parameters of the model itself; no layer is a module")
def bare_parameters() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return F.relu(x @ m.w1) @ m.w2 + m.b

    model = Of(
        forward,
        w1=nn.Parameter(torch.randn(8, 32) / 2),
        w2=nn.Parameter(torch.randn(32, 4) / 4),
        b=nn.Parameter(torch.zeros(4)),
    )
    return model, (torch.randn(16, 8),)


@member("calls a part with other parameters, by functional_call")
def functional() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        scaled = {k: 0.5 * p for k, p in m.inner.named_parameters()}
        return m.head(F.relu(torch.func.functional_call(m.inner, scaled, (x,))))

    model = Of(forward, inner=nn.Linear(8, 16), head=nn.Linear(16, 4))
    return model, (torch.randn(16, 8),)


@member("DataParallel wraps the model: a prefix of names")
def data_parallel() -> Any:
    model = he_(nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)))
    return nn.DataParallel(model), (torch.randn(16, 8),)


@member("weights of 8 bits as frozen parameters, with a scale")
def eight_bits() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.head(F.relu(F.linear(x, m.scale * m.codes.float())))

    codes = nn.Parameter(torch.randint(-127, 127, (16, 8), dtype=torch.int8), requires_grad=False)
    model = Of(forward, codes=codes, scale=torch.tensor(0.01), head=nn.Linear(16, 4))
    return model, (torch.randn(16, 8),)


@member("norms without weights, layers without biases")
def no_affine() -> Any:
    norms = (
        nn.BatchNorm1d(16, affine=False, track_running_stats=False),
        nn.LayerNorm(16, bias=False),
    )
    layers = (nn.Linear(8, 16, False), norms[0], nn.ReLU(), nn.Linear(16, 16, False), norms[1])
    return nn.Sequential(*layers, nn.Linear(16, 4, False)), (torch.randn(16, 8),)


@member("recurrent layers without biases, in both directions")
def recurrent_without_bias() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.head(m.gru(m.lstm(x)[0])[0])

    model = Of(
        forward,
        lstm=nn.LSTM(8, 8, bias=False, bidirectional=True),
        gru=nn.GRU(16, 8, bias=False),
        head=nn.Linear(8, 3),
    )
    return model, (torch.randn(5, 6, 8),)


@member("attention without biases, with rows for keys and values")
def attention_rows() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        return m.out(m.attn(x, x, x)[0])

    attn = nn.MultiheadAttention(16, 2, bias=False, add_bias_kv=True, batch_first=True)
    return Of(forward, attn=attn, out=nn.Linear(16, 4)), (torch.randn(4, 5, 16),)


@member("hooks of the user change what goes in and what comes out")
def hooked() -> Any:
    model = he_(nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)))
    model[0].register_forward_pre_hook(lambda m, x: tuple(2 * y for y in x))
    model[1].register_forward_hook(lambda m, x, y: y / 2)
    model[2].register_full_backward_hook(lambda m, a, b: None)
    return model, (torch.randn(16, 8),)


@member("a bilinear layer, an embedding bag with offsets")
def bags() -> Any:
    def forward(m: Any, tokens: Tensor) -> Tensor:
        h = m.bag(tokens.flatten(), torch.arange(len(tokens)) * tokens.shape[1])
        return m.head(m.pair(h, h))

    model = Of(
        forward,
        bag=nn.EmbeddingBag(20, 8, mode="sum", padding_idx=0),
        pair=nn.Bilinear(8, 8, 6),
        head=nn.Linear(6, 3),
    )
    return model, (torch.randint(1, 20, (6, 4)),)


@member("dynamically quantized: the layers hold packed weights, and no parameters", ill="refused")
def quantized() -> Any:
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    with torch.random.fork_rng(devices=[]):
        found = torch.ao.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    return found, (torch.randn(16, 8),)


@member("autocast to bfloat16 inside of the forward pass")
def autocast() -> Any:
    def forward(m: Any, x: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return m.head(F.relu(m.mid(x))).float()

    return he_(Of(forward, mid=nn.Linear(8, 16), head=nn.Linear(16, 4))), (torch.randn(16, 8),)


@member("a sparse embedding, whose gradient is a sparse tensor")
def sparse_embedding() -> Any:
    layers = (nn.Embedding(20, 8, sparse=True), nn.Flatten(), nn.Linear(24, 4))
    return nn.Sequential(*layers), (torch.randint(20, (16, 3)),)


# --- ill ---------------------------------------------------------------------------------------


def chain(*gains: float, activation: type[nn.Module] = nn.ReLU, n: int = 32) -> nn.Sequential:
    """Return n-n-…-10 with He's standard deviation times a gain in each layer."""
    layers: list[nn.Module] = []
    for k, gain in enumerate(gains):
        linear = nn.Linear(n, n if k < len(gains) - 1 else 10)
        nn.init.normal_(linear.weight, std=gain * math.sqrt(2 / n))
        nn.init.zeros_(linear.bias)
        layers += [linear, activation()]
    return nn.Sequential(*layers[:-1])


@member("the head is 100 times too loud", ill="loud")
def loud_head() -> Any:
    return chain(1, 1, 1, 100), (torch.randn(16, 32),)


@member("tied to an embedding from N(0, 1), as nn.Embedding draws it, 256 wide", ill="loud")
def loud_tied_head() -> Any:
    wte, head = nn.Embedding(40, 256), nn.Linear(256, 40, bias=False)
    head.weight = wte.weight
    layers = (wte, nn.Linear(256, 256), nn.LayerNorm(256), head)
    return nn.Sequential(*layers), (torch.randint(40, (8, 6)),)


@member("pixels from 0 to 255", ill="input")
def raw_pixels() -> Any:
    layers = (nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
    return he_(nn.Sequential(*layers)), (torch.randint(256, (8, 3, 8, 8)).float(),)


@member("features of scale 1e-13", ill="input")
def tiny_input() -> Any:
    return chain(1, 1, 1), (1e-13 * torch.randn(16, 32),)


@member("one sample holds NaN", ill="input")
def nan_input() -> Any:
    x = torch.randn(16, 32)
    x[3, 4] = math.nan
    return chain(1, 1, 1), (x,)


@member("all weights of each layer are equal", ill="equal")
def equal_weights() -> Any:
    model = chain(1, 1, 1, 1, activation=nn.Tanh)
    for layer in model[::2]:
        nn.init.constant_(layer.weight, 0.1)
    return model, (torch.randn(16, 32),)


@member("two zero layers in a row: neither ever has a gradient", ill="blocked")
def zero_twice() -> Any:
    model = chain(1, 1, 1, 1)
    nn.init.zeros_(model[4].weight)
    nn.init.zeros_(model[6].weight)
    return model, (torch.randn(16, 32),)


@member("all weights and biases are 0", ill="blocked")
def all_zero() -> Any:
    model = chain(1, 1, 1)
    for p in model.parameters():
        nn.init.zeros_(p)
    return model, (torch.randn(16, 32),)


class Attend(nn.Module):
    """Attention, and an MLP with a functional activation behind it."""

    def __init__(self, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(16, 2, batch_first=True)
        self.up, self.down, self.activation = nn.Linear(16, 32), nn.Linear(32, 16), activation

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(x, x, x, need_weights=False)[0]
        return x + self.down(self.activation(self.up(x)))


@member("a dead layer behind attention, ReLU written as a function", ill="dead")
def dead_behind_attention() -> Any:
    block = Attend(F.relu)
    nn.init.constant_(block.up.bias, -50)
    return nn.Sequential(block, nn.Linear(16, 4)), (torch.randn(16, 5, 16),)


@member("a saturated layer behind attention, tanh written as a function", ill="saturated")
def saturated_behind_attention() -> Any:
    block = Attend(torch.tanh)
    nn.init.normal_(block.up.weight, std=5)
    return nn.Sequential(block, nn.Linear(16, 4)), (torch.randn(16, 5, 16),)


@member("a dead layer in torch's own encoder, in eval mode", ill="dead")
def dead_encoder() -> Any:
    model, inputs = encoder(True)
    nn.init.constant_(model.layers[1].linear1.bias, -50)
    return model.eval(), inputs


@member("ReLU6 with weights of std 50", ill="saturated")
def saturated_relu6() -> Any:
    return chain(50, 50, 1, activation=nn.ReLU6), (torch.randn(16, 32),)


@member("Hardtanh with weights of std 50", ill="saturated")
def saturated_hardtanh() -> Any:
    return chain(50, 50, 1, activation=nn.Hardtanh), (torch.randn(16, 32),)


@member("4 of 12 layers were given the variance as standard deviation", ill="vanishing")
def few_bad_layers() -> Any:
    return chain(*(0.25 if 4 <= k <= 7 else 1 for k in range(12))), (torch.randn(64, 32),)


@member("one weight is NaN", ill="exploding")
def nan_weight() -> Any:
    model = chain(1, 1, 1)
    with torch.no_grad():
        model[2].weight[0, 0] = math.nan
    return model, (torch.randn(16, 32),)


@member("a frozen head of zeros: nothing below ever learns", ill="blocked")
def frozen_zero_head() -> Any:
    model = chain(1, 1, 1)
    nn.init.zeros_(model[4].weight).requires_grad_(False)
    return model, (torch.randn(16, 32),)
