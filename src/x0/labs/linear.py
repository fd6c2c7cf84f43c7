# %% [markdown] lang="zh"
# # 网络有多线性 {#linear}
#
# 对参数作一阶展开，网络就成了参数的线性函数。让网络与它的线性化并排训练，看两者什么时候分开。训练之后，网络若仍与线性化相近，就叫惰性训练（lazy training）。
#
# ## 问题 {#question}
#
# 宽度从 16 增加到 1024，训练之后的网络离它在起点的线性化有多远？二阶项与三阶项有多大？ReLU 跨过多少个折点？哪里不再是“惰性训练”？

# %% [markdown] lang="en"
# # How linear is a network? {#linear}
#
# A first-order expansion in the parameters turns a network into a linear function of them. Train the network and its linearization side by side and see when they part. Training that leaves the network close to its linearization is called lazy.
#
# ## Question {#question}
#
# If the width grows from 16 to 1024, how far is the trained network from its linearization at the start? How large are the second- and third-order terms? How many kinks does a ReLU network cross? Where does lazy training end?

# %%
import math
import warnings
from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.func import grad_and_value, jacrev, jvp, vmap
from torch.nn import functional

SEED, SEEDS, STEPS = 0, 10, 100
# PyTorch itself uses it when jvp is first called.
warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated")
Theta = tuple[Tensor, Tensor]
Activation = Callable[[Tensor], Tensor]

# %%
images, targets = load_digits(return_X_y=True)
pixels = torch.tensor(images, dtype=torch.float32)
pixels = (pixels - pixels.mean()) / pixels.std()
wanted = torch.eye(10)[torch.tensor(targets)] - 0.1
learned, unseen = pixels[:128], pixels[128:256]
goal = wanted[:128]

# %% [markdown] lang="zh"
# ## 两个模型 {#models}
#
# 网络有一个隐藏层，宽 $n$；权重取自标准正态分布，每层的输出再除以输入数的平方根。这种写法见 [@jacot2018]，下面各种宽度都用同一个学习率。记起点为 $\theta_0$，走过的位移为 $\Delta$。两个模型都减去起点的输出：
#
# - 网络：$f(\theta_0 + \Delta) - f(\theta_0)$；
# - 线性化：$f$ 在 $\theta_0$ 处沿 $\Delta$ 的方向导数，由 `torch.func.jvp` 算出，代价与前向传播相当。
#
# 激活函数光滑时，两者相差的是展开式里一阶以后的项 {eq:multivariate-taylor}。两者都用同样的 128 张图、同样的学习率 1，走 100 步；十个种子用 `vmap` 叠在一起。

# %% [markdown] lang="en"
# ## Two models {#models}
#
# The network has one hidden layer of width $n$. The weights are standard normal, and the output of each layer is divided by the square root of the number of inputs. This form is that of [@jacot2018], and one learning rate serves all widths below. Let $\theta_0$ be the start and $\Delta$ the displacement. Both models subtract the output at the start:
#
# - the network: $f(\theta_0 + \Delta) - f(\theta_0)$;
# - the linearization: the derivative of $f$ at $\theta_0$ along $\Delta$, which `torch.func.jvp` computes at a cost similar to a forward pass.
#
# For a smooth activation, what separates the two are the later terms of the expansion {eq:multivariate-taylor}. Both take 100 steps on the same 128 images with a learning rate of 1. `vmap` stacks ten seeds.


# %%
def start(n: int, seeds: int = SEEDS) -> Theta:
    """Return standard normal weights for each seed."""
    g = torch.Generator().manual_seed(SEED + n)
    return (
        torch.randn(seeds, 64, n, generator=g),
        torch.randn(seeds, n, 10, generator=g),
    )


def network(theta: Theta, x: Tensor, phi: Activation) -> Tensor:
    """Return the outputs, shape (samples, 10)."""
    first, second = theta
    return phi(x @ first / 8) @ second / math.sqrt(len(second))


def moved(theta: Theta, by: Theta, x: Tensor, phi: Activation) -> Tensor:
    """Return the change of the output of the network."""
    there = (theta[0] + by[0], theta[1] + by[1])
    return network(there, x, phi) - network(theta, x, phi)


