# %% [markdown] lang="zh"
# # 一分钟训练一个语言模型 {#language}
#
# 训练部分的不少结论，是在二次函数和 8×8 的手写数字上量出来的：Adam 与 SGD 谁好，要不要预热，学习率怎样降下来。这里换成文字，逐条再量一遍。
#
# ## 问题 {#question}
#
# 一个字符模型，从 Python 自带的帮助文档里学着猜下一个字符。第一步的损失是多少？Adam 比 SGD 好多少，好在哪些字符上？预热有没有用？哪种学习率调度的结果最低？

# %% [markdown] lang="en"
# # A language model in a minute {#language}
#
# Several findings of the training part were measured on quadratics and on digits of 8×8 pixels: which of Adam and SGD does better, whether warm-up helps, how the learning rate falls. This lab measures them again on text.
#
# ## Question {#question}
#
# A character model learns to guess the next character from the help texts that come with Python. What is its first loss? By how much does Adam beat SGD, and on which characters? Does warm-up help? Which schedule ends lowest?

# %%
import math
from collections.abc import Callable
from itertools import pairwise
from pydoc_data.topics import topics
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.func import grad_and_value, vmap
from torch.nn import functional

SEED = 0
WIDTH, HEADS, LENGTH = 32, 2, 16  # of the model; characters that it sees
ROWS, STEPS, WARMUP = 8, 300, 30
PILOT, SEEDS = (0, 1), tuple(range(2, 10))
MASK = torch.ones(LENGTH, LENGTH).tril().log()
Weights = dict[str, Tensor]

# %% [markdown] lang="zh"
# ## 文本 {#text}
#
# `pydoc_data.topics` 随 Python 安装，里面是 `help("if")` 之类的条目，用的是 PSF 许可证。不同的条目会重复同一段话。段落先去重，再分成训练集与验证集；不去重，同一段话就会两边都有，见[数据集](../training/datasets.md)。每十段留一段作验证。Python 的版本不同，文本也略有不同，下面的数字就跟着变。

# %% [markdown] lang="en"
# ## The text {#text}
#
# `pydoc_data.topics` is installed with Python and holds the entries that `help("if")` and the like display, under the PSF license. Different entries repeat the same paragraphs. Repetitions are removed before the text is split, or the same paragraph would be on both sides, see [Data sets](../training/datasets.md). Each tenth paragraph is kept for validation. Other versions of Python come with slightly different text, and the numbers below change with it.

# %%
paragraphs = "\n\n".join(topics.values()).split("\n\n")
unique = list(dict.fromkeys(paragraphs))
repeated = 100 - 100 * sum(map(len, unique)) / sum(map(len, paragraphs))
training = "\n\n".join(p for i, p in enumerate(unique) if i % 10)
validation = "\n\n".join(unique[::10])
alphabet = sorted(set(training + validation))
size = len(alphabet)
number = {character: i for i, character in enumerate(alphabet)}
train_text = torch.tensor([number[c] for c in training])
valid_text = torch.tensor([number[c] for c in validation])
characters = len(train_text)
shares = torch.bincount(train_text, minlength=size) / characters
equal = math.log(size)
single = float(-(shares * shares.clamp(min=1e-9).log()).sum())
print(f"{characters} characters to learn from, {size} different ones")
print(f"repeated, share of the whole text: {repeated:.0f}%")
print(f"ln V {equal:.2f}, by frequency alone {single:.2f}")

# %% [markdown] lang="zh"
# 重复的段落占全文的 {val:language.repeated:.0f}%。一共有 {val:language.size:.0f} 种字符，记作 $V$。给各种字符相同的概率，损失是 $\ln V$，即 {val:language.equal:.2f}；按各自的频率给概率，损失是 {val:language.single:.2f}。
#
# ## 模型 {#model}
#
# 一层 pre-norm 的 Transformer，宽 32，两个注意力头，看 16 个字符。各个位置都预测下一个字符。输出层与字符表共用权重，见[初始化 Transformer](../initialization/transformers.md#tied)。`vmap` 把最多 16 个模型叠在一起训练。

# %% [markdown] lang="en"
# Repeated paragraphs make up {val:language.repeated:.0f}% of the text. There are {val:language.size:.0f} different characters; call this number $V$. With equal probabilities for all characters, the loss is $\ln V$, which is {val:language.equal:.2f}. With their frequencies as probabilities, it is {val:language.single:.2f}.
#
# ## The model {#model}
#
# The model is a transformer of one pre-norm layer, with width 32 and two attention heads. It sees 16 characters and predicts the next one at each position. The output layer shares its weights with the table of characters, see [Initializing transformers](../initialization/transformers.md#tied). `vmap` stacks up to 16 models, which train together.


# %%
def norm(x: Tensor) -> Tensor:
    """Return x with mean 0 and variance 1 along the last axis."""
    return functional.layer_norm(x, x.shape[-1:])


