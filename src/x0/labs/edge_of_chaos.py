# %% [markdown] lang="zh"
# # 混沌边缘：能训练多深 {#edge-of-chaos}
#
# Schoenholz 等人报告：随机的 tanh 网络能训练的深度，是信号能走的深度的几倍，而后者在训练之前就能算出来 [@schoenholz2017]。这里在手写数字上重做那张热图。
#
# ## 问题 {#question}
#
# 权重的方差是 $\sigma_w^2$ 除以宽度，偏置的方差 $\sigma_b^2$ 固定在 0.05。哪些 $\sigma_w^2$ 与深度的组合能训练？边界在哪里？

# %% [markdown] lang="en"
# # The edge of chaos: how deep can it train? {#edge-of-chaos}
#
# Schoenholz et al. reported that a random tanh network can be trained to a few times the depth to which a signal travels, and that depth can be computed before training [@schoenholz2017]. Here their heat map is drawn again on handwritten digits.
#
# ## The question {#question}
#
# The weights have variance $\sigma_w^2$ over the width, the biases variance $\sigma_b^2$, fixed at 0.05. Which pairs of $\sigma_w^2$ and depth can be trained? Where is the border?

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
# 两个输入的相关系数逐层按一个映射变化，这里 $u$ 与 $t$ 是方差为 $q_{\star}$ 的独立正态变量：
#
# {eq:mean-field-correlation}
#
# 它走向一个稳定的不动点 $c_{\star}$，离不动点的距离每层乘以那里的斜率。距离缩小 e 倍要走的层数，就是两个输入的区别能走多深：
#
# {eq:edge-of-chaos-scale}
#
# $\sigma_w^2$ 小时 $c_{\star}$ 是 1，所有输入变得一样，网络有序；大时 $c_{\star}$ 小于 1，再近的两个输入也会分开，网络混沌。两种情形都忘掉了输入，要学的东西到不了输出。两者之间，斜率到 1，深度尺度发散：这就是混沌边缘。见[平均场与混沌边缘](../initialization/mean-field.md)。
#
# 期望用 Gauss–Hermite 求积来算。

# %% [markdown] lang="en"
# ## The prediction {#prediction}
#
# The correlation of two inputs changes from layer to layer by a map, where $u$ and $t$ are independent normal variables of variance $q_{\star}$:
#
# {eq:mean-field-correlation}
#
# It goes to a stable fixed point $c_{\star}$; each layer multiplies the distance to it by the slope there. The number of layers in which the distance shrinks by e is how far the difference of two inputs travels:
#
# {eq:edge-of-chaos-scale}
#
# When $\sigma_w^2$ is small, $c_{\star}$ is 1: all inputs become the same, the network is ordered. When it is large, $c_{\star}$ is less than 1: even the closest inputs are driven apart, the network is chaotic. In both cases the input is forgotten, and what is to be learned does not reach the output. In between the slope reaches 1 and the depth scale diverges: the edge of chaos. See [Mean field and the edge of chaos](../initialization/mean-field.md).
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
# 预测：能训练的深度在两侧都跟着深度尺度走，在 $\sigma_w^2$ 约为 1.8 处最深。倍数由实验定；原论文的图上画的是 6 倍。
#
# ## 测量 {#measurement}
#
# 每个深度下，11 个 $\sigma_w^2$ 各一个网络，堆成一个批量矩阵乘法，一起训练：宽 64，带动量的 SGD，每批 32 张，{exact:150} 步。输出层的权重方差取 1 除以宽度，所有网络相同。

# %% [markdown] lang="en"
# The prediction: on both sides the trainable depth follows the depth scale, and it is deepest near a $\sigma_w^2$ of 1.8. The multiple is left to the experiment; the figure of the paper shows 6.
#
# ## The measurement {#measurement}
#
# For each depth there is one network for each of 11 values of $\sigma_w^2$, stacked into one batched matrix product and trained together: width 64, SGD with momentum, batches of 32, {exact:150} steps. The weights of the output layer have variance 1 over the width in all of them.

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
# {fig:edge-of-chaos-map} 训练 {exact:150} 步之后的训练准确率，亮的高，暗的低，0.1 是乱猜。虚线是预测的深度尺度的 6 倍。左边的暗区在有序一侧，右上角的在混沌一侧，大致都在虚线之外；虚线发散的地方，最深的网络也能训练。
#
# 把每一列准确率降到一半的深度找出来，除以那里的深度尺度：

