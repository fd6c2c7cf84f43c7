# %% [markdown] lang="zh"
# # He 与 Xavier：10 层与 30 层 {#deep-relu}
#
# He 等人报告：22 层的 ReLU 网络，两种初始化都能训练，He 起步更早；30 层的，He 能训练，Xavier 完全停滞 [@he2015]。这里在真实的手写数字上重做，再加上当时常用的固定标准差。
#
# ## 问题 {#question}
#
# ReLU 网络有 10 层或 30 层，初始化取 He、Xavier 或固定的标准差 0.01。哪些能训练？能不能在训练之前就知道？
#
# 数据是 scikit-learn 自带的 {exact:1797} 张 8×8 数字，前 {exact:1500} 张用来训练。每种初始化取三个种子，九个网络堆成一个批量矩阵乘法，一起训练。

# %% [markdown] lang="en"
# # He against Xavier: 10 and 30 layers {#deep-relu}
#
# He et al. reported: with 22 ReLU layers both initializations train, and He's starts earlier; with 30 layers He's trains and Xavier's stalls completely [@he2015]. Here it is done again on real handwritten digits, together with the fixed standard deviation that was common then.
#
# ## The question {#question}
#
# A ReLU network has 10 or 30 layers and starts from He, from Xavier, or from a fixed standard deviation of 0.01. Which ones train? Can it be known before training?
#
# The data are the {exact:1797} digits of 8×8 pixels that come with scikit-learn; the first {exact:1500} are for training. Each initialization gets three seeds, and the nine networks train together, stacked into one batched matrix product.

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
# ReLU 使二阶矩减半，权重再乘上 $n_{l-1} v_l$。各层等宽时，每层的因子都相同：
#
# {eq:he-recursion}
#
# He 的因子是 1。Xavier 没有算 ReLU 的那一半：
#
# {eq:he-xavier}
#
# 固定的标准差不看宽度，宽 {exact:100} 时因子是 0.005。梯度沿同一批权重往回走，因子也一样。10 层与 30 层之后，信号还剩：

# %% [markdown] lang="en"
# ## The prediction {#prediction}
#
# ReLU halves the second moment, and the weights multiply it by $n_{l-1} v_l$. With equal widths every layer has the same factor:
#
# {eq:he-recursion}
#
# For He it is 1. Xavier does not count the half that ReLU takes:
#
# {eq:he-xavier}
#
# The fixed standard deviation ignores the width; at width {exact:100} the factor is 0.005. The gradient goes back through the same weights, with the same factor. What is left of the signal after 10 and after 30 layers:

# %%
factors = {"He": 1.0, "Xavier": 0.5, "std 0.01": WIDTH * 0.01**2 / 2}
for name, factor in factors.items():
    left = [factor ** (depth - 2) for depth in (10, 30)]
    print(f"{name:9} factor {factor:.3f}  left {left[0]:.0e}  {left[1]:.0e}")

# %% [markdown] lang="zh"
# 一次更新改变多少，取决于信号与梯度的大小。剩下千分之几的，慢一些，但还走得动；剩下 $10^{-8}$ 的，每一步只动小数点后好几位，停在 $\ln 10$，也就是乱猜的损失。所以预测是：10 层时 He 与 Xavier 都能训练，He 更早；30 层时只有 He 能训练；固定标准差都不行。
#
# ## 测量：训练之前 {#before}

# %% [markdown] lang="en"
# How much one update changes depends on the size of signal and gradient. With a few thousandths of it left, training is slower but moves; with $10^{-8}$, each step changes digits far behind the point, and the loss stays at $\ln 10$, which is guessing. So the prediction is: at 10 layers He and Xavier both train, He earlier; at 30 layers only He trains; the fixed standard deviation fails at both.
#
# ## The measurement: before training {#before}

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
# {fig:deep-relu-signal} 30 层网络里二阶矩随层数的变化，以第 1 层为 1。虚线是预测，点是三个种子的几何平均。宽度有限时几何平均比预测低一些，He 的也略降。
#
# Xavier 实测的因子是每层 {val:deep_relu.xavier_factor:.2f}。
#
# ## 测量：训练 {#training}
#
# 带动量的 SGD，学习率 0.005，动量 0.9，每批 64 张，{exact:400} 步。九个网络看到的批次相同。

# %% [markdown] lang="en"
# {fig:deep-relu-signal} The second moment by layer in networks of 30 layers, relative to layer 1. Dashed: predicted; points: geometric means over three seeds. At finite width the geometric mean lies a little below the prediction, that of He too.
#
# The measured factor of Xavier is {val:deep_relu.xavier_factor:.2f} per layer.
#
# ## The measurement: training {#training}
#
# SGD with momentum, learning rate 0.005, momentum 0.9, batches of 64, {exact:400} steps. All nine networks see the same batches.


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
# {fig:deep-relu-training} 训练损失，每种初始化三条线，每条是一个种子；灰线是 $\ln 10$。上：10 层，He 与 Xavier 都降下去，He 更早。下：30 层，只有 He 降下去，另外两种叠在灰线上。
#
# 从损失第一次降到 1 以下算起步：

