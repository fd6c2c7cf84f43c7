# %% [markdown] lang="zh"
# # He 与 Xavier：10 层与 30 层 {#deep-relu}
#
# He 等人报告：22 层的 ReLU 网络，用两种初始化都能训练，He 起步更早；30 层的 ReLU 网络，用 He 能训练，用 Xavier 完全停滞 [@he2015]。这里在手写数字上重做，再加上当时常用的固定标准差。
#
# ## 问题 {#question}
#
# ReLU 网络有 10 层或 30 层，初始化取 He、Xavier，或者固定的标准差 0.01。哪些网络能训练？训练之前就能知道吗？
#
# 数据是 scikit-learn 自带的 {exact:1797} 张 8×8 数字，前 1500 张用来训练。三种初始化各取三个种子，得到九个网络，叠在一起，用批量矩阵乘法同时训练。

# %% [markdown] lang="en"
# # He against Xavier: 10 and 30 layers {#deep-relu}
#
# He et al. reported that networks with 22 ReLU layers train from both initializations, with He's starting earlier, and that networks with 30 layers train from He's while Xavier's stalls completely [@he2015]. This lab repeats the experiment on handwritten digits and adds the fixed standard deviation that was common at the time.
#
# ## Question {#question}
#
# A ReLU network has 10 or 30 layers and is initialized by He's method, by Xavier's method, or with a fixed standard deviation of 0.01. Which networks train? Can this be known before training?
#
# The data are the {exact:1797} digits of 8×8 pixels that come with scikit-learn, and the first 1500 are for training. Each initialization gets three seeds. The resulting nine networks are stacked into one batched matrix product and train together.

# %%
import math
from itertools import pairwise

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional

SEED = 0
SEEDS = 3  # networks per initialization
WIDTH = 100
NAMES = ("He", "Xavier", "std 0.01")

# %%
images, targets = load_digits(return_X_y=True)
inputs = torch.tensor(images, dtype=torch.float32)
inputs = (inputs - inputs.mean()) / inputs.std()
labels = torch.tensor(targets)


def initialize(depth: int, generator: torch.Generator) -> list[Tensor]:
    """Return weights of shape (9, fan_in, fan_out): He, Xavier, fixed."""
    sizes = [64, *[WIDTH] * (depth - 1), 10]
    weights = []
    for fan_in, fan_out in pairwise(sizes):
        draws = torch.randn(SEEDS, fan_in, fan_out, generator=generator)
        stds = (math.sqrt(2 / fan_in), math.sqrt(2 / (fan_in + fan_out)), 0.01)
        weights.append(torch.cat([std * draws for std in stds]))
    return weights


def forward(
    x: Tensor, weights: list[Tensor], biases: list[Tensor]
) -> list[Tensor]:
    """Return the pre-activations of all layers, each (9, batch, units)."""
    found = [torch.baddbmm(biases[0], x.expand(3 * SEEDS, -1, -1), weights[0])]
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        found.append(torch.baddbmm(bias, found[-1].relu(), weight))
    return found


def zero_biases(weights: list[Tensor]) -> list[Tensor]:
    """Return a zero bias for each layer, (9, 1, units)."""
    return [torch.zeros(3 * SEEDS, 1, weight.shape[2]) for weight in weights]


# %% [markdown] lang="zh"
# ## 预测 {#prediction}
#
# ReLU 使二阶矩减半，权重再给它乘上 $n_{l-1} v_l$。各层等宽时，各层的因子都相同 {eq:he-recursion}：
#
# {eq:he-recursion}
#
# He 的因子是 1。Xavier 没有计入 ReLU 去掉的那一半：
#
# {eq:he-xavier}
#
# 固定的标准差与宽度无关，宽 100 时因子是 0.005。梯度沿同样的权重往回走，因子也相同。从第 1 层到最后一个隐藏层，10 层与 30 层的网络里信号还剩：

