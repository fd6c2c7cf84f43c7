# %% [markdown] lang="zh"
# # 诊断：信号死在哪一层 {#diagnose}
#
# 一个不肯训练的网络，用一次前向、一次反向就能找出信号死在哪一层。把这里的 `probe` 拷走，它对任何由线性层与卷积层组成的 PyTorch 模型都能用。
#
# ## 问题 {#question}
#
# 下面的网络有三个卷积层、九个线性层，都用 ReLU，损失停在乱猜的水平。有四层的初始化写错了：He 的方差是 2 除以 fan_in，有人把它当成了标准差。假装不知道是哪四层，怎样把它们找出来？

# %% [markdown] lang="en"
# # Diagnosis: in which layer does the signal die? {#diagnose}
#
# A network refuses to train. One forward and one backward pass find the layer in which the signal dies. Take `probe` along: it works for any PyTorch model of linear and convolution layers.
#
# ## The question {#question}
#
# The network below has three convolutions and nine linear layers, all with ReLU, and its loss stays at the level of guessing. Four layers were initialized by mistake: He's variance is 2 over fan_in, and somebody took it for the standard deviation. Pretend not to know which four. How are they found?

# %%
import math
from itertools import pairwise
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

SEED = 0
SEEDS = (0, 1, 2)

# %%
images, targets = load_digits(return_X_y=True)
inputs = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8)
inputs = (inputs - inputs.mean()) / inputs.std()
labels = torch.tensor(targets)


def build(seed: int) -> nn.Sequential:
    """Return the patient: 8×8 images to 10 classes."""
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for channels in (1, 16, 16):
        layers += [nn.Conv2d(channels, 16, 3, bias=False), nn.ReLU()]
    layers.append(nn.Flatten())
    for _ in range(8):
        layers += [nn.Linear(64, 64, bias=False), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(64, 10, bias=False))
    for number, layer in enumerate(weighted(model)):
        nn.init.kaiming_normal_(layer.weight, generator=generator)
        if 5 <= number <= 8:  # the mistake
            nn.init.normal_(layer.weight, std=2 / 64, generator=generator)
    return model


def weighted(model: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    """Return the layers that have a weight, in order."""
    return [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d)]


# %% [markdown] lang="zh"
# ## 预测 {#prediction}
#
# 只看权重就能预测。ReLU 之后，二阶矩每层乘以
#
# {eq:he-recursion}
#
# 健康的层因子是 1。梯度往回走，乘的是 fan_out 那一边：
#
# {eq:he-backward}
#
# 写错的层，方差成了 2 除以 fan_in 的平方，因子是 2 除以 fan_in，宽 64 时是 1/32；四层一共缩小到百万分之一。这四层之后信号小，之前梯度小。而权重的梯度是两者的乘积：所以**每一层**的权重都学不动，光看权重的梯度找不出坏的层。
#
# `probe` 在每个层的输出上挂钩子，记下二阶矩，再记下那里的梯度。

# %% [markdown] lang="en"
# ## The prediction {#prediction}
#
# The weights alone tell it. Behind a ReLU each layer multiplies the second moment:
#
# {eq:he-recursion}
#
# The factor of a healthy layer is 1. Backward it is the side of fan_out that counts:
#
# {eq:he-backward}
#
# With the mistake the variance is the square of 2 over fan_in, and the factor is 2 over fan_in, 1/32 at width 64; four layers leave a millionth. Behind these four the signal is small, before them the gradient. The gradient of a weight is the product of both: so **no** layer learns, and the gradients of the weights do not show which layers are bad.
#
# `probe` hooks the output of each layer, records its second moment, and then that of the gradient there.


# %%
class Reading(NamedTuple):
    """What one layer shows."""

    predicted: float  # factor of the second moment, from the weights alone
    signal: float  # second moment of the output
    gradient: float  # second moment of the gradient at the output
    weight: float  # second moment of the weight's gradient


