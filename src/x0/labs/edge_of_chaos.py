# %% [markdown] lang="zh"
# # 混沌边缘：能训练多深 {#edge-of-chaos}
#
# Schoenholz 等人报告：随机的 tanh 网络能训练的深度，是信号能走的深度的几倍；后者在训练之前就能算出来 [@schoenholz2017]。这里用手写数字重画他们的热图。
#
# ## 问题 {#question}
#
# 权重的方差是 $\sigma_w^2$ 除以宽度，偏置的方差 $\sigma_b^2$ 固定在 0.05。哪些 $\sigma_w^2$ 与深度的组合能训练？边界在哪里？

# %% [markdown] lang="en"
# # The edge of chaos: how deep can it train? {#edge-of-chaos}
#
# Schoenholz et al. reported that a random tanh network can be trained up to a depth that is a few times the depth to which a signal travels. The latter can be computed before training [@schoenholz2017]. This lab repeats their heat map on handwritten digits.
#
# ## Question {#question}
#
# The weights have the variance $\sigma_w^2$ over the width. The variance of the biases, $\sigma_b^2$, is fixed at 0.05. Which pairs of $\sigma_w^2$ and depth can be trained, and where is the border?

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional

SEED = 0
Array = NDArray[np.float64]
WIDTH = 64
BIAS_VARIANCE = 0.05
WEIGHT_VARIANCES = torch.linspace(0.5, 4.0, 11)
DEPTHS = (4, 8, 12, 16, 24, 32, 48)

# %% [markdown] lang="zh"
# ## 预测 {#prediction}
#
# 两个输入的相关系数，每过一层按同一个映射变化。下式里 $u$ 与 $t$ 是独立的正态变量，均值为零，方差为 $q_{\star}$：
#
# {eq:mean-field-correlation}
#
# 相关系数趋于一个稳定的不动点 $c_{\star}$。在不动点附近，每过一层，它到不动点的距离乘以映射在那里的斜率。距离缩小到 1/e 要走的层数，就是两个输入的区别能走多深：
#
# {eq:edge-of-chaos-scale}
#
# $\sigma_w^2$ 小的时候，$c_{\star}$ 是 1：不同的输入变得一样，网络有序。$\sigma_w^2$ 大的时候，$c_{\star}$ 小于 1：再近的两个输入也会分开，网络混沌。两种情形里，层数一多，输入的区别就丢失了，要学的东西到不了输出。两者之间，斜率到了 1，深度尺度发散 {eq:edge-of-chaos-scale}：这就是混沌边缘，见[平均场与混沌边缘](../initialization/mean-field.md)。
#
# 期望用高斯–埃尔米特求积（Gauss–Hermite）来算。

# %% [markdown] lang="en"
# ## Prediction {#prediction}
#
# From layer to layer, the correlation of two inputs changes by the same map. In the formula, $u$ and $t$ are independent normal variables of mean zero and variance $q_{\star}$:
#
# {eq:mean-field-correlation}
#
# The correlation tends to a stable fixed point $c_{\star}$. Near the fixed point, each layer multiplies its distance from that point by the slope of the map there. The number of layers in which the distance shrinks to 1/e says how far the difference of two inputs travels:
#
# {eq:edge-of-chaos-scale}
#
# When $\sigma_w^2$ is small, $c_{\star}$ is 1. Different inputs become the same, and the network is called ordered. When $\sigma_w^2$ is large, $c_{\star}$ lies below 1. Even very similar inputs are driven apart, and the network is called chaotic. In both cases, enough layers make the network forget how its inputs differ, and what is to be learned does not reach the output. In between, the slope reaches 1 and the depth scale diverges {eq:edge-of-chaos-scale}. This is the edge of chaos, see [Mean field and the edge of chaos](../initialization/mean-field.md).
#
# The expectations are computed by Gauss–Hermite quadrature.

# %%
NODES, MASS = np.polynomial.hermite_e.hermegauss(41)
MASS = MASS / MASS.sum()