# %% [markdown] lang="en"
# ## Prediction {#prediction}
#
# ReLU halves the second moment, and the weights multiply it by $n_{l-1} v_l$. If the widths are equal, every layer has the same factor {eq:he-recursion}:
#
# {eq:he-recursion}
#
# For He, the factor is 1. Xavier does not account for the half that ReLU removes:
#
# {eq:he-xavier}
#
# The fixed standard deviation does not depend on the width, and at width 100 its factor is 0.005. The gradient goes back through the same weights with the same factor. From layer 1 to the last hidden layer, this is what is left of the signal in networks with 10 and with 30 layers:

# %%
factors = {"He": 1.0, "Xavier": 0.5, "std 0.01": WIDTH * 0.01**2 / 2}
for name, factor in factors.items():
    left = [factor ** (depth - 2) for depth in (10, 30)]
    print(f"{name:9} factor {factor:.3f}  left {left[0]:.0e}  {left[1]:.0e}")

# %% [markdown] lang="zh"
# 一次更新改变多少，取决于信号与梯度的大小。还剩千分之几时，训练慢一些，但还走得动。只剩 $10^{-8}$ 时，每一步只改变小数点后很远的几位，损失停在 $\ln 10$，也就是乱猜的水平。预测：10 层时，He 与 Xavier 都能训练，He 更早；30 层时，He 能训练，Xavier 停滞；固定的标准差在两种深度下都停滞。先写下你自己的猜测。
#
# ## 测量：训练之前 {#before}

# %% [markdown] lang="en"
# How much one update changes depends on the size of the signal and of the gradient. If a few thousandths are left, training is slower but still moves. If $10^{-8}$ is left, each step changes digits far behind the decimal point, and the loss stays at $\ln 10$, which corresponds to guessing. The prediction is that at 10 layers He and Xavier both train, with He starting earlier, that at 30 layers He trains and Xavier does not, and that the fixed standard deviation fails at both depths. Write down your own guess first.
#
# ## Measurement: before training {#before}

# %%
generator = torch.Generator().manual_seed(SEED)
weights = initialize(30, generator)
moments = torch.stack(
    [
        z.double().square().mean((1, 2))
        for z in forward(inputs[:200], weights, zero_biases(weights))[:-1]
    ]
).view(-1, 3, SEEDS)  # (layer, initialization, seed)
relative = moments / moments[:1]

fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
layers = torch.arange(1, len(relative) + 1)
for i, (name, marker) in enumerate(zip(NAMES, "os^", strict=True)):
    middle = relative[:, i].log().mean(1).exp()
    ax.semilogy(
        layers[::2], middle[::2], marker, color=f"C{i}", ms=4, label=name
    )
    predicted = factors[name] ** (layers - 1.0)
    ax.semilogy(layers, predicted, "--", color=f"C{i}", lw=1)
ax.set(xlabel="layer", ylabel="relative second moment", ylim=(1e-12, 30))
ax.legend()
plt.show()

xavier_factor = float(relative[-1, 1].log().mean().div(len(relative) - 1).exp())
print(f"factor per layer, Xavier: {xavier_factor:.2f}")

# %% [markdown] lang="zh"
# {fig:deep-relu-signal} 30 层网络里，二阶矩随层数的变化，以第 1 层为 1。虚线是预测，点是三个种子的几何平均。宽度有限，点略低于虚线，He 的点也略有下降。
#
# Xavier 实测的因子是每层 {val:deep_relu.xavier_factor:.2f}。
#
# ## 测量：训练过程 {#training}
#
# 带动量的 SGD，学习率 0.005，动量 0.9，每批 64 张，400 步。九个网络使用相同的批次。

# %% [markdown] lang="en"
# {fig:deep-relu-signal} The second moment in networks with 30 layers, relative to layer 1. Dashed: predicted. Points: geometric means over three seeds. At finite width, the points lie slightly below the dashed lines, and those of He decrease slightly.
#
# The measured factor of Xavier is {val:deep_relu.xavier_factor:.2f} per layer.
#
# ## Measurement: training {#training}
#
# Training uses SGD with momentum, with learning rate 0.005, momentum 0.9, batches of 64 and 400 steps. The nine networks see the same batches.