def probe(model: nn.Module, x: Tensor, y: Tensor) -> list[Reading]:
    """Return a reading of every linear and convolution layer, in order."""
    outputs: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> None:
        outputs.append(output)

    layers = weighted(model)
    hooks = [layer.register_forward_hook(keep) for layer in layers]
    loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
    for hook in hooks:
        hook.remove()
    weights = [layer.weight for layer in layers]
    gradients = torch.autograd.grad(loss, [*outputs, *weights])
    readings = []
    for number, weight in enumerate(weights):
        factor = weight[0].numel() * weight.detach().square().mean() / 2
        three = (outputs[number], *gradients[number :: len(layers)])
        values = [float(a.detach().double().square().mean()) for a in three]
        readings.append(Reading(float(factor), *values))
    return readings


# %% [markdown] lang="zh"
# ## 测量 {#measurement}

# %% [markdown] lang="en"
# ## The measurement {#measurement}

# %%
patient = build(SEED)
found = probe(patient, inputs[:200], labels[:200])
for number, (last, reading) in enumerate(pairwise(found), 2):
    measured = reading.signal / last.signal
    mark = " <" if reading.predicted < 0.25 else ""
    print(f"{number:2}  {reading.predicted:.2f}  {measured:.2f}{mark}")

# %%
fig, axes = plt.subplots(
    2, 1, figsize=(5.2, 4.4), sharex=True, layout="constrained"
)
numbers = range(1, len(found) + 1)
chain = [found[0].signal]
for reading in found[1:]:
    chain.append(chain[-1] * reading.predicted)
axes[0].semilogy(numbers, chain, "--", color="C0", lw=1)
axes[0].semilogy(numbers, [r.signal for r in found], "o", color="C0")
axes[0].set(ylabel="second moment q")
for marker, color, label, values in (
    ("s", "C1", "gradient in z", [r.gradient for r in found]),
    ("^", "C2", "gradient in W", [r.weight for r in found]),
):
    relative = [value / values[-1] for value in values]
    axes[1].semilogy(numbers, relative, marker, color=color, label=label)
axes[1].set(xlabel="layer", ylabel="relative second moment", xticks=numbers)
axes[1].legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:diagnose-patient} 上：信号的二阶矩，虚线由权重算出，点是实测。它在第 6 到第 9 层掉下去。下：梯度的二阶矩，以最后一层为 1。对 $z$ 的梯度在同样四层里往回掉下去；对 $W$ 的梯度在全网相差不到两个数量级，看不出是谁的错。
#
# 两栏数字分别是预测与实测的因子，标出了低于 ¼ 的层。宽 64 的单个网络，实测的因子上下几成是正常的。
#
# ## 修好它 {#repair}
#
# 因子低于 ¼ 或高于 4 的层，重新初始化。其余的不动。

# %% [markdown] lang="en"
# {fig:diagnose-patient} Top: second moment of the signal; dashed: computed from the weights, points: measured. It falls in layers 6 to 9. Bottom: second moments of gradients, relative to the last layer. The gradient in $z$ falls in the same four layers, backward; that in $W$ varies by less than two decades over the whole network and does not tell who is to blame.
#
# The two columns of numbers are the predicted and the measured factors; layers below ¼ are marked. In a single network of width 64, measured factors may be off by tens of percent.
#
# ## The repair {#repair}
#
# Layers with a factor below ¼ or above 4 are initialized again. The others stay as they are.


# %%
def repair(model: nn.Module, readings: list[Reading], seed: int) -> list[int]:
    """Initialize bad layers again; return their numbers, from 1."""
    generator = torch.Generator().manual_seed(seed)
    bad = []
    for number, (layer, reading) in enumerate(
        zip(weighted(model), readings, strict=True), 1
    ):
        # The first layer passes no ReLU before it: its factor means little.
        if number > 1 and not 0.25 < reading.predicted < 4:
            nn.init.kaiming_normal_(layer.weight, generator=generator)
            bad.append(number)
    return bad