def fixed_point(weight: float, bias: float) -> tuple[float, float, float]:
    """Return q, the correlation and its map's slope at the fixed point."""
    q = 1.0
    for _ in range(3000):
        q = weight * float(MASS @ np.tanh(q**0.5 * NODES) ** 2) + bias
    u = q**0.5 * NODES[:, None]

    def other(c: float) -> Array:
        found: Array = c * u + (1 - c * c) ** 0.5 * q**0.5 * NODES[None, :]
        return found

    c = 0.5
    for _ in range(3000):
        inside = MASS @ (np.tanh(u) * np.tanh(other(c))) @ MASS
        c = min(1.0, (weight * float(inside) + bias) / q)
    slopes = (1 - np.tanh(u) ** 2) * (1 - np.tanh(other(c)) ** 2)
    return q, c, weight * float(MASS @ slopes @ MASS)


points = [fixed_point(float(w), BIAS_VARIANCE) for w in WEIGHT_VARIANCES]
scales = np.array([1 / abs(np.log(slope)) for *_, slope in points])
for weight, (_, c, slope) in zip(WEIGHT_VARIANCES, points, strict=True):
    scale = 1 / abs(np.log(slope))
    print(f"{weight:.2f}  c {c:.3f}  slope {slope:.3f}  scale {scale:5.1f}")

# %% [markdown] lang="zh"
# 预测：在两侧，能训练的深度都随深度尺度变化，到 $\sigma_w^2$ 约为 {exact:1.8} 处达到峰值。预测没有给出倍数，倍数由实验定；原论文的图上画的是 6 倍。
#
# ## 测量 {#measurement}
#
# 选定一个深度，11 个 $\sigma_w^2$ 各建一个网络，叠在一起，用批量矩阵乘法同时训练：宽 64，带动量的 SGD，每批 32 张，150 步。这些网络的输出层，权重方差都是 1 除以宽度。

# %% [markdown] lang="en"
# The prediction is that on both sides the trainable depth follows the depth scale, with a peak at a $\sigma_w^2$ of about {exact:1.8}. The multiple is not predicted but measured. The figure in the paper shows 6.
#
# ## Measurement {#measurement}
#
# At each depth, there is one network for each of 11 values of $\sigma_w^2$. These networks are stacked into one batched matrix product and trained together, with width 64, SGD with momentum, batches of 32 and 150 steps. They share the variance of the output weights, which is 1 over the width.

# %%
images, targets = load_digits(return_X_y=True)
inputs = torch.tensor(images[:1500], dtype=torch.float32)
inputs = inputs - inputs.mean(0)
inputs = inputs / inputs.square().mean(1, keepdim=True).sqrt()
labels = torch.tensor(targets[:1500])
NETS = len(WEIGHT_VARIANCES)


def forward(x: Tensor, weights: list[Tensor], biases: list[Tensor]) -> Tensor:
    """Return the logits of all networks, shape (networks, batch, 10)."""
    h = x.expand(NETS, -1, -1)
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        h = torch.tanh(torch.baddbmm(bias, h, weight))
    return torch.baddbmm(biases[-1], h, weights[-1])


def train(depth: int, steps: int = 150) -> Tensor:
    """Return the training accuracy of each network after a few steps."""
    generator = torch.Generator().manual_seed(SEED + depth)
    sizes = [64, *[WIDTH] * (depth - 1), 10]
    weights, biases = [], []
    for fan_in, fan_out in pairwise(sizes):
        last = fan_out == 10
        variances = torch.ones(NETS) if last else WEIGHT_VARIANCES
        std = (variances / fan_in).sqrt().view(-1, 1, 1)
        draws = torch.randn(NETS, fan_in, fan_out, generator=generator)
        shifts = torch.randn(NETS, 1, fan_out, generator=generator)
        weights.append((std * draws).requires_grad_())
        scale = 0.0 if last else BIAS_VARIANCE**0.5
        biases.append((scale * shifts).requires_grad_())
    parameters = [*weights, *biases]
    velocities = [torch.zeros_like(p) for p in parameters]
    for _ in range(steps):
        batch = torch.randint(0, 1500, (32,), generator=generator)
        logits = forward(inputs[batch], weights, biases).flatten(0, 1)
        # The networks share nothing: the gradient of the sum is each one's own.
        loss = functional.cross_entropy(
            logits, labels[batch].repeat(NETS), reduction="sum"
        )
        gradients = torch.autograd.grad(loss / 32, parameters)
        with torch.no_grad():
            for p, v, g in zip(parameters, velocities, gradients, strict=True):
                v.mul_(0.9).add_(g)
                p.sub_(v, alpha=0.002)
    with torch.no_grad():
        right = forward(inputs, weights, biases).argmax(2) == labels
    return right.float().mean(1)