# %% [markdown] lang="en"
# {fig:edge-of-chaos-map} Training accuracy after {exact:150} steps: bright is high, dark is low, 0.1 is guessing. Dashed: 6 times the predicted depth scale. The dark regions, ordered on the left and chaotic on the upper right, lie roughly beyond the dashed line; where it diverges, even the deepest network trains.
#
# For each column, find the depth at which the accuracy falls to one half, and divide it by the depth scale there:

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
# 边界是深度尺度的 {val:edge_of_chaos.multiple:.1f} 倍（几何平均），各列在 {val:edge_of_chaos.lowest:.1f} 与 {val:edge_of_chaos.highest:.1f} 之间。
#
# ## 学到了什么 {#learned}
#
# - 能不能训练，看输入的区别能不能走到输出；这在训练之前用一维与二维的积分就能算出。
# - 最深的网络要在混沌边缘上。偏到任何一侧，能训练的深度都只有深度尺度的几倍。
# - 有序一侧的边界陡，混沌一侧的缓：混沌的网络梯度爆炸，小的学习率还能走一段。
#
# **复现了什么，有何不同。** 复现了原论文的主要发现：可训练的区域以深度尺度的一个倍数为界，在混沌边缘处最深；倍数也相近。不同之处：原文用 MNIST、宽 {exact:300}、深到 {exact:300} 层，多半训练更多步；这里是 8×8 的数字、宽 64、深到 48 层、{exact:150} 步，每个格子只有一个网络。深度小，看不到离边缘很近处的发散。
#
# ## 再试两件事 {#try}
#
# 1. 把步数加到三倍。边界移动多少？移动的是哪一侧？
# 2. 把 tanh 换成 ReLU，偏置取零。还有一条边界吗？$\sigma_w^2$ 在哪里？
#
# ## 参考文献 {#references}
#
# {refs}
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# The border lies at {val:edge_of_chaos.multiple:.1f} times the depth scale (geometric mean); the columns range from {val:edge_of_chaos.lowest:.1f} to {val:edge_of_chaos.highest:.1f}.
#
# ## What was learned {#learned}
#
# - A network trains if the difference of its inputs reaches the output; integrals over one and two variables tell it before training.
# - The deepest networks must stand at the edge of chaos. To either side the trainable depth is only a few times the depth scale.
# - The border is steep on the ordered side and soft on the chaotic one: in chaos gradients explode, and a small learning rate still gets somewhere.
#
# **What was reproduced, and what differs.** The main finding of the paper was reproduced: the trainable region ends at a multiple of the depth scale and is deepest at the edge of chaos; the multiple is similar too. What differs: the paper used MNIST, width {exact:300}, up to {exact:300} layers, and mostly more steps; here there are 8×8 digits, width 64, up to 48 layers, {exact:150} steps, and only one network per cell. At these depths the divergence close to the edge cannot be seen.
#
# ## Two things to try {#try}
#
# 1. Take three times as many steps. How far does the border move, and on which side?
# 2. Replace tanh by ReLU and set the biases to zero. Is there still a border, and at which $\sigma_w^2$?
#
# ## References {#references}
#
# {refs}
#
# ## The assertions {#finding}
#
# The finding of this lab, as code:

# %%
best = float(WEIGHT_VARIANCES[int(accuracy[-1].argmax())])
assert 1.5 < best < 2.3  # the deepest networks train near the edge
assert (accuracy[-1][[0, 1, -1]] < 0.4).all()  # and fail far from it
assert (accuracy[0] > 0.6).all()  # four layers train everywhere
assert seen.sum() >= 6
assert 4 < multiple < 9  # the border is a multiple of the depth scale:
assert np.corrcoef(np.log(found[seen]), np.log(scales[seen]))[0, 1] > 0.9