def linear(theta: Theta, by: Theta, x: Tensor, phi: Activation) -> Tensor:
    """Return the change to first order in the displacement."""
    found: Tensor = jvp(lambda t: network(t, x, phi), (theta,), (by,))[1]
    return found


Model = Callable[[Theta, Theta, Tensor, Activation], Tensor]


def train(
    model: Model,
    theta: Theta,
    phi: Activation,
    rate: float = 1.0,
    scale: float = 1.0,
    steps: int = STEPS,
) -> tuple[Theta, Tensor]:
    """Return the displacements of all seeds, and the losses (steps, seeds).

    The output is multiplied by a scale, and the loss divided by its square.
    """

    def loss(by: Theta, theta: Theta) -> Tensor:
        errors = scale * model(theta, by, learned, phi) - goal
        return errors.square().sum(1).mean() / (2 * scale**2)

    by = (torch.zeros_like(theta[0]), torch.zeros_like(theta[1]))
    losses = []
    for _ in range(steps):
        slope, value = vmap(grad_and_value(loss))(by, theta)
        by = (by[0] - rate * slope[0], by[1] - rate * slope[1])
        losses.append(value)
    return by, scale**2 * torch.stack(losses)


def apart(
    theta: Theta,
    by: Theta,
    by_linear: Theta,
    phi: Activation,
    scale: float = 1.0,
) -> Tensor:
    """Return the relative distance of the outputs on unseen images."""
    one = scale * vmap(lambda t, d: moved(t, d, unseen, phi))(theta, by)
    two = vmap(lambda t, d: linear(t, d, unseen, phi))(theta, by_linear)
    gap: Tensor = (one - two).norm(dim=(1, 2)) / two.norm(dim=(1, 2))
    return gap


# %% [markdown] lang="zh"
# ## 测量：宽度 {#width}
#
# 先猜一猜：宽度变成 4 倍，两者的距离变成几分之几？tanh 与 ReLU，哪一个离线性化更远？

# %% [markdown] lang="en"
# ## Measurement: the width {#width}
#
# Make a guess first: if the width grows by a factor of 4, how does the distance change? Which of tanh and ReLU is further from its linearization?

# %%
widths = [16, 64, 256, 1024]
activations = {"tanh": torch.tanh, "ReLU": torch.relu}
starts = {n: start(n) for n in widths}
ends, distances = {}, {}
for name, phi in activations.items():
    for n, theta in starts.items():
        by, _ = train(moved, theta, phi)
        by_linear, _ = train(linear, theta, phi)
        ends[name, n] = by
        distances[name, n] = apart(theta, by, by_linear, phi)


def mean_error(found: Tensor) -> tuple[float, float]:
    """Return the mean over the seeds and its standard error."""
    return found.mean().item(), found.std().item() / math.sqrt(len(found))


def slope(found: dict[int, Tensor]) -> float:
    """Return the slope of the mean over the widths, in logarithms."""
    x = torch.tensor([math.log(n) for n in found])
    y = torch.stack([value.mean().log() for value in found.values()])
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (x * x).sum())


distance = {key: mean_error(found) for key, found in distances.items()}
slopes = {
    name: slope({n: distances[name, n] for n in widths}) for name in activations
}
for name, n in distance:
    print(f"{name:4} width {n:4}  distance {distance[name, n][0]:.3f}")
print({name: round(s, 1) for name, s in slopes.items()})

fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
for name, style in (("tanh", "C2o-"), ("ReLU", "C0s-")):
    line = [distance[name, n][0] for n in widths]
    ax.loglog(widths, line, style, ms=4, label=name)
line = [distance["tanh", 16][0] * (16 / n) ** 0.5 for n in widths]
ax.loglog(widths, line, "k--", lw=1, label="slope −½")
ax.set(xlabel="width", ylabel="relative distance")
ax.set_xticks(widths, [str(n) for n in widths])
ax.minorticks_off()
ax.legend()
plt.show()
lazy_from = {
    name: next(n for n in widths if distance[name, n][0] < 0.1)
    for name in activations
}

