"""What published transformers draw, read from their sources.

x_k = x_(k-1) + branch(norm(x_(k-1))): its second moment follows the rules

Vaswani et al. (2017); Radford et al. (2019); OLMo Team (2025).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:sources]
# A model: name | year | distribution. A file, or a section of a paper: @.
# A cell: group | rule | what stands there. n width, m hidden width of the
# MLP, d width of a head, D layers, l the layer, from 1, f pixels of a patch.
SOURCES = """
Transformer | 2017 | uniform
@ tensorflow/tensor2tensor: tensor2tensor/layers/modalities.py
embedding | n ** -0.5 | random_normal_initializer(0.0, hidden_dim**-0.5)
@ tensorflow/tensor2tensor: tensor2tensor/models/transformer.py
qkv | n ** -0.5 | hparams.initializer = "uniform_unit_scaling"
output | n ** -0.5 | hparams.initializer = "uniform_unit_scaling"
up | (2 / (n + m)) ** 0.5 | hparams.initializer = "uniform_unit_scaling"
down | (2 / (n + m)) ** 0.5 | hparams.initializer = "uniform_unit_scaling"
router | none
head | tied | hparams.shared_embedding_and_softmax_weights = True
@ tensorflow/tensor2tensor: tensor2tensor/layers/common_layers.py
norm | 1 | "layer_norm_scale", [filters], initializer=tf.ones_initializer()
@ tensorflow/tensor2tensor: tensor2tensor/utils/learning_rate.py
rate | ~ n ** -0.5 | ret = 5000.0 * hparams.hidden_size**-0.5 * tf.minimum(

BERT | 2018 | cut at 2
@ google-research/bert: modeling.py
embedding | 0.02 | initializer=create_initializer(initializer_range)
qkv | 0.02 | kernel_initializer=create_initializer(initializer_range)
output | 0.02 | kernel_initializer=create_initializer(initializer_range)
up | 0.02 | kernel_initializer=create_initializer(initializer_range)
down | 0.02 | kernel_initializer=create_initializer(initializer_range)
router | none
norm | not stated
@ google-research/bert: run_pretraining.py
head | tied | logits = tf.matmul(input_tensor, output_weights,
rate | 5e-5 | flags.DEFINE_float("learning_rate", 5e-5

GPT-2, OpenAI's code | 2019 | normal
@ openai/gpt-2: src/model.py
embedding | 0.02 | initializer=tf.random_normal_initializer(stddev=0.02)
qkv | 0.02 | def conv1d(x, scope, nf, *, w_init_stdev=0.02)
output | 0.02 | a = conv1d(a, 'c_proj', n_state)
up | 0.02 | h = gelu(conv1d(x, 'c_fc', n_state))
down | 0.02 | h2 = conv1d(h, 'c_proj', nx)
router | none
head | tied | logits = tf.matmul(h_flat, wte, transpose_b=True)
norm | 1 | initializer=tf.constant_initializer(1)
rate | not stated

GPT-2, nanoGPT | 2022 | normal
@ karpathy/nanoGPT: model.py
embedding | 0.02 | torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
qkv | 0.02 | torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
output | 0.02 / (2 * D) ** 0.5 | std=0.02/math.sqrt(2 * config.n_layer)
up | 0.02 | torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
down | 0.02 / (2 * D) ** 0.5 | std=0.02/math.sqrt(2 * config.n_layer)
router | none
head | tied | self.transformer.wte.weight = self.lm_head.weight
norm | 1 | self.weight = nn.Parameter(torch.ones(ndim))
@ karpathy/nanoGPT: train.py
rate | 6e-4 | learning_rate = 6e-4

T5, Hugging Face | 2019 | normal
@ huggingface/transformers: .../t5/modeling_t5.py
embedding | 1 | init.normal_(module.shared.weight, mean=0.0, std=factor * 1.0)
qkv | (n * d) ** -0.5; n ** -0.5 | ((d_model * key_value_proj_dim) ** -0.5)
output | n ** -0.5 | std=factor * ((n_heads * key_value_proj_dim) ** -0.5)
up | n ** -0.5 | module.wi.weight, mean=0.0, std=factor * ((self.config.d_model
down | m ** -0.5 | std=factor * ((self.config.d_ff) ** -0.5)
router | none
head | tied | and not self.config.tie_word_embeddings
norm | 1 | init.constant_(module.weight, factor * 1.0)
rate | not stated

ViT | 2020 | uniform
@ google-research/vision_transformer: vit_jax/models_vit.py
embedding | not stated
qkv | n ** -0.5 | kernel_init=nn.initializers.xavier_uniform()
output | n ** -0.5 | kernel_init=nn.initializers.xavier_uniform()
up | (2 / (n + m)) ** 0.5 | Array] = nn.initializers.xavier_uniform()
down | (2 / (n + m)) ** 0.5 | Array] = nn.initializers.xavier_uniform()
router | none
head | 0 | kernel_init=nn.initializers.zeros
norm | not stated
rate | not stated

LLaMA, Meta's code | 2023 | not stated
@ meta-llama/llama: llama/model.py
embedding | not stated
qkv | not stated
output | not stated
up | not stated
down | not stated
router | none
head | not stated
norm | 1 | self.weight = nn.Parameter(torch.ones(dim))
rate | not stated

Cerebras-GPT, μP | 2023 | cut at 2
@ Cerebras/modelzoo: .../models/nlp/gpt3/configs/Cerebras_GPT/111m_mup.yaml
embedding | 0.08 | std: 0.08
head | tied | share_embedding_weights: true
@ Cerebras/modelzoo: .../models/nlp/gpt2/gpt2_model.py
qkv | 0.08 * (256 / n) ** 0.5 | width_scale=hidden_size_width_mult**-0.5
output | 0.08 * (256 / n / 2 / D) ** 0.5 | (2 * num_hidden_layers) ** -0.5
up | 0.08 * (256 / n) ** 0.5 | width_scale=hidden_size_width_mult**-0.5
down | 0.08 * (1024 / m / 2 / D) ** 0.5 | filter_size_width_mult**-0.5
router | none
norm | not stated
rate | 6e-3; 6e-3 * 256 / n; 6e-3 * 1024 / m | 1 / hidden_size_width_mult

Gemma | 2024 | normal
@ google-deepmind/gemma: gemma/gm/nn/_modules.py
embedding | 0.01 | nn.initializers.normal()
head | tied | return jnp.dot(x, self.input_embedding_table.T)
@ google-deepmind/gemma: gemma/gm/nn/_layers.py
qkv | 0.01 | initializer: nn.initializers.Initializer = nn.initializers
output | 0.01 | initializer: nn.initializers.Initializer = nn.initializers
up | 0.01 | initializer: nn.initializers.Initializer = nn.initializers
down | 0.01 | initializer: nn.initializers.Initializer = nn.initializers
router | none
norm | 0 | self.param('scale', nn.initializers.zeros_init()
rate | not stated

OLMo 2 7B | 2024 | cut at 3
@ allenai/OLMo: configs/official-1124/OLMo2-7B-stage1.yaml
embedding | 0.02 | init_std: 0.02
qkv | 0.02 | init_std: 0.02
output | 0.02 | init_std: 0.02
up | 0.02 | init_std: 0.02
down | 0.02 | init_std: 0.02
router | none
head | 0.02 | weight_tying: false
rate | 3e-4 | learning_rate: 3.0e-4
@ allenai/OLMo: olmo/model.py
norm | 1 | torch.nn.init.ones_(self.weight)

DeepSeek-V3 | 2024 | not stated
@ DeepSeek-V3 Technical Report: section 4.2
embedding | 0.006 | a standard deviation of 0.006
qkv | 0.006 | a standard deviation of 0.006
output | 0.006 | a standard deviation of 0.006
up | 0.006 | a standard deviation of 0.006
down | 0.006 | a standard deviation of 0.006
router | 0.006 | a standard deviation of 0.006
head | 0.006 | a standard deviation of 0.006
norm | not stated
@ pytorch/torchtitan: torchtitan/models/deepseek_v3/config_registry.py
rate | 2.2e-4 | optimizer=default_adamw(lr=2.2e-4)

Llama 3 8B, torchtitan | 2024 | normal
@ pytorch/torchtitan: torchtitan/models/llama3/__init__.py
embedding | 1 | partial(nn.init.normal_, std=1.0)
qkv | 0.02 | partial(nn.init.trunc_normal_, std=0.02)
output | 0.02 / (2 * l) ** 0.5 | wo_param_init=_depth_init(layer_id)
up | 0.02 / (2 * l) ** 0.5; 0.02 | w1_param_init=_LINEAR_INIT
down | 0.02 / (2 * l) ** 0.5 | w2w3_param_init=_depth_init(layer_id)
router | none
head | n ** -0.5 | partial(nn.init.trunc_normal_, std=s, a=-3 * s, b=3 * s)
norm | 1 | _NORM_INIT = {"weight": nn.init.ones_}
@ pytorch/torchtitan: torchtitan/models/llama3/config_registry.py
rate | 3e-4 | optimizer=default_adamw(lr=3e-4)

Qwen3 MoE, Hugging Face | 2025 | normal
@ huggingface/transformers: .../qwen3_moe/configuration_qwen3_moe.py
embedding | 0.02 | initializer_range: float = 0.02
qkv | 0.02 | initializer_range: float = 0.02
output | 0.02 | initializer_range: float = 0.02
head | 0.02 | initializer_range: float = 0.02
@ huggingface/transformers: .../qwen3_moe/modeling_qwen3_moe.py
up | 0.02 | init.normal_(module.gate_up_proj, mean=0.0, std=std)
down | 0.02 | init.normal_(module.down_proj, mean=0.0, std=std)
router | 0.02 | init.normal_(module.weight, mean=0.0, std=std)
norm | 1 | self.weight = nn.Parameter(torch.ones(hidden_size))
rate | not stated

MiniCPM3, Hugging Face | 2024 | normal
@ huggingface/transformers: .../minicpm3/configuration_minicpm3.py
embedding | 0.1 | initializer_range: float = 0.1
qkv | 0.1 | initializer_range: float = 0.1
output | 0.1 | initializer_range: float = 0.1
up | 0.1 | initializer_range: float = 0.1
down | 0.1 | initializer_range: float = 0.1
router | none
head | tied | tie_word_embeddings: bool = True
@ huggingface/transformers: .../minicpm3/modeling_minicpm3.py
norm | 1 | self.weight = nn.Parameter(torch.ones(hidden_size))
rate | not stated

Megatron-LM | 2026 | normal
@ NVIDIA/Megatron-LM: megatron/core/transformer/transformer_config.py
embedding | 0.02 | init_method_std: float = 0.02
qkv | 0.02 | init_method_std: float = 0.02
output | 0.02 / (2 * D) ** 0.5 | init_method_std / math.sqrt(2.0 * num_layers)
up | 0.02 | init_method_std: float = 0.02
down | 0.02 / (2 * D) ** 0.5 | init_method_std / math.sqrt(2.0 * num_layers)
head | 0.02 | init_method_std: float = 0.02
norm | not stated
@ NVIDIA/Megatron-LM: megatron/core/transformer/moe/router.py
router | 0.02 | self.config.init_method(self.weight)
@ NVIDIA/Megatron-LM: megatron/core/optimizer/__init__.py
rate | ~ 1 / n | hidden (matrix-like) lr = base_lr / width_mult

modded-nanogpt | 2026 | uniform
@ KellerJordan/modded-nanogpt: train_gpt.py
embedding | 0.005 | self.embed.weight.copy_(self.lm_head.weight.T)
qkv | 0.5 * n ** -0.5 | std = 0.5 * model_dim ** -0.5
output | 0.5 * n ** -0.5 | self.vo_bank[:num_vo_real].uniform_(-bound, bound)
up | 0.5 * n ** -0.5 | self.mlp_bank[:, 0, :, :].uniform_(-bound, bound)
down | 0 | self.mlp_bank[:, 1, :, :].zero_()
router | none
head | 0.005 | nn.init.normal_(self.lm_head.weight, mean=0, std=0.005)
norm | none | return F.rms_norm(x, (x.size(-1),))
rate | 0.008; 0.023 | lr=0.023

nanochat | 2026 | uniform
@ karpathy/nanochat: nanochat/gpt.py
embedding | 0.8 | init.normal_(self.transformer.wte.weight, mean=0.0, std=0.8)
qkv | n ** -0.5 | torch.nn.init.uniform_(block.attn.c_q.weight, -s, s)
output | 0 | torch.nn.init.zeros_(block.attn.c_proj.weight)
up | 0.4 * n ** -0.5 | uniform_(block.mlp.c_fc.weight, -s * 0.4, s * 0.4)
down | 0 | torch.nn.init.zeros_(block.mlp.c_proj.weight)
router | none
head | 0.001 | init.normal_(self.lm_head.weight, mean=0.0, std=0.001)
norm | none | return F.rms_norm(x, (x.size(-1),))
@ karpathy/nanochat: scripts/base_train.py
rate | 0.3 * (768 / n) ** 0.5; 0.02 | "--matrix-lr", type=float, default=0.02
"""
# --8<-- [end:sources]


# --8<-- [start:parse]
GROUPS = ["embedding", "qkv", "output", "up", "down", "router", "head"]
GROUPS.extend(["norm", "rate"])


class Cell(NamedTuple):
    """One cell of the table: a rule, what the source says, and where."""

    rule: str
    quote: str
    place: str


class Recipe(NamedTuple):
    """One model of the table."""

    year: int
    distribution: str
    cells: dict[str, Cell]


def parse(sources: str) -> dict[str, Recipe]:
    """Return the recipes by the name of the model.

    Raises:
        ValueError: if a rule has no quotation or no place, or a group no cell.
    """
    found = {}
    for block in sources.strip().split("\n\n"):
        head, *lines = block.split("\n")
        if head.count(" | ") != 2:
            message = "sources must name model, year and distribution first."
            message += f" Received: {head!r}"
            raise ValueError(message)
        name, year, distribution = head.split(" | ")
        cells, place = {}, ""
        for line in lines:
            if line.startswith("@ "):
                place = line[2:]
                continue
            group, rule, quote = (line + " | ").split(" | ", 2)
            unstated = rule in ("none", "not stated")
            if not place or (not quote and not unstated):
                message = "sources must have a place and a quotation for each"
                message += f" rule. Received: {line!r}"
                raise ValueError(message)
            cells[group] = Cell(rule, quote.removesuffix(" | "), place)
        if sorted(cells) != sorted(GROUPS):
            message = "sources must have a cell for each group."
            message += f" Received: {sorted(cells)} for {name}"
            raise ValueError(message)
        found[name] = Recipe(int(year), distribution, cells)
    return found


RECIPES = parse(SOURCES)
# --8<-- [end:parse]


# --8<-- [start:std]
SHAPE = {"n": 768, "d": 64, "D": 12}  # the smallest GPT-2
MLP = {  # model: activation, the factor of its embedding at the input
    "GPT-2, OpenAI's code": ("gelu", "1"),
    "GPT-2, nanoGPT": ("gelu", "1"),
    "T5, Hugging Face": ("relu", "1"),
    "Cerebras-GPT, μP": ("gelu", "10"),
    "Gemma": ("geglu", "n ** 0.5"),
    "OLMo 2 7B": ("swiglu", "1"),
    "DeepSeek-V3": ("swiglu", "1"),
    "Llama 3 8B, torchtitan": ("swiglu", "1"),
    "Qwen3 MoE, Hugging Face": ("swiglu", "1"),
}


def stds(model: str, group: str, layer: int = 1) -> list[float]:
    """Return the standard deviations that a rule gives for the shape.

    Args:
        model: a name of the table.
        group: what is drawn; a rule may name several parts of it.
        layer: which layer, from 1.

    Returns:
        One number a part; none if nothing is stated, or the head is tied.

    Raises:
        ValueError: if the model, the group or the layer does not exist.
    """
    if model not in RECIPES:
        message = f"model must stand in the table. Received: {model!r}"
        raise ValueError(message)
    if group not in GROUPS:
        message = f"group must be one of {GROUPS}. Received: {group!r}"
        raise ValueError(message)
    if not 1 <= layer <= SHAPE["D"]:
        message = f"layer must be from 1 to {SHAPE['D']}. Received: {layer}"
        raise ValueError(message)
    rule = RECIPES[model].cells[group].rule
    if rule in ("none", "not stated", "tied"):
        return []
    gated = MLP.get(model, ("gelu", "1"))[0].endswith("glu")
    names = SHAPE | {"l": layer, "m": 2048 if gated else 3072}
    parts = rule.removeprefix("~ ").split("; ")
    return [float(eval(part, {}, names)) for part in parts]


# --8<-- [end:std]


# --8<-- [start:stream]
def filled(
    shape: tuple[int, int], std: float, kind: str, generator: torch.Generator
) -> Tensor:
    """Draw a matrix, as the distribution of the table says."""
    w = torch.empty(shape)
    if kind == "uniform":
        bound = math.sqrt(3) * std
        return w.uniform_(-bound, bound, generator=generator)
    if kind.startswith("cut at "):
        cut = int(kind[-1]) * std
        return torch.nn.init.trunc_normal_(
            w, 0, std, -cut, cut, generator=generator
        )
    return w.normal_(0, std, generator=generator)


@cache
def stream(model: str, tokens: int = 64) -> list[float]:
    """Return the second moment of the stream before and after each layer.

    At the first position attention returns its value. OLMo 2 normalizes what
    a branch returns, the other models what a branch reads.
    """
    generator = torch.Generator().manual_seed(SEED)
    mlp, factor = MLP[model]
    kind, n = RECIPES[model].distribution, SHAPE["n"]
    m = 2048 if mlp.endswith("glu") else 3072

    def weight(
        group: str, shape: tuple[int, int], layer: int = 1, part: int = -1
    ) -> Tensor:
        std = stds(model, group, layer)[part]
        return filled(shape, std, kind, generator)

    def norm(y: Tensor, here: bool) -> Tensor:
        return F.rms_norm(y, (n,)) if here else y

    after = model.startswith("OLMo 2")
    activations: dict[str, Callable[[Tensor], Tensor]] = {
        "geglu": F.gelu,
        "gelu": F.gelu,
        "swiglu": F.silu,
        "relu": F.relu,
    }
    phi = activations[mlp]
    x = weight("embedding", (tokens, n)) * eval(factor, {}, SHAPE)
    moments = [float(x.square().mean())]
    for layer in range(1, SHAPE["D"] + 1):
        value = norm(x, not after) @ weight("qkv", (n, n), layer)
        x = x + norm(value @ weight("output", (n, n), layer), after)
        y = norm(x, not after)
        h = phi(y @ weight("up", (n, m), layer))
        if mlp.endswith("glu"):
            h = h * (y @ weight("up", (n, m), layer, part=0))
        x = x + norm(h @ weight("down", (m, n), layer), after)
        moments.append(float(x.square().mean()))
    return moments


# --8<-- [end:stream]


if __name__ == "__main__":
    # --8<-- [start:demo]
    print(f"{'layer 12, n = 768':25}" + "".join(f"{x:>10}" for x in GROUPS[:5]))
    for model in RECIPES:
        line = f"{model:25}"
        for group in GROUPS[:5]:
            last = stds(model, group, 12)
            line += f"{last[-1]:10.4f}" if last else f"{'-':>10}"
        print(line)
    start = {model: stream(model)[0] for model in MLP}
    end = {model: stream(model)[-1] for model in MLP}
    stated = [c.rule for r in RECIPES.values() for c in r.cells.values()]
    unstated, cells = stated.count("not stated"), len(stated)
    fixed = sum(r.cells["qkv"].rule == "0.02" for r in RECIPES.values())
    # --8<-- [end:demo]


# --8<-- [start:plot_streams]
def plot_streams() -> Figure:
    """Draw the second moment of the stream, embedding and last layer."""
    figure, axis = plt.subplots(figsize=(5.6, 3.6))
    figure.set_layout_engine("constrained", rect=(0.02, 0, 0.98, 1))
    names = sorted(MLP, key=lambda model: stream(model)[-1])
    for row, model in enumerate(names):
        moments = stream(model)
        axis.plot([moments[0], moments[-1]], [row, row], color="0.7", lw=1.5)
    for index, label in ((0, "embedding"), (-1, "after 12 layers")):
        x = [stream(model)[index] for model in names]
        marker = "o" if index else "s"
        axis.plot(x, range(len(x)), marker, color=f"C{-index}", label=label)
    short = {"GPT-2, nanoGPT": "nanoGPT"}
    shown = [short.get(name, name.partition(",")[0]) for name in names]
    axis.set_yticks(range(len(names)), shown)
    axis.set(xscale="log", xlabel="second moment of the residual stream")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    plot_streams()
    plt.show()
# --8<-- [end:plot_streams]