# %%
def train(depth: int, steps: int = 400) -> tuple[Tensor, Tensor]:
    """Return losses (steps, 3, seeds) and test accuracies (3, seeds)."""
    generator = torch.Generator().manual_seed(SEED + depth)
    weights = initialize(depth, generator)
    biases = zero_biases(weights)
    parameters = [p.requires_grad_() for p in (*weights, *biases)]
    velocities = [torch.zeros_like(p) for p in parameters]
    history = []
    for _ in range(steps):
        batch = torch.randint(0, 1500, (64,), generator=generator)
        logits = forward(inputs[batch], weights, biases)[-1]
        losses = functional.cross_entropy(
            logits.flatten(0, 1),
            labels[batch].repeat(3 * SEEDS),
            reduction="none",
        ).view(3, SEEDS, 64)
        history.append(losses.detach().mean(2))
        # The networks share nothing: the gradient of the sum is each one's own.
        gradients = torch.autograd.grad(losses.mean(2).sum(), parameters)
        with torch.no_grad():
            for p, v, g in zip(parameters, velocities, gradients, strict=True):
                v.mul_(0.9).add_(g)
                p.sub_(v, alpha=0.005)
    with torch.no_grad():
        logits = forward(inputs[1500:], weights, biases)[-1]
    right = (logits.argmax(2) == labels[1500:]).float().mean(1)
    return torch.stack(history), right.view(3, SEEDS)


losses, accuracies = {}, {}
for depth in (10, 30):
    losses[depth], accuracies[depth] = train(depth)
    for i, name in enumerate(NAMES):
        last = losses[depth][-50:, i].mean()
        right = accuracies[depth][i].mean()
        print(f"{depth} layers {name:9} loss {last:.1f}  accuracy {right:.1f}")

# %%
fig, axes = plt.subplots(
    2, 1, figsize=(5.2, 4.6), sharex=True, layout="constrained"
)
for ax, depth in zip(axes, (10, 30), strict=True):
    # Means over 20 steps: one batch is noisy.
    smooth = losses[depth].view(-1, 20, 3, SEEDS).mean(1)
    steps = 20 * torch.arange(len(smooth)) + 10
    for i, (name, dash) in enumerate(zip(NAMES, ("-", "--", ":"), strict=True)):
        lines = ax.plot(steps, smooth[:, i], dash, color=f"C{i}", lw=1.4)
        lines[0].set_label(name)
    ax.axhline(math.log(10), color="0.5", lw=0.6, zorder=0)
    ax.set(ylabel="training loss", title=f"{depth} layers")
axes[0].legend()
axes[1].set_xlabel("step")
plt.show()

# %% [markdown] lang="zh"
# {fig:deep-relu-training} 训练损失。每种初始化有三条线，一个种子一条；灰线是 $\ln 10$。上：10 层，He 与 Xavier 都降下去，He 更早。下：30 层，He 降下去，另外两种叠在灰线上。
#
# 每 20 步的损失取平均，第一次降到 1 以下，算作起步：

# %% [markdown] lang="en"
# {fig:deep-relu-training} Training loss. Each initialization has three lines, one for each seed, and the gray line is $\ln 10$. Top: with 10 layers, He and Xavier both go down, He earlier. Bottom: with 30 layers, He goes down, and the other two lie on the gray line.
#
# Training counts as started when the mean loss over 20 steps first falls below 1:

# %%
smooth = losses[10].view(-1, 20, 3, SEEDS).mean(1)
start = 20.0 * (smooth < 1).float().argmax(0)  # (3, seeds)
he_start, xavier_start = start[0].mean().item(), start[1].mean().item()
he_30 = losses[30][-50:, 0].mean().item()
xavier_30 = losses[30][-50:, 1].mean().item()
xavier_10 = losses[10][-50:, 1].mean().item()
fixed_10 = losses[10][-50:, 2].mean().item()
he_accuracy = 100 * accuracies[30][0].mean().item()
xavier_accuracy = 100 * accuracies[30][1].mean().item()
print(f"earlier for every seed: {bool((start[0] < start[1]).all())}")