# %% [markdown] lang="zh"
# {fig:linear-width} 训练之后，网络与线性化的输出在没见过的图上相差多少（相对距离，十个种子的平均）。两条线都随宽度下降；各种宽度上，ReLU 都比 tanh 离得远。虚线的斜率是 −½。[^linear-width]
#
# 双对数图上的斜率，tanh 是 {val:linear.slopes["tanh"]:.2f}，ReLU 是 {val:linear.slopes["ReLU"]:.2f}。以相差 10% 为界，这四种宽度里，tanh 从 {val:linear.lazy_from["tanh"]:.0f} 起、ReLU 从 {val:linear.lazy_from["ReLU"]:.0f} 起在界内。
#
# ## 测量：后面的项 {#terms}
#
# tanh 处处光滑，可以沿位移 $\Delta$ 展开到二阶、三阶，各阶的项由一层套一层的 `jvp` 算出。猜一猜：宽度变成 4 倍，二阶项与一阶项之比变成几分之一？三阶项呢？

# %% [markdown] lang="en"
# {fig:linear-width} How far the outputs of the network and of its linearization are apart on unseen images after training (relative distance, means over ten seeds). Both lines fall with the width, and at each width ReLU is further away than tanh. The slope of the dashed line is −½.[^linear-width]
#
# In logarithms, the slope is {val:linear.slopes["tanh"]:.2f} for tanh and {val:linear.slopes["ReLU"]:.2f} for ReLU. If 10% is taken as the border, tanh is inside from width {val:linear.lazy_from["tanh"]:.0f} on and ReLU from width {val:linear.lazy_from["ReLU"]:.0f} on, among these four widths.
#
# ## Measurement: the later terms {#terms}
#
# Since tanh is smooth, the output can be expanded along the displacement $\Delta$ to second and third order. Nested calls of `jvp` compute the terms. Make a guess: if the width grows by a factor of 4, how does the ratio of the second-order term to the first change? And that of the third?


# %%
def terms(theta: Theta, by: Theta) -> Tensor:
    """Return the sizes of orders 2, 3 and of the rest, relative to order 1."""
    one = torch.ones(())

    def line(s: Tensor) -> Tensor:
        there = (theta[0] + s * by[0], theta[1] + s * by[1])
        return network(there, unseen, torch.tanh)

    def order1(s: Tensor) -> Tensor:
        found: Tensor = jvp(line, (s,), (one,))[1]
        return found

    def order2(s: Tensor) -> Tensor:
        found: Tensor = jvp(order1, (s,), (one,))[1]
        return found / 2

    def order3(s: Tensor) -> Tensor:
        found: Tensor = jvp(order2, (s,), (one,))[1]
        return found / 3

    zero = torch.zeros(())
    parts = [order(zero) for order in (order1, order2, order3)]
    rest = line(one) - line(zero) - sum(parts)
    sizes = torch.stack([part.norm() for part in (*parts[1:], rest)])
    found: Tensor = sizes / parts[0].norm()
    return found


by_width = {n: vmap(terms)(starts[n], ends["tanh", n]) for n in widths}
passed = (1, 10, 30, 100)
by_step = {
    t: vmap(terms)(starts[64], train(moved, starts[64], torch.tanh, steps=t)[0])
    for t in passed
}
size2 = {n: mean_error(found[:, 0]) for n, found in by_width.items()}
size3 = {n: mean_error(found[:, 1]) for n, found in by_width.items()}
rests = {n: mean_error(found[:, 2]) for n, found in by_width.items()}
slope2 = slope({n: found[:, 0] for n, found in by_width.items()})
slope3 = slope({n: found[:, 1] for n, found in by_width.items()})
step2 = [mean_error(by_step[t][:, 0]) for t in passed]
print(f"slopes: second order {slope2:.1f}, third order {slope3:.1f}")

fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
for i, (name, found) in enumerate(
    (("second order", size2), ("third order", size3), ("rest", rests))
):
    line = [found[n][0] for n in widths]
    ax.loglog(widths, line, "os^"[i] + "-", ms=4, color=f"C{i}", label=name)