accuracy = torch.stack([train(depth) for depth in DEPTHS]).numpy()
for depth, row in zip(DEPTHS, accuracy, strict=True):
    print(f"{depth:3}", " ".join(f"{value:.1f}" for value in row))

# %%
middles = np.sqrt(np.multiply(DEPTHS[1:], DEPTHS[:-1]))
rows = [DEPTHS[0] ** 2 / middles[0], *middles, DEPTHS[-1] ** 2 / middles[-1]]
columns = np.linspace(0.325, 4.175, NETS + 1)
fine = np.linspace(0.5, 4.0, 41)
curve = [
    6 / abs(np.log(fixed_point(w, BIAS_VARIANCE)[2])) for w in fine.tolist()
]

fig, ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
field = ax.pcolormesh(columns, rows, accuracy, vmin=0.1, vmax=1)
ax.plot(fine, np.minimum(curve, 100), "--", color="C1", lw=2)
ax.set(xlabel="σw²", ylabel="depth", yscale="log", ylim=(rows[0], rows[-1]))
ax.set_yticks(DEPTHS, [str(depth) for depth in DEPTHS])
ax.minorticks_off()
ax.grid(False)
fig.colorbar(field)
ax.set_title("training accuracy")
plt.show()

# %% [markdown] lang="zh"
# {fig:edge-of-chaos-map} 训练 150 步之后的训练准确率：亮的高，暗的低，0.1 是乱猜。虚线是预测的深度尺度的 6 倍。左边的暗区在有序的一侧，右上角的暗区在混沌的一侧，大致都在虚线之外。在虚线发散的地方，48 层的网络也能训练。
#
# 有些列的准确率降到了一半以下。对这样的每一列，找出降到一半的深度，再除以那里的深度尺度：[^-]

# %% [markdown] lang="en"
# {fig:edge-of-chaos-map} Training accuracy after 150 steps. Bright means high, dark means low, and 0.1 is guessing. Dashed: 6 times the predicted depth scale. The dark regions on the left (ordered) and on the upper right (chaotic) lie roughly beyond the dashed line. Where the line diverges, even the network with 48 layers trains.
#
# In some columns the accuracy falls below one half. For each of these, find the depth at which it reaches one half, and divide it by the depth scale there:[^-]

# %%
borders = []
for column, scale in zip(accuracy.T, scales, strict=True):
    below = np.flatnonzero(column < 0.5)
    if not len(below):
        borders.append(np.nan)  # trains at every depth that was tried
        continue
    i = int(below[0])
    part = (column[i - 1] - 0.5) / (column[i - 1] - column[i])
    low, high = np.log(DEPTHS[i - 1]), np.log(DEPTHS[i])
    borders.append(float(np.exp(low + part * (high - low))))
    print(f"scale {scale:4.1f}  border {borders[-1]:2.0f}")

found = np.array(borders)
seen = np.isfinite(found)
multiples = found[seen] / scales[seen]
multiple = float(np.exp(np.log(multiples).mean()))
lowest, highest = float(multiples.min()), float(multiples.max())
print(f"multiple {multiple:.0f}, from {lowest:.0f} to {highest:.0f}")