# %% [markdown] lang="en"
# {fig:deep-relu-training} Training loss, three lines for each initialization, one per seed; the grey line is $\ln 10$. Top: 10 layers, He and Xavier both go down, He earlier. Bottom: 30 layers, only He goes down; the other two lie on the grey line.
#
# Say that training has started when the loss first falls below 1:

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
# 10 层时，He 平均在第 {val:deep_relu.he_start:.0f} 步起步，Xavier 在第 {val:deep_relu.xavier_start:.0f} 步。30 层时，最后 50 步的平均损失 He 是 {val:deep_relu.he_30:.2f}，Xavier 是 {val:deep_relu.xavier_30:.2f}；测试准确率 He 是 {val:deep_relu.he_accuracy:.0f}%，Xavier 是 {val:deep_relu.xavier_accuracy:.0f}%。
#
# ## 学到了什么 {#learned}
#
# - 每层一个因子 ½，10 层可以忍受，30 层不行。一次前向传播就能看出来，不必训练。
# - 固定的标准差 0.01 在 10 层就训练不动：{val:deep_relu.fixed_10:.2f}，正是 $\ln 10$。
# - 三个 He 网络快慢不一：宽度有限，$q$ 的涨落随深度增大。
#
# **复现了什么，有何不同。** 原论文的两个发现都复现了：较浅时两者都能训练而 He 更早，30 层时 Xavier 停滞。不同之处：原文是 22 层与 30 层的卷积网络，用 ImageNet 训练许多轮；这里是 10 层与 30 层、宽 {exact:100} 的全连接网络，8×8 的数字，{exact:400} 步。固定标准差是我们加的。
#
# ## 再试两件事 {#try}
#
# 1. 给 Xavier 的 30 层网络大一百倍的学习率，能救回来吗？先想想第一步之后，各层的梯度还是不是一样小。
# 2. 把深度换成 15、20、25，Xavier 从哪里开始停滞？与 $2^{-\depth}$ 比较。
#
# 推导见 [He 初始化](../initialization/he.md)，每层的因子见[为什么初始化重要](../initialization/why.md)。
#
# ## 参考文献 {#references}
#
# {refs}
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# At 10 layers He starts at step {val:deep_relu.he_start:.0f} on average and Xavier at step {val:deep_relu.xavier_start:.0f}. At 30 layers the mean loss of the last 50 steps is {val:deep_relu.he_30:.2f} for He and {val:deep_relu.xavier_30:.2f} for Xavier; the test accuracy is {val:deep_relu.he_accuracy:.0f}% for He and {val:deep_relu.xavier_accuracy:.0f}% for Xavier.
#
# ## What was learned {#learned}
#
# - A factor of ½ per layer can be borne for 10 layers, not for 30. One forward pass shows it; no training is needed.
# - The fixed standard deviation of 0.01 does not train even 10 layers: {val:deep_relu.fixed_10:.2f}, which is $\ln 10$.
# - The three networks of He differ in speed: at finite width the fluctuations of $q$ grow with depth.
#
# **What was reproduced, and what differs.** Both findings of the paper were reproduced: in the shallower network both train and He is earlier; at 30 layers Xavier stalls. What differs: the paper trained convolutional networks of 22 and 30 layers on ImageNet for many epochs; here they are fully connected, of 10 and 30 layers and width {exact:100}, on 8×8 digits, for {exact:400} steps. The fixed standard deviation is our addition.
#
# ## Two things to try {#try}
#
# 1. Give the 30 layers of Xavier a learning rate a hundred times larger. Does it save them? Think first whether the gradients of all layers are still equally small after one step.
# 2. Take 15, 20 and 25 layers. Where does Xavier begin to stall? Compare with $2^{-\depth}$.
#
# The derivation is on the page [He initialization](../initialization/he.md), the factor of a layer on [Why initialization matters](../initialization/why.md).
#
# ## References {#references}
#
# {refs}
#
# ## The assertions {#finding}
#
# The finding of this lab, as code:

# %%
ln10 = math.log(10)
final = {depth: found[-50:].mean(0) for depth, found in losses.items()}
assert abs(xavier_factor - 0.5) < 0.1
assert (final[10][:2] < 0.5).all()  # both train at 10 layers,
assert (start[0] < start[1]).all()  # He earlier;
assert (final[30][0] < 1.7).all()  # at 30 layers He trains
assert ((final[30][1] - ln10).abs() < 0.05).all()  # and Xavier stalls;
assert all(((final[d][2] - ln10).abs() < 0.05).all() for d in (10, 30))