def train(model: nn.Module, seed: int, steps: int = 150) -> list[float]:
    """Return the training loss of each step."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    losses = []
    for _ in range(steps):
        batch = torch.randint(0, 1500, (64,), generator=generator)
        loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    return losses


bad = repair(patient, found, SEED)
cured = probe(patient, inputs[:200], labels[:200])
died = math.log10(found[-1].signal / found[0].signal)
kept = math.log10(cured[-1].signal / cured[0].signal)
print(f"repaired {bad}")
print(f"signal through the network: 1e{died:.0f} before, 1e{kept:.0f} after")

# %%
before, after = [], []
for seed in SEEDS:
    before.append(train(build(seed), seed))
    model = build(seed)
    repair(model, probe(model, inputs[:200], labels[:200]), seed)
    after.append(train(model, seed))

fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
for runs, dash, color, label in (
    (before, "--", "C1", "before the repair"),
    (after, "-", "C0", "after the repair"),
):
    for number, run in enumerate(runs):
        means = torch.tensor(run).view(-1, 10).mean(1)
        steps = 10 * torch.arange(len(means)) + 5
        name = label if number == 0 else None
        ax.plot(steps, means, dash, color=color, lw=1.2, label=name)
ax.axhline(math.log(10), color="0.5", lw=0.8)
ax.set(xlabel="step", ylabel="training loss", ylim=(0, 2.9))
ax.legend()
plt.show()

loss_before = float(torch.tensor(before)[:, -20:].mean())
loss_after = float(torch.tensor(after)[:, -20:].mean())
print(f"loss {loss_before:.1f} before, {loss_after:.1f} after")

# %% [markdown] lang="zh"
# {fig:diagnose-training} 修之前与修之后的训练损失，各三个种子，灰线是 $\ln 10$。修之前一动不动；修好四层之后，{exact:150} 步降到 {val:diagnose.loss_after:.2f}。
#
# ## 学到了什么 {#learned}
#
# - 一层的因子从权重就能算出，不必训练，连数据都不必有。
# - 信号在坏的层**之后**小，梯度在坏的层**之前**小，权重的梯度**处处**小。要找坏的层，看信号每层的因子，不要看权重的梯度。
# - 只修坏的层就够了。
#
# ## 再试两件事 {#try}
#
# 1. 把 `build` 里的错误换成 PyTorch 的默认初始化（删掉带 `nn.init` 的几行）。`probe` 会报告几个坏的层？每层的因子是多少？
# 2. 把 `probe` 用在你自己的模型上。有残差连接或归一化时，哪一栏数字不再适用？
#
# 背景见[为什么初始化重要](../initialization/why.md)与[选择初始化](../initialization/choosing.md)。
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# {fig:diagnose-training} Training loss before and after the repair, three seeds each; the grey line is $\ln 10$. Before, nothing moves; with four layers repaired it falls to {val:diagnose.loss_after:.2f} in {exact:150} steps.
#
# ## What was learned {#learned}
#
# - The factor of a layer can be computed from its weights, without training and even without data.
# - The signal is small **behind** the bad layers, the gradient is small **before** them, and the gradients of the weights are small **everywhere**. To find bad layers look at the factor of the signal, not at the gradients of the weights.
# - It is enough to repair the bad layers.
#
# ## Two things to try {#try}
#
# 1. Replace the mistake in `build` by PyTorch's default initialization (delete the lines with `nn.init`). How many bad layers does `probe` report, and what is the factor of each?
# 2. Use `probe` on a model of your own. With residual connections or normalization, which column no longer applies?
#
# For the background see [Why initialization matters](../initialization/why.md) and [Choosing an initialization](../initialization/choosing.md).
#
# ## The assertions {#finding}
#
# The finding of this lab, as code:

# %%
assert bad == [6, 7, 8, 9]
for earlier, later in pairwise(found):
    ratio = later.signal / earlier.signal
    assert 0.3 < ratio / later.predicted < 3  # the weights alone foretell it
weights = [reading.weight for reading in found]
assert max(weights) / min(weights) < 1e3  # equally small everywhere, while
assert found[0].gradient < 1e-4 * found[-1].gradient  # this one is not
assert died < -5 < -1 < kept
assert abs(loss_before - math.log(10)) < 0.05
assert loss_after < 0.7