# %% [markdown] lang="zh"
# 10 层时，He 平均在第 {val:deep_relu.he_start:.0f} 步起步，Xavier 在第 {val:deep_relu.xavier_start:.0f} 步。30 层时，最后 50 步的平均损失，He 是 {val:deep_relu.he_30:.2f}，Xavier 是 {val:deep_relu.xavier_30:.2f}；测试准确率，He 是 {val:deep_relu.he_accuracy:.0f}%，Xavier 是 {val:deep_relu.xavier_accuracy:.0f}%。30 层 He 的这两个数，换一种处理器可能会变。[^-]
#
# ## 学到了什么 {#learned}
#
# - 每层乘以 ½，10 层还能训练，30 层就不行 {fig:deep-relu-training}。这个因子用一次前向传播就能量出，实测是 {val:deep_relu.xavier_factor:.2f}。
# - 固定的标准差 0.01，在 10 层就训练不动：损失是 {val:deep_relu.fixed_10:.2f}，正是 $\ln 10$。
#
# **复现了什么，有何不同。** 原论文的两个发现都复现了：较浅的网络用两种初始化都能训练，He 更早；30 层时 Xavier 停滞。不同之处：原文用 22 层与 30 层的卷积网络，在 ImageNet 上训练许多轮；这里用 10 层与 30 层、宽 100 的全连接网络，在 8×8 的数字上训练 400 步。固定的标准差是这里加上的。
#
# ## 再试两件事 {#try}
#
# 1. 给 30 层的 Xavier 网络用大一百倍的学习率，救得回来吗？先想一想：走了一步之后，各层的梯度还一样小吗？
# 2. 把深度换成 15、20、25，Xavier 从哪里开始停滞？与 $2^{-\depth}$ 比较。
#
# 推导见 [He 初始化](../initialization/he.md)，每层的因子见[为什么初始化重要](../initialization/why.md)。
#
# ## 参考文献 {#references}
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# With 10 layers, He starts at step {val:deep_relu.he_start:.0f} on average and Xavier at step {val:deep_relu.xavier_start:.0f}. With 30 layers, the mean loss over the last 50 steps is {val:deep_relu.he_30:.2f} for He and {val:deep_relu.xavier_30:.2f} for Xavier. The test accuracy is {val:deep_relu.he_accuracy:.0f}% for He and {val:deep_relu.xavier_accuracy:.0f}% for Xavier. The two numbers of He can be different on another processor.[^-]
#
# ## What was learned {#learned}
#
# - A factor of ½ per layer is tolerable over 10 layers but not over 30 {fig:deep-relu-training}. A single forward pass measures this factor, which was {val:deep_relu.xavier_factor:.2f}.
# - With the fixed standard deviation of 0.01, even 10 layers do not train: the loss is {val:deep_relu.fixed_10:.2f}, which is $\ln 10$.
#
# **What was reproduced, and what differs.** Both findings of the paper were reproduced: the shallower network trains from both initializations, He earlier, and with 30 layers Xavier stalls. The setting differs. The paper trained convolutional networks with 22 and 30 layers on ImageNet for many epochs. Here the networks are fully connected, with 10 and 30 layers and width 100, and they are trained on 8×8 digits for 400 steps. The fixed standard deviation was added here.
#
# ## Two things to try {#try}
#
# 1. Give the Xavier network with 30 layers a learning rate that is a hundred times larger. Does this save it? Think first: after one step, are the gradients of the layers still equally small?
# 2. Take 15, 20 and 25 layers. Where does Xavier begin to stall? Compare with $2^{-\depth}$.
#
# The derivation is on the page [He initialization](../initialization/he.md), and the factor of a layer is explained in [Why initialization matters](../initialization/why.md).
#
# ## References {#references}
#
# ## Assertions {#finding}
#
# The finding of this lab as code:

# %%
ln10 = math.log(10)
final = {depth: found[-50:].mean(0) for depth, found in losses.items()}
assert abs(xavier_factor - 0.5) < 0.1
assert (final[10][:2] < 0.5).all()  # both train at 10 layers,
assert (start[0] < start[1]).all()  # He earlier;
assert final[30][0].mean() < 2  # at 30 layers He trains
assert (final[30][1] > 2).all()  # and Xavier stalls;
assert all(((final[d][2] - ln10).abs() < 0.05).all() for d in (10, 30))