def logits(w: Weights, x: Tensor) -> Tensor:
    """Return scores of the next character, shape (rows, LENGTH, size)."""
    h = w["table"][x] + w["place"]
    parts = (norm(h) @ w["qkv"]).unflatten(-1, (3, HEADS, -1))
    q, k, v = parts.permute(2, 0, 3, 1, 4)  # (rows, HEADS, LENGTH, -1) each
    scores = q @ k.mT / math.sqrt(q.shape[-1]) + MASK
    mixed = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
    h = h + mixed @ w["out"]
    h = h + (norm(h) @ w["up"]).relu() @ w["down"]
    found: Tensor = norm(h) @ w.get("head", w["table"]).mT
    return found


def loss(w: Weights, x: Tensor, y: Tensor) -> Tensor:
    """Return the mean cross-entropy over all positions."""
    return functional.cross_entropy(logits(w, x).flatten(0, 1), y.flatten())


def initial(seed: int, std: float = 0.1, tied: bool = True) -> Weights:
    """Return new weights; std is that of the table and of the head."""
    g = torch.Generator().manual_seed(seed)
    stds = {
        ("table", size, WIDTH): std,
        ("place", LENGTH, WIDTH): 0.02,
        ("qkv", WIDTH, 3 * WIDTH): WIDTH**-0.5,
        ("out", WIDTH, WIDTH): (2 * WIDTH) ** -0.5,
        ("up", WIDTH, 4 * WIDTH): (2 / WIDTH) ** 0.5,
        ("down", 4 * WIDTH, WIDTH): (8 * WIDTH) ** -0.5,
        ("head", size, WIDTH): std,
    }
    return {
        name: s * torch.randn(rows, columns, generator=g)
        for (name, rows, columns), s in stds.items()
        if name != "head" or not tied
    }