ax.set(xlabel="width", ylabel="relative to the first order")
ax.set_xticks(widths, [str(n) for n in widths])
ax.minorticks_off()
ax.legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:linear-terms} tanh 网络在训练终点的二阶项、三阶项与余下的部分，以一阶项为 1。三条线都随宽度下降。[^linear-terms]
#
# 斜率是 {val:linear.slope2:.2f} 与 {val:linear.slope3:.2f}。沿着训练的路径，宽 64 的二阶项在第 1、10、30、100 步之后分别是 {val:linear.step2[0]:.4f}、{val:linear.step2[1]:.3f}、{val:linear.step2[2]:.3f}、{val:linear.step2[3]:.3f}：越走越大。[^linear-path]
#
# ## 测量：折点 {#kinks}
#
# ReLU 在折点两侧都是线性的。除了两层相乘，使网络离开线性化的就是跨过的折点。数一数：从起点到终点，有多少对（图，神经元）的预激活值变了号？猜一猜：宽度增加时，变号的比例怎样变，变号的总数呢？

# %% [markdown] lang="en"
# {fig:linear-terms} The second- and third-order terms of the tanh network at the end of training and what is left, relative to the first-order term. All three lines fall with the width.[^linear-terms]
#
# The slopes are {val:linear.slope2:.2f} and {val:linear.slope3:.2f}. Along the path of training, the second-order term at width 64 is {val:linear.step2[0]:.4f}, {val:linear.step2[1]:.3f}, {val:linear.step2[2]:.3f} and {val:linear.step2[3]:.3f} after 1, 10, 30 and 100 steps: it grows as the network moves on.[^linear-path]
#
# ## Measurement: the kinks {#kinks}
#
# ReLU is linear on either side of its kink. What takes the network away from its linearization, apart from the product of the two layers, are kinks that are crossed. Count them: between start and end, for how many pairs of an image and a neuron does the pre-activation change its sign? Make a guess: as the width grows, what happens to the share of these pairs, and what to their number?

# %%
crossed = {}
for n in widths:
    before = learned @ starts[n][0] > 0
    after = learned @ (starts[n][0] + ends["ReLU", n][0]) > 0
    crossed[n] = (before != after).float().mean((1, 2))
kinks = {n: mean_error(found * 128 * n) for n, found in crossed.items()}
percent = {n: mean_error(100 * found) for n, found in crossed.items()}
slope_kinks = slope(crossed)
for n in widths:
    print(f"width {n:4}  {kinks[n][0]:6.0f} kinks, {percent[n][0]:5.2f}%")

# %% [markdown] lang="zh"
# 宽 16 时，变号的占 {val:linear.percent[16]:.1f}%，宽 1024 时占 {val:linear.percent[1024]:.2f}%，斜率是 {val:linear.slope_kinks:.2f}。总数却从 {val:linear.kinks[16]:.0f} 增加到 {val:linear.kinks[1024]:.0f}：更宽的网络跨过的折点更多，离线性化却更近。[^linear-kinks]
#
# ## 测量：惰性训练在哪里结束 {#end}
#
# 惰性训练不单看宽度 [@chizat2019]。把输出乘以 $\alpha$，损失除以 $\alpha^2$，线性化的输出不变；网络只要走 $1/\alpha$ 那么远，就能改变同样多的输出。猜一猜：$\alpha$ 变成一半，距离变成几倍？

# %% [markdown] lang="en"
# At width 16, the sign changes for {val:linear.percent[16]:.1f}% of the pairs, and at width 1024 for {val:linear.percent[1024]:.2f}%; the slope is {val:linear.slope_kinks:.2f}. Their number, however, grows from {val:linear.kinks[16]:.0f} to {val:linear.kinks[1024]:.0f}. The wider network crosses more kinks and is closer to its linearization.[^linear-kinks]
#
# ## Measurement: where lazy training ends {#end}
#
# Lazy training does not depend on the width alone [@chizat2019]. Multiply the output by $\alpha$ and divide the loss by $\alpha^2$. The output of the linearization stays the same, and the network has to go $1/\alpha$ as far for the same change of its output. Make a guess: if $\alpha$ is halved, how does the distance change?