# %% [markdown] lang="zh"
# 边界在深度尺度的 {val:edge_of_chaos.multiple:.1f} 倍处（几何平均）；各列在 {val:edge_of_chaos.lowest:.1f} 倍与 {val:edge_of_chaos.highest:.1f} 倍之间。
#
# ## 学到了什么 {#learned}
#
# - 在这张图上，能训练的深度随输入的区别能走的深度变化；后者在训练之前，用一重与二重积分就能算出 {fig:edge-of-chaos-map}。
# - 试过的 48 层网络，准确率在混沌边缘附近最高；$\sigma_w^2$ 最小的两个停在乱猜的水平，最大的一个不到一半 {fig:edge-of-chaos-map}。偏到两侧，能训练的深度是深度尺度的 {val:edge_of_chaos.lowest:.1f} 到 {val:edge_of_chaos.highest:.1f} 倍。
# - 在这张图上，有序一侧的边界陡，混沌一侧的边界缓 {fig:edge-of-chaos-map}。
#
# **复现了什么，有何不同。** 原论文的主要发现复现了：可训练的区域以深度尺度的一个倍数为界，到混沌边缘处达到峰值，倍数也相近 {fig:edge-of-chaos-map}。不同之处：原文用 MNIST，宽 300，深到 300 层，多半训练更多步；这里用 8×8 的数字，宽 64，深到 48 层，训练 150 步，一个格子一个网络。深度不够大，看不到离边缘很近处的发散。
#
# ## 再试两件事 {#try}
#
# 1. 把步数加到三倍。边界移动多少？移动的是哪一侧？
# 2. 把 tanh 换成 ReLU，偏置取零。还有边界吗？它在 $\sigma_w^2$ 等于多少处？
#
# ## 参考文献 {#references}
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# The border lies at {val:edge_of_chaos.multiple:.1f} times the depth scale (geometric mean). The individual columns range from {val:edge_of_chaos.lowest:.1f} to {val:edge_of_chaos.highest:.1f}.
#
# ## What was learned {#learned}
#
# - On this map, the trainable depth follows the depth to which the difference of two inputs travels. Integrals over one and two variables give the latter before training {fig:edge-of-chaos-map}.
# - Among the networks with 48 layers, the accuracy is highest near the edge of chaos. The two with the smallest $\sigma_w^2$ stay at guessing, and the one with the largest stays below one half {fig:edge-of-chaos-map}. To either side, the trainable depth is {val:edge_of_chaos.lowest:.1f} to {val:edge_of_chaos.highest:.1f} times the depth scale.
# - On this map, the border is steep on the ordered side and gradual on the chaotic side {fig:edge-of-chaos-map}.
#
# **What was reproduced, and what differs.** The main finding of the paper was reproduced: the trainable region ends at a multiple of the depth scale and peaks at the edge of chaos, with a similar multiple {fig:edge-of-chaos-map}. The setting differs. The paper used MNIST, width 300, up to 300 layers, and mostly more steps. Here there are 8×8 digits, width 64, up to 48 layers, 150 steps, and one network per cell. These depths are too small to show the divergence close to the edge.
#
# ## Two things to try {#try}
#
# 1. Take three times as many steps. How far does the border move, and on which side?
# 2. Replace tanh by ReLU and set the biases to zero. Is there still a border, and at which $\sigma_w^2$ does it lie?
#
# ## References {#references}
#
# ## Assertions {#finding}
#
# The finding of this lab as code:

# %%
best = float(WEIGHT_VARIANCES[int(accuracy[-1].argmax())])
assert 1.5 < best < 2.3  # the deepest networks train near the edge
assert (accuracy[-1][[0, 1]] < 0.2).all()  # order: they only guess,
assert accuracy[-1][-1] < 0.5  # far into chaos: fewer than half are right
assert (accuracy[0] > 0.6).all()  # four layers train everywhere
assert seen.sum() >= 5
assert 3 < multiple < 9  # the border is a multiple of the depth scale:
assert np.corrcoef(np.log(found[seen]), np.log(scales[seen]))[0, 1] > 0.8