def batch(text: Tensor, rows: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return random pieces of a text, and the same one character later."""
    start = torch.randint(len(text) - LENGTH, (rows, 1), generator=g)
    found = text[start + torch.arange(LENGTH + 1)]
    return found[:, :-1], found[:, 1:]


examples = batch(valid_text, 512, torch.Generator().manual_seed(SEED))

# %% [markdown] lang="zh"
# ## 初始损失 {#first}
#
# 归一化之后的流，二阶矩是 1。输出层权重的标准差是 $\sigma$、宽度是 $n$ 时，得分的方差是 $n\sigma^2$ {eq:transformers-tied-variance}，记作 $q$。这样的得分不含信息，期望损失有上下界 {eq:tasks-bounds}：
#
# {eq:tasks-bounds}
#
# 这里 $C$ 就是 $V$。共用权重时，输入的那个字符自己的得分偏高 {eq:transformers-tied-own}，而下一个字符与它相同的只占 {val:language.same:.0f}%。先猜一猜：$\sigma$ 是 0.1 时，初始损失比 $\ln V$ 高多少？$\sigma$ 是 1 呢？

# %% [markdown] lang="en"
# ## The first loss {#first}
#
# The normalized stream has second moment 1. If the weights of the output layer have standard deviation $\sigma$ and its width is $n$, the variance of the scores is $n\sigma^2$ {eq:transformers-tied-variance}; call it $q$. Such scores carry no information, and the expected loss lies between two bounds {eq:tasks-bounds}:
#
# {eq:tasks-bounds}
#
# Here $C$ is $V$. If the weights are shared, the input character itself gets a higher score {eq:transformers-tied-own}, while the next character is the same one in {val:language.same:.0f}% of all places. Make a guess: how far above $\ln V$ is the first loss for a $\sigma$ of 0.1? And for a $\sigma$ of 1?

# %%
stds = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
few = examples[0][:64], examples[1][:64]
same = 100 * (examples[0] == examples[1]).float().mean().item()
first = {
    tied: [
        sum(float(loss(initial(seed, std, tied), *few)) for seed in range(40))
        / 40
        for std in stds
    ]
    for tied in (True, False)
}
bound = [equal + WIDTH * std**2 / 2 for std in stds]

fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
ax.semilogx(stds, bound, "k--", lw=1, label="upper bound")
for tied, name, line in (
    (True, "shared with the table", "o-"),
    (False, "own head", "s-"),
):
    ax.plot(stds, first[tied], line, ms=4, color=f"C{1 - tied}", label=name)
ax.axhline(equal, color="0.5", lw=0.8)
ax.set(xlabel="standard deviation of the head", ylabel="first loss")
ax.set_xticks(stds, [str(std) for std in stds])
ax.minorticks_off()
ax.legend()
plt.show()
first_tenth, first_one = first[True][2], first[True][-1]
own_one = first[False][-1]

# %% [markdown] lang="zh"
# {fig:language-first} 初始损失，40 个种子的平均；灰线是 $\ln V$，虚线是上界。标准差不超过 0.1 时，两种输出层都离 $\ln V$ 不到 0.3；标准差是 1 时，自有的输出层比上界低得多；共用的在这条线附近，但上界只管自有的输出层。[^language-first]
#
# $\sigma$ 是 0.1 时，初始损失是 {val:language.first_tenth:.2f}，$\ln V$ 是 {val:language.equal:.2f}。$\sigma$ 是 1 时是 {val:language.first_one:.1f}，比乱猜差得多；输出层不共用时是 {val:language.own_one:.1f}。
#
# ## 优化器 {#optimizers}
#
# 对手有四个：普通的 SGD，动量 0.9 的 SGD，Adam（$\beta_2$ 取 {exact:0.95}），Muon（隐藏层的矩阵归它，字符表与位置表归 Adam，步长的尺度见[自适应方法](../training/adaptive.md#muon-adamw)）。每步 8 行，共 300 步；学习率先预热 30 步，再直线降到零。
#
# 比较要公平：每种方法先用两个种子试一串学习率，相邻的差一倍；选中的那一个不在两端。再换八个新种子，用选中的学习率训练，只报这八个的结果。种子相同，起点与批次就相同，差值成对计算。
#
# 猜一猜：四种方法怎样排名？Adam 领先的部分，出在常见的字符上，还是少见的字符上？

# %% [markdown] lang="en"
# {fig:language-first} The first loss, means over 40 seeds. Gray: $\ln V$. Dashed: the upper bound. Up to a standard deviation of 0.1, both heads are within 0.3 of $\ln V$. At a standard deviation of 1, the head of its own is far below the bound. The shared head, to which the bound does not apply, is near it.[^language-first]
#
# For a $\sigma$ of 0.1, the first loss is {val:language.first_tenth:.2f}, where $\ln V$ is {val:language.equal:.2f}. For a $\sigma$ of 1 it is {val:language.first_one:.1f}, far worse than guessing, and {val:language.own_one:.1f} if the head is not shared.
#
# ## Optimizers {#optimizers}
#
# There are four candidates: plain SGD, SGD with a momentum of 0.9, Adam with a $\beta_2$ of {exact:0.95}, and Muon, which gets the hidden matrices while Adam gets the tables; its steps are scaled as in [Adaptive methods](../training/adaptive.md#muon-adamw). There are 300 steps of 8 rows. The learning rate warms up for 30 steps and then falls to zero in a straight line.
#
# To be fair, each method first tries several learning rates, a factor of two apart, with two seeds. The one that is chosen lies inside the grid. Then eight new seeds train with this rate, and the reported numbers are those of these eight. Equal seeds have equal starts and equal batches, so differences are taken in pairs.
#
# Make a guess: how do the four rank? Does Adam's lead come from the frequent characters or from the rare ones?

# %%
Step = Callable[[str, Tensor, Weights, int], Tensor]


def sgd(beta: float) -> Step:
    """Return the step of SGD with heavy-ball momentum."""

    def step(name: str, g: Tensor, memory: Weights, t: int) -> Tensor:
        memory[name] = g + beta * memory.get(name, torch.zeros(()))
        return memory[name]

    return step


def adam(name: str, g: Tensor, memory: Weights, t: int) -> Tensor:
    """Return the step of Adam with betas of 0.9 and 0.95."""
    zero = torch.zeros(())
    m = 0.9 * memory.get(name, zero) + 0.1 * g
    u = 0.95 * memory.get(name + "²", zero) + 0.05 * g.square()
    memory[name], memory[name + "²"] = m, u
    return m / (1 - 0.9**t) / ((u / (1 - 0.95**t)).sqrt() + 1e-8)


def orthogonalize(g: Tensor) -> Tensor:
    """Return matrices with the singular vectors of g and values near 1."""
    wide = g.shape[-2] <= g.shape[-1]
    x = g if wide else g.mT
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    found: Tensor = x if wide else x.mT
    return found


def muon(name: str, g: Tensor, memory: Weights, t: int) -> Tensor:
    """Return the step of Muon; tables are left to Adam."""
    if name in ("table", "place", "head"):
        return adam(name, g, memory, t)
    memory[name] = 0.95 * memory.get(name, torch.zeros(())) + 0.05 * g
    direction = orthogonalize(0.05 * g + 0.95 * memory[name])
    return 0.2 * math.sqrt(max(g.shape[-2:])) * direction


# %%
class Runs(NamedTuple):
    """What became of one run for each rate and seed."""

    loss: Tensor  # validation loss, shape (rates, seeds)
    averaged: Tensor  # that of the mean of the last fifth of the iterates
    weights: Weights  # each with a first axis of rates times seeds


def linear(done: float) -> float:
    """Return the factor of the rate after a part of the steps."""
    return 1 - done


def train(
    rates: list[float],
    seeds: tuple[int, ...],
    step: Step = adam,
    schedule: Callable[[float], float] = linear,
    warmup: int = WARMUP,
    std: float = 0.1,
    tied: bool = True,
) -> Runs:
    """Train one model for each rate and seed, all at once."""
    models = [initial(seed, std, tied) for _ in rates for seed in seeds]
    w = {key: torch.stack([m[key] for m in models]) for key in models[0]}
    streams = [torch.Generator().manual_seed(100 + seed) for seed in seeds]
    eta = torch.tensor(rates).repeat_interleave(len(seeds))[:, None, None]
    memory: Weights = {}
    mean = {key: torch.zeros_like(value) for key, value in w.items()}
    for t in range(STEPS):
        data = [batch(train_text, ROWS, g) for g in streams] * len(rates)
        x, y = (torch.stack(part) for part in zip(*data, strict=True))
        gradients, _ = vmap(grad_and_value(loss))(w, x, y)
        factor = min(1.0, (t + 1) / warmup) * schedule(t / STEPS)
        for key, g in gradients.items():
            w[key] = w[key] - factor * eta * step(key, g, memory, t + 1)
            if t >= 0.8 * STEPS:
                mean[key] += w[key] / (0.2 * STEPS)
    with torch.no_grad():
        last, averaged = (
            vmap(loss, (0, None, None))(v, *examples).view(len(rates), -1)
            for v in (w, mean)
        )
    return Runs(last, averaged, w)


class Tuned(NamedTuple):
    """A method with its best rate: the grid, and new seeds at that rate."""

    rates: list[float]
    grid: list[float]  # mean validation losses of the pilot seeds
    rate: float
    inside: bool  # the best rate is not at an end of the grid
    runs: Runs

    @property
    def losses(self) -> Tensor:
        """Return the validation losses of the new seeds."""
        return self.runs.loss[0]


def tune(
    rates: list[float],
    step: Step = adam,
    schedule: Callable[[float], float] = linear,
    warmup: int = WARMUP,
    std: float = 0.1,
    tied: bool = True,
) -> Tuned:
    """Choose a rate with the pilot seeds, then train with new ones."""
    settings = (step, schedule, warmup, std, tied)
    grid = train(rates, PILOT, *settings).loss.mean(1)
    best = int(grid.argmin())
    runs = train([rates[best]], SEEDS, *settings)
    inside = 0 < best < len(rates) - 1
    return Tuned(rates, grid.tolist(), rates[best], inside, runs)


def gap(one: Tensor, other: Tensor) -> tuple[float, float]:
    """Return the mean difference of paired runs, and its standard error."""
    d = one - other
    return d.mean().item(), d.std().item() / math.sqrt(len(d))


def halvings(highest: float, count: int) -> list[float]:
    """Return rates up to the highest, a factor of two apart."""
    return [highest / 2**k for k in reversed(range(count))]


methods = {
    "SGD": tune(halvings(1.25, 4), sgd(0.0)),
    "SGD, β = 0.9": tune(halvings(0.5, 5), sgd(0.9)),
    "Adam": tune(halvings(0.0625, 5)),
    "Muon": tune(halvings(0.0625, 4), muon),
}
grids = {name: m.grid for name, m in methods.items()}
base = methods["Adam"].losses
ahead = {name: gap(m.losses, base) for name, m in methods.items()}
final = {name: m.losses.mean().item() for name, m in methods.items()}
for name, m in methods.items():
    print(f"{name:13} rate {m.rate:.4f}  loss {final[name]:.2f}", end="")
    d, error = ahead[name]
    print(f"  minus Adam's {d:+.3f} ± {error:.3f}" if error else "")

# %%
fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
for i, (name, m) in enumerate(methods.items()):
    color = f"C{i}"
    ax.semilogx(m.rates, grids[name], "o-", ms=3.5, lw=1, color=color)
    ax.plot(m.rate, final[name], "D", color=color, mfc="none")
    left = name == "SGD, β = 0.9"
    ax.annotate(
        name,
        (m.rates[0 if left else -1], m.grid[0 if left else -1]),
        xytext=(-5 if left else 5, -3),
        textcoords="offset points",
        ha="right" if left else "left",
        color=color,
    )
ax.set(xlabel="learning rate", ylabel="validation loss", xlim=(0.003, 6))
plt.show()

# %% [markdown] lang="zh"
# {fig:language-rates} 验证损失随学习率的变化。实心点是两个种子的平均，空心菱形是八个新种子在选中的学习率下的平均。每种方法最好的学习率都不在网格的两端。[^language-rates]
#
# 四种方法各自最好的结果：动量 0.9 的 SGD 是 {val:language.final["SGD, β = 0.9"]:.2f}，普通的 SGD 是 {val:language.final["SGD"]:.2f}，Adam 是 {val:language.final["Adam"]:.2f}，Muon 是 {val:language.final["Muon"]:.2f}。普通的 SGD 与 Adam 差 {val:language.ahead["SGD"]:.3f}，Muon 与 Adam 差 {val:language.ahead["Muon"]:.3f}。[^language-ranking] 动量 0.9 的 SGD，各个种子相差很大，看不出它比普通的 SGD 好。[^language-ranking]
#
# 下一个字符按它在训练文本里的频率分成六组，看每组的损失：

# %% [markdown] lang="en"
# {fig:language-rates} Validation loss against the learning rate. Filled points are means over two seeds. Open diamonds are means over eight new seeds at the chosen rate. For each method the best rate lies inside its grid.[^language-rates]
#
# At its best rate, SGD with a momentum of 0.9 ends at {val:language.final["SGD, β = 0.9"]:.2f}, plain SGD at {val:language.final["SGD"]:.2f}, Adam at {val:language.final["Adam"]:.2f}, and Muon at {val:language.final["Muon"]:.2f}. The difference between plain SGD and Adam is {val:language.ahead["SGD"]:.3f}, and that between Muon and Adam is {val:language.ahead["Muon"]:.3f}.[^language-ranking] The seeds of SGD with momentum differ widely, and no gain over plain SGD shows.[^language-ranking]
#
# Next, the characters to be predicted are put into six groups, by their frequency in the training text:

# %%
edges = (0, 0.001, 0.003, 0.01, 0.03, 0.1, 1)
share = shares[examples[1].flatten()]
groups = [(share > a) & (share <= b) for a, b in pairwise(edges)]


def by_group(runs: Runs) -> Tensor:
    """Return the loss of each group, shape (groups, seeds)."""
    with torch.no_grad():
        z = vmap(logits, (0, None))(runs.weights, examples[0]).flatten(1, 2)
    wanted = examples[1].flatten().expand(len(z), -1)
    each = functional.cross_entropy(z.mT, wanted, reduction="none")
    return torch.stack([each[:, group].mean(1) for group in groups])


grouped = {name: by_group(m.runs) for name, m in methods.items()}
lead = {
    name: [gap(*pair) for pair in zip(found, grouped["Adam"], strict=True)]
    for name, found in grouped.items()
}
weight = [group.float().mean().item() for group in groups]
behind = [a - b for a, b in zip(grouped["SGD"], grouped["Adam"], strict=True)]
part = torch.stack([w * d for w, d in zip(weight, behind, strict=True)])
without = part.sum(1, keepdim=True) - part  # jackknife: without one seed
rest = 100 * without[1] / without.sum(0)
spread = rest.std() * (len(rest) - 1) / math.sqrt(len(rest))
of_lead = float(100 * part[1].sum() / part.sum()), float(spread)
of_text = 100 * weight[1]

fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
places = range(len(groups))
for i, (name, marker) in enumerate((("SGD", "o"), ("Muon", "^"))):
    means, errors = zip(*lead[name], strict=True)
    color = f"C{3 * i}"
    ax.errorbar(
        places, means, errors, fmt=marker + "-", ms=4, lw=1, color=color
    )
    ax.annotate(
        name, (5, means[-1]), (6, -3), textcoords="offset points", color=color
    )
ax.axhline(0, color="0.5", lw=0.8)
names = ["< 0.1%", "< 0.3%", "< 1%", "< 3%", "< 10%", "> 10%"]
ax.set_xticks(list(places), names)
ax.set(xlabel="frequency of the character", ylabel="loss minus Adam's")
ax.set_xlim(-0.3, 5.8)
plt.show()

# %% [markdown] lang="zh"
# {fig:language-rare} 每组字符的损失减去 Adam 的损失，八个种子的平均与标准误；从左到右，越来越常见。普通的 SGD 在频率 0.1% 到 0.3% 的字符上落后得最多；在最少见的一组上，它反而领先。Muon 在最少见的一组上与 Adam 看不出差别，在其余各组都领先。[^language-rare]
#
# 在以词为单位的语言模型上，Kunstner 等人发现，Adam 的领先有很大一部分出在少见的词上 [@kunstner2024]。这里，频率在 0.1% 到 0.3% 的字符上，SGD 与 Adam 的差是 {val:language.lead["SGD"][1]:.2f}。这一组只占全部字符的 {val:language.of_text:.0f}%，却占 Adam 全部领先的 {val:language.of_lead:.0f}%。更少见的字符上，差是 {val:language.lead["SGD"][0]:.2f}，符号相反。
#
# ## 预热 {#warmup}
#
# 同样的网格，去掉 Adam 的预热，再来一遍。猜一猜：在最好的学习率上，预热换来多少？在更高的学习率上呢？

# %% [markdown] lang="en"
# {fig:language-rare} Loss of each group of characters minus that of Adam, means and standard errors over eight seeds; frequency grows from left to right. Plain SGD is furthest behind on characters with a frequency between 0.1% and 0.3%, and it is ahead of Adam on the rarest. On the rarest, no difference between Muon and Adam shows, and in each other group Muon is ahead.[^language-rare]
#
# On language models over words, Kunstner et al. find that much of Adam's lead is on the rare ones [@kunstner2024]. Here, on characters with a frequency between 0.1% and 0.3%, the difference between SGD and Adam is {val:language.lead["SGD"][1]:.2f}. This group makes up {val:language.of_text:.0f}% of all characters and {val:language.of_lead:.0f}% of Adam's whole lead. On rarer characters the difference is {val:language.lead["SGD"][0]:.2f}, with the opposite sign.
#
# ## Warm-up {#warmup}
#
# Run the same grid again, with Adam but without warm-up. Make a guess: what does warm-up gain at the best learning rate? And at higher rates?

# %%
cold = tune(halvings(0.0625, 5), warmup=1)
warm = methods["Adam"]
gain = gap(cold.losses, warm.losses)
gaps = [c - w for c, w in zip(cold.grid, warm.grid, strict=True)]
high = warm.rates[-2:]
at_high = zip(
    train(high, SEEDS, warmup=1).loss, train(high, SEEDS).loss, strict=True
)
gain_high = [gap(*pair) for pair in at_high]

fig, ax = plt.subplots(figsize=(5.2, 2.8), layout="constrained")
for m, name, line, color in (
    (cold, "without warm-up", "s--", "C1"),
    (warm, "with warm-up", "o-", "C2"),
):
    ax.semilogx(m.rates, m.grid, line, ms=4, lw=1, color=color, label=name)
ax.set(xlabel="learning rate", ylabel="validation loss")
ax.set_xticks(warm.rates, [f"{rate:.3f}" for rate in warm.rates])
ax.minorticks_off()
ax.legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:language-warmup} Adam 的验证损失，有预热与没有预热，两个种子的平均。在最高的两个学习率上，没有预热的一条更高；学习率再低，两条线就靠得很近。[^language-warmup]
#
# 八个新种子，各取最好的学习率，没有预热的一方高 {val:language.gain:.3f}。学习率是 {exact:0.03125} 时，高 {val:language.gain_high[0]:.2f}；是 {exact:0.0625} 时，高 {val:language.gain_high[1]:.2f}。在[学习率](../training/learning-rate.md#warm-up)一章里，有了预热，更高的学习率也能用；这个模型没有预热也能训练，只是学习率高时损失更高。[^language-warmup]在最好的学习率上，差别不到误差的三倍，不足以下结论。[^language-warmup]
#
# ## 调度 {#schedules}
#
# Adam 的学习率，在预热之后有四种走法：一直不变，直线降到零，余弦降到零，先不变、最后五分之一直线降到零。每种走法各自挑学习率。还有一种做法，学习率不变，把最后五分之一的权重取平均。猜一猜：哪一种最低？在带噪声的二次函数上，余弦低于“先不变再降”，见[那里的输出](../training/learning-rate.md#stable)。

# %% [markdown] lang="en"
# {fig:language-warmup} Validation loss of Adam with and without warm-up, means over two seeds. At the two highest rates, the line without warm-up is the higher one. At lower rates the two lines are close.[^language-warmup]
#
# With eight new seeds, the runs without warm-up end higher by {val:language.gain:.3f} at their best rates. At a rate of {exact:0.03125} the difference is {val:language.gain_high[0]:.2f}, and at {exact:0.0625} it is {val:language.gain_high[1]:.2f}. In the chapter [Learning rate](../training/learning-rate.md#warm-up), warm-up made higher rates usable. This model trains at them without warm-up as well, but to a higher loss.[^language-warmup] At the best rate, the difference is less than three times its error, which is too little to tell.[^language-warmup]
#
# ## Schedules {#schedules}
#
# After warm-up, Adam's learning rate takes one of four ways: it stays constant, it falls to zero in a straight line, it falls to zero like a cosine, or it stays constant and falls during the last fifth. Each of them is tuned like the optimizers above. A further way keeps the rate constant and takes the mean of the weights over the last fifth. Make a guess: which one ends lowest? On the noisy quadratic, the cosine ends below the rate that is held and then falls, as the [output there](../training/learning-rate.md#stable) shows.


# %%
def cosine(done: float) -> float:
    """Return the factor of the rate after a part of the steps."""
    return (1 + math.cos(math.pi * done)) / 2


def hold(done: float) -> float:
    """Return the factor: 1, then a straight fall over the last fifth."""
    return min(1.0, (1 - done) / 0.2)


held = tune(halvings(0.015625, 4), schedule=hold)
waved = tune(halvings(0.03125, 4), schedule=cosine)
steady = tune(halvings(0.015625, 4), schedule=lambda done: 1.0)
mean_of_last = steady.runs.averaged[0]
schedules = {
    "constant": steady.losses,
    "cosine": waved.losses,
    "linear": base,
    "hold, fall": held.losses,
    "constant, mean of the last": mean_of_last,
}
lower = {name: gap(found, base) for name, found in schedules.items()}
levels = {name: found.mean().item() for name, found in schedules.items()}
for name, (d, error) in lower.items():
    print(f"{name:27} {levels[name]:.3f}", end="")
    print(f"  minus linear {d:+.3f} ± {error:.3f}" if error else "")

# %% [markdown] lang="zh"
# 从高到低：余弦是 {val:language.levels["cosine"]:.3f}，直线是 {val:language.levels["linear"]:.3f}，先不变再降是 {val:language.levels["hold, fall"]:.3f}。学习率不变是 {val:language.levels["constant"]:.3f}，取平均之后是 {val:language.levels["constant, mean of the last"]:.3f}。与直线的差，余弦是 {val:language.lower["cosine"]:.3f}，先不变再降是 {val:language.lower["hold, fall"]:.3f}。[^language-schedules] 在二次函数上，余弦低于先不变再降；在这里反了过来。不过那里的调度共用一个学习率，这里各自挑选。取平均与先不变再降，差别与误差相当；两者都能在不知道总步数时开始训练。
#
# ## 输出层 {#head}
#
# 共用的输出层，与自有的输出层相比；再把共用的字符表的标准差换成 1。猜一猜：初始损失高出那么多，300 步之后还看得出来吗？

# %% [markdown] lang="en"
# From high to low, the cosine ends at {val:language.levels["cosine"]:.3f}, the straight line at {val:language.levels["linear"]:.3f}, and the rate that is held and then falls at {val:language.levels["hold, fall"]:.3f}. A constant rate ends at {val:language.levels["constant"]:.3f}, and at {val:language.levels["constant, mean of the last"]:.3f} if the mean is taken. Compared with the straight line, the cosine differs by {val:language.lower["cosine"]:.3f} and the rate that is held by {val:language.lower["hold, fall"]:.3f}.[^language-schedules] On the quadratic, the cosine ended below the rate that is held; here it is the other way round. There, however, the schedules shared one rate, and here each has its own. The difference between the mean and the rate that is held is comparable to its error, and neither needs to know the number of steps at the start.
#
# ## The head {#head}
#
# Now compare the shared head with a head of its own, and then give the shared table a standard deviation of 1. Make a guess: can the high first loss still be seen after 300 steps?

# %%
own = tune(halvings(0.03125, 4), tied=False)
loud = tune(halvings(0.03125, 4), std=1.0)
own_gap, loud_gap = gap(own.losses, base), gap(loud.losses, base)
print(f"own head: minus shared {own_gap[0]:+.3f} ± {own_gap[1]:.3f}")
print(f"std 1:    minus std 0.1 {loud_gap[0]:+.3f} ± {loud_gap[1]:.3f}")

# %% [markdown] lang="zh"
# 自有的输出层比共用的高 {val:language.own_gap:.3f}，看不出差别。字符表的标准差是 1 时，初始损失是 {val:language.first_one:.0f}，不是 {val:language.first_tenth:.0f}，300 步之后还高 {val:language.loud_gap:.2f}。[^language-head]
#
# ## 它写出什么 {#sample}
#
# 从 Muon 训练出的一个模型里逐个抽字符：

# %% [markdown] lang="en"
# The head of its own ends higher by {val:language.own_gap:.3f}, which is no visible difference. With a standard deviation of 1, the first loss is {val:language.first_one:.0f} instead of {val:language.first_tenth:.0f}, and after 300 steps the loss is still higher by {val:language.loud_gap:.2f}.[^language-head]
#
# ## What it writes {#sample}
#
# Draw characters one by one from a model that Muon has trained:


# %%
def write(w: Weights, start: str, count: int) -> str:
    """Return a text of the model, after a start of LENGTH characters."""
    g = torch.Generator().manual_seed(SEED)
    text = [number[c] for c in start]
    for _ in range(count):
        with torch.no_grad():
            z = logits(w, torch.tensor([text[-LENGTH:]]))[0, -1]
        text.append(int(torch.multinomial(z.softmax(0), 1, generator=g)))
    return "".join(alphabet[i] for i in text)


one = {key: value[0] for key, value in methods["Muon"].runs.weights.items()}
print(write(one, validation[:LENGTH], 240))

# %% [markdown] lang="zh"
# 词的长短和空格都像了，英语单词却没有几个。
#
# ## 学到了什么 {#learned}
#
# - 输出层的标准差越大，初始损失越高；标准差是 1 时，共用的比自有的还要高得多 {fig:language-first}。这样的输出层，出发时比乱猜差得多，300 步也没有补回来。[^language-head]
# - Muon 领先 Adam，Adam 领先普通的 SGD，前一个差距更大 {fig:language-rates}。按每个字符算，Adam 领先 SGD 最多的是频率 0.1% 到 0.3% 的字符；在更少见的字符上，领先的是 SGD {fig:language-rare}。
# - 动量 0.9 没有给 SGD 带来看得出的好处，两边各取了最好的学习率。[^language-ranking]
# - 在高的学习率上，预热使损失更低 {fig:language-warmup}；在最好的学习率上，换来的不到误差的三倍。[^language-warmup]
# - 先不变再降，结果比直线低，直线又比余弦低。[^language-schedules] 在带噪声的二次函数上，余弦低于先不变再降。
#
# 这些是一个小模型头 300 步的结果；模型更大、训练更久时会怎样，这里没有量。
#
# ## 再试两件事 {#try}
#
# 1. GPT-2 的嵌入取标准差 0.02。在这个模型上用 0.02，初始损失更接近 $\ln V$。结果更好吗？
# 2. 去掉 Muon 的预热。它比 Adam 更需要预热吗？
#
# ## 答案 {#answers}
#
# 先自己试一试，再往下看。

# %% [markdown] lang="en"
# The lengths of the words and the spaces look right, but hardly a word is English.
#
# ## What was learned {#learned}
#
# - The first loss grows with the standard deviation of the head, and at 1 a shared head starts far higher than one of its own {fig:language-first}. A shared head of standard deviation 1 starts far worse than guessing and has not made up for it after 300 steps.[^language-head]
# - Muon is ahead of Adam, and Adam is ahead of plain SGD by less {fig:language-rates}. Per character, Adam's lead over SGD is largest at frequencies between 0.1% and 0.3%. On rarer characters, SGD is ahead {fig:language-rare}.
# - A momentum of 0.9 brought SGD no visible gain, each at its best rate.[^language-ranking]
# - At high learning rates, warm-up lowers the loss {fig:language-warmup}. At the best rate, its gain is less than three times the error.[^language-warmup]
# - The rate that is held and then falls ends lower than the straight line, and the straight line lower than the cosine.[^language-schedules] On the noisy quadratic, the cosine ends below the rate that is held.
#
# These are results of a small model in its first 300 steps. What happens with larger models or longer training was not measured.
#
# ## Two things to try {#try}
#
# 1. GPT-2 gives its embeddings a standard deviation of 0.02. With 0.02, the first loss of this model is closer to $\ln V$. Does it end lower?
# 2. Leave out the warm-up of Muon. Does Muon need it more than Adam does?
#
# ## Answers {#answers}
#
# Try it yourself before you read on.

# %%
quiet = tune(halvings(0.03125, 4), std=0.02)
quiet_gap = gap(quiet.losses, base)
best_muon = methods["Muon"]
cold_muon = train([best_muon.rate], SEEDS, muon, warmup=1).loss[0]
muon_gap = gap(cold_muon, best_muon.losses)
print(f"std 0.02: minus std 0.1 {quiet_gap[0]:+.2f} ± {quiet_gap[1]:.2f}")
print(f"Muon, cold: minus warm  {muon_gap[0]:+.3f} ± {muon_gap[1]:.3f}")

# %% [markdown] lang="zh"
# 1. 没有更好：结果比标准差 0.1 高 {val:language.quiet_gap:.2f}，比标准差 1 也高。初始损失接近 $\ln V$，说的是得分很小，没有说训练会顺利。
# 2. 没有看出来。在同一个学习率上，去掉预热的差是 {val:language.muon_gap:.3f}。
#
# ## 参考文献 {#references}
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# 1. It does not. It ends {val:language.quiet_gap:.2f} higher than with a standard deviation of 0.1, and higher than with 1 as well. A first loss near $\ln V$ says that the scores are small. It does not say that training goes well.
# 2. Not visibly. At the same rate, the difference without warm-up is {val:language.muon_gap:.3f}.
#
# ## References {#references}
#
# ## Assertions {#finding}
#
# The finding of this lab as code:

# %%
tuned = [*methods.values(), cold, held, waved, steady, own, loud, quiet]
assert all(m.inside for m in tuned)  # each best rate is inside its grid
assert first_tenth < equal + 0.3 < first_one - 5
assert ahead["Muon"][0] < -3 * ahead["Muon"][1]  # Muon is ahead of Adam,
assert ahead["SGD"][0] > 3 * ahead["SGD"][1]  # and Adam of plain SGD,
assert max(lead["SGD"])[0] == lead["SGD"][1][0] > 3 * ahead["SGD"][0]
assert lead["SGD"][0][0] < 0  # on rare characters, but not on the rarest
assert min(d for d, _ in gain_high) > 0  # warm-up pays at high rates
assert lower["hold, fall"][0] < 0 < lower["cosine"][0]
assert loud_gap[0] > 3 * loud_gap[1]  # a loud head does not recover
assert quiet_gap[0] > loud_gap[0]  # and a quiet one is worse