# %%
scales = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0]
scaled = {}
for name, phi in activations.items():
    theta = starts[64]
    by_linear, _ = train(linear, theta, phi)
    for scale in scales:
        by, _ = train(moved, theta, phi, scale=scale)
        away = apart(theta, by, by_linear, phi, scale)
        scaled[name, scale] = mean_error(away)

fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
for name, style in (("tanh", "C2o-"), ("ReLU", "C0s-")):
    line = [scaled[name, scale][0] for scale in scales]
    ax.loglog(scales, line, style, ms=4, label=name)
ax.set(xlabel="factor α of the output", ylabel="relative distance")
ax.set_xticks(scales, [str(scale) for scale in scales])
ax.minorticks_off()
ax.legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:linear-scale} 宽 64，相对距离随输出的因子 $\alpha$ 的变化，十个种子的平均。$\alpha$ 越小，网络离线性化越远。[^linear-scale]
#
# 因子从 1 变成 8，tanh 的距离从 {val:linear.scaled["tanh", 1.0]:.3f} 降到 {val:linear.scaled["tanh", 8.0]:.4f}；变成 ¼，升到 {val:linear.scaled["tanh", 0.25]:.3f}。
#
# 还有一处，两者连去向都不同。线性化的损失是二次函数，记 $\lambda$ 为它的海森矩阵的最大特征值，学习率过了 $2/\lambda$ 就发散 {eq:learning-rate-limit}；网络可以走到更平的地方去，见[曲率实验](curvature.md#training)。猜一猜：网络能超过多少？

# %% [markdown] lang="en"
# {fig:linear-scale} Width 64: the relative distance against the factor $\alpha$ of the output, means over ten seeds. The smaller $\alpha$ is, the further the network is from its linearization.[^linear-scale]
#
# If the factor goes from 1 to 8, the distance of tanh falls from {val:linear.scaled["tanh", 1.0]:.3f} to {val:linear.scaled["tanh", 8.0]:.4f}. At ¼ it rises to {val:linear.scaled["tanh", 0.25]:.3f}.
#
# There is another place where the two part for good. The loss of the linearization is quadratic and diverges beyond a learning rate of $2/\lambda$, where $\lambda$ is the largest eigenvalue of its Hessian matrix {eq:learning-rate-limit}. The network can move to where the loss is flatter, as in the [curvature lab](curvature.md#training). Make a guess: how far beyond can the network go?

# %%
single = (starts[64][0][:1], starts[64][1][:1])
rows = jacrev(lambda t: network(t, learned, torch.tanh))(
    (single[0][0], single[1][0])
)
matrix = torch.cat([part.flatten(2).flatten(0, 1) for part in rows], 1)
largest = float(torch.linalg.matrix_norm(matrix, 2)) ** 2 / len(learned)
limit = 2 / largest
multiples = [0.9, 1.1, 1.5, 2.0, 3.0]
survives: dict[str, list[float]] = {"network": [], "linear": []}
for multiple in multiples:
    for name, model in (("network", moved), ("linear", linear)):
        losses = train(model, single, torch.tanh, rate=multiple * limit)[1]
        ratio = float(losses[-1, 0] / losses[0, 0])
        survives[name].append(ratio if ratio < 1e3 else math.inf)
for multiple, *pair in zip(multiples, *survives.values(), strict=True):
    print(f"{multiple} × 2/λ: network {pair[0]:.2f}, linear {pair[1]:.2f}")
beyond = max(
    multiple
    for multiple, ratio in zip(multiples, survives["network"], strict=True)
    if ratio < 1
)

# %% [markdown] lang="zh"
# 取宽 64 的一个 tanh 网络。学习率是 $2/\lambda$ 的 {exact:1.1} 倍时，线性化发散，网络照常训练，一直到 {val:linear.beyond:.1f} 倍；3 倍时网络也发散。[^linear-beyond]
#
# ## 学到了什么 {#learned}
#
# - 宽度增加，训练之后的网络离线性化越来越近；同样的宽度，ReLU 比 tanh 离得远 {fig:linear-width}。
# - tanh 网络的二阶项、三阶项都随宽度下降 {fig:linear-terms}；沿着训练的路径，二阶项越来越大。[^linear-path]
# - 更宽的 ReLU 网络跨过更多的折点，占的比例却更小。[^linear-kinks]
# - 惰性训练在三处结束：网络窄了，输出的因子小了 {fig:linear-scale}，学习率过了 $2/\lambda$。[^linear-beyond]
#
# 这是一个隐藏层、128 张图、100 步的结果。
#
# ## 再试两件事 {#try}
#
# 1. 步数加倍，距离还会增大吗？
# 2. 把 ReLU 换成光滑的 softplus，宽度不变。它离线性化更近还是更远？
#
# ## 答案 {#answers}
#
# 先自己试一试，再往下看。

# %% [markdown] lang="en"
# Take one tanh network of width 64. At {exact:1.1} times $2/\lambda$, the linearization diverges and the network trains as before. It does so up to {val:linear.beyond:.1f} times this rate. At 3 times, the network diverges as well.[^linear-beyond]
#
# ## What was learned {#learned}
#
# - As the width grows, the trained network comes closer to its linearization. At equal width, ReLU is further away than tanh {fig:linear-width}.
# - The second- and third-order terms of the tanh network fall with the width {fig:linear-terms}. Along the path of training, the second-order term grows.[^linear-path]
# - A wider ReLU network crosses more kinks, but a smaller share of them.[^linear-kinks]
# - Lazy training ends in three places: where the network is narrow, where the factor of the output is small {fig:linear-scale}, and where the learning rate exceeds $2/\lambda$.[^linear-beyond]
#
# These are results of one hidden layer, 128 images and 100 steps.
#
# ## Two things to try {#try}
#
# 1. Take twice as many steps. Does the distance still grow?
# 2. Replace ReLU by softplus, which is smooth, at the same width. Is it closer to its linearization or further away?
#
# ## Answers {#answers}
#
# Try it yourself before you read on.

# %%
theta = starts[64]
twice = 2 * STEPS
longer, longer_linear = (
    train(model, theta, torch.tanh, steps=twice)[0] for model in (moved, linear)
)
doubled = mean_error(apart(theta, longer, longer_linear, torch.tanh))
smooth, smooth_linear = (
    train(model, theta, functional.softplus)[0] for model in (moved, linear)
)
softplus = mean_error(apart(theta, smooth, smooth_linear, functional.softplus))
print(f"twice as long {doubled[0]:.3f}, softplus {softplus[0]:.3f}")

# %% [markdown] lang="zh"
# 1. 会。tanh 在宽 64 上的距离，从 {val:linear.distance["tanh", 64]:.3f} 增大到 {val:linear.doubled:.3f}。
# 2. 更近：softplus 的距离是 {val:linear.softplus:.3f}，ReLU 是 {val:linear.distance["ReLU", 64]:.3f}。[^linear-softplus]
#
# ## 参考文献 {#references}
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# 1. It does. At width 64, the distance of tanh grows from {val:linear.distance["tanh", 64]:.3f} to {val:linear.doubled:.3f}.
# 2. It is closer. The distance of softplus is {val:linear.softplus:.3f}, and that of ReLU is {val:linear.distance["ReLU", 64]:.3f}.[^linear-softplus]
#
# ## References {#references}
#
# ## Assertions {#finding}
#
# The finding of this lab as code:

# %%
for name in activations:
    line = [distance[name, n][0] for n in widths]
    assert line == sorted(line, reverse=True)  # wider is more linear,
assert all(distance["tanh", n] < distance["ReLU", n] for n in widths)
assert max(slopes.values()) < -0.4
assert slope2 < -0.3  # and so are the later terms,
assert slope3 < -0.3
assert kinks[1024] > kinks[16]  # with more kinks crossed,
assert percent[1024] < percent[16]  # but a smaller share;
assert scaled["tanh", 0.25] > scaled["tanh", 1.0] > scaled["tanh", 8.0]
assert survives["network"][1] < 1 < survives["linear"][1]  # beyond 2/λ
