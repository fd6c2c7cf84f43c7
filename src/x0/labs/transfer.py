# %% [markdown] lang="zh"
# # 小网络的学习率，大网络能用吗 {#transfer}
#
# 在窄的网络上挑好学习率，直接拿到宽的网络上用，这是 μP 的承诺 [@yang2022]。这里量一量：照它的规定做，学习率搬过去行不行；少了一条又会怎样。
#
# ## 问题 {#question}
#
# 网络的宽度从 32 增加到 512，Adam 最好的学习率怎样移动？用 μP 呢？
#
# 数据是 scikit-learn 自带的两张照片，切成 16×16 的灰度小块。中间 4×4 个像素盖住，网络看周围的 {exact:240} 个，把盖住的 16 个补出来。损失是均方误差。验证用的小块出自同样的照片，与训练用的可以重叠。

# %% [markdown] lang="en"
# # Does the learning rate of a small network serve a large one? {#transfer}
#
# Tune the learning rate on a narrow network and use it on a wide one: this is what μP promises [@yang2022]. This lab measures whether the rate can be carried over under the rules of μP, and what happens if one of them is left out.
#
# ## Question {#question}
#
# If the width grows from 32 to 512, how does the best learning rate of Adam move? How does it move under μP?
#
# The data are the two photographs that come with scikit-learn, cut into gray patches of 16×16 pixels. The 4×4 pixels in the middle are covered. The network sees the {exact:240} around them and fills in the covered 16. The loss is the mean squared error. The patches for validation come from the same photographs and can overlap with those for training.

# %%
import math
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_sample_images
from torch import Tensor

SEEDS = 10
BASE = 32  # the width on which the rate is tuned
STEPS, ROWS = 60, 16  # patches of each photograph in a batch
HOLE = torch.zeros(16, 16, dtype=torch.bool)
HOLE[6:10, 6:10] = True

# %%
photos = [
    torch.tensor(photo / 255).float().mean(2)
    for photo in load_sample_images().images
]


def patches(rows: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return what surrounds the hole and what is in it, from both photos."""
    found = []
    for photo in photos:
        height, width = photo.shape
        top = torch.randint(height - 15, (rows,), generator=g)
        left = torch.randint(width - 15, (rows,), generator=g)
        found.append(photo.unfold(0, 16, 1).unfold(1, 16, 1)[top, left])
    x = torch.cat(found)
    around = x[:, ~HOLE]
    level = around.mean(1, keepdim=True)  # brightness, of what is seen
    return (around - level) / 0.15, (x[:, HOLE] - level) / 0.15


examples = patches(256, torch.Generator().manual_seed(999))
flat = float(examples[1].square().mean())
print(f"loss if the hole has the mean of its surroundings: {flat:.2f}")

# %% [markdown] lang="zh"
# ## 网络与规定 {#rules}
#
# 两个隐藏层，宽 $n$，ReLU，没有偏置；权重的标准差是 1/√fan_in。以宽 32 为基准，μP 在更宽的网络上改三处 [@yang2022, 表 3]：
#
# 1. 隐藏层的矩阵：Adam 的学习率乘以 $32/n$；
# 2. 输出层的矩阵：Adam 的学习率乘以 $32/n$；
# 3. 输出层的矩阵：初始方差再乘以 $32/n$。
#
# 输入层不变。宽 32 时，两种做法是同一个网络。

# %% [markdown] lang="en"
# ## The network and the rules {#rules}
#
# There are two hidden layers of width $n$ with ReLU and without biases. The standard deviation of the weights is 1/√fan_in. Relative to width 32, μP changes three things in a wider network [@yang2022, Table 3]:
#
# 1. For the hidden matrix, Adam's learning rate is multiplied by $32/n$.
# 2. For the output matrix, Adam's learning rate is multiplied by $32/n$.
# 3. For the output matrix, the initial variance is multiplied by $32/n$ once more.
#
# The input layer stays as it is. At width 32 both ways are the same network.


# %%
class Rule(NamedTuple):
    """What is scaled with the width: each flag is one rule of μP."""

    hidden: bool = True  # the rate of the hidden matrix
    output: bool = True  # the rate of the output matrix
    start: bool = True  # the variance of the output matrix
    zero: bool = False  # the output matrix starts at zero instead


MUP, STANDARD = Rule(), Rule(hidden=False, output=False, start=False)


def initial(n: int, rule: Rule) -> list[Tensor]:
    """Return the three matrices of all seeds, each (SEEDS, fan_in, fan_out)."""
    g = torch.Generator().manual_seed(n)
    last = 0.0 if rule.zero else math.sqrt((BASE / n if rule.start else 1) / n)
    layers = ((240, n, 240**-0.5), (n, n, n**-0.5), (n, 16, last))
    return [std * torch.randn(SEEDS, a, b, generator=g) for a, b, std in layers]


def forward(w: list[Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pre-activations of the second layer, and the outputs."""
    second = (x @ w[0]).relu() @ w[1]
    return second, second.relu() @ w[2]


def train(n: int, rate: float, rule: Rule, steps: int = STEPS) -> list[Tensor]:
    """Return the matrices of all seeds after some steps of Adam."""
    factor = BASE / n
    rates = [
        rate,
        rate * (factor if rule.hidden else 1),
        rate * (factor if rule.output else 1),
    ]
    w = [p.requires_grad_() for p in initial(n, rule)]
    m, u = ([torch.zeros_like(p) for p in w] for _ in range(2))
    streams = [torch.Generator().manual_seed(seed) for seed in range(SEEDS)]
    for t in range(1, steps + 1):
        data = [patches(ROWS, g) for g in streams]
        x, y = (torch.stack(part) for part in zip(*data, strict=True))
        # The seeds share nothing: the gradient of the sum is each one's own.
        loss = (forward(w, x)[1] - y).square().mean((1, 2)).sum()
        gradients = torch.autograd.grad(loss, w)
        done = (t - 1) / STEPS
        with torch.no_grad():
            for p, a, b, g, eta in zip(w, m, u, gradients, rates, strict=True):
                a.mul_(0.9).add_(g, alpha=0.1)
                b.mul_(0.95).addcmul_(g, g, value=0.05)
                root = (b / (1 - 0.95**t)).sqrt_().add_(1e-8)
                step = eta * (1 - done) / (1 - 0.9**t)
                p.addcdiv_(a, root, value=-step)
    return [p.detach() for p in w]


def losses(n: int, powers: range, rule: Rule) -> Tensor:
    """Return validation losses for rates 2^k, shape (powers, seeds)."""
    x, y = examples
    found = []
    for k in powers:
        out = forward(train(n, 2.0**k, rule), x)[1]
        found.append((out - y).square().mean((1, 2)))
    return torch.stack(found)


# %% [markdown] lang="zh"
# ## 训练之前：坐标检验 {#coordinates}
#
# Adam 的一步，把矩阵的每个元素改变大约一个学习率 {eq:adaptive-first}。一个神经元收到 $n$ 个这样的改变，方向一致，加起来与 $n$ 成正比 {eq:optimizers-change-adam}。学习率不变，网络越宽，这一份改变就越大；因子 $32/n$ 抵消它。第二层还收到第一层的改变，这一份不随宽度增大。[^transfer-first]
#
# 检验的办法：用同一个学习率 2⁻⁷ 走一步，量第二层与输出改变了多少，画成宽度的函数。先猜一猜：两种做法的斜率各是多少？

# %% [markdown] lang="en"
# ## Before training: the coordinate check {#coordinates}
#
# A step of Adam changes each entry of a matrix by about one learning rate {eq:adaptive-first}. A neuron receives $n$ such changes, which point the same way, and they add up in proportion to $n$ {eq:optimizers-change-adam}. With a constant rate, this part of the change grows with the width, and the factor $32/n$ cancels the growth. The second layer also receives the change of the first, a part that does not grow.[^transfer-first]
#
# The check takes one step with the same rate, 2⁻⁷, measures how much the second layer and the output have changed, and plots the change against the width. Make a guess: which slopes do the two ways have?


# %%
def change(n: int, rule: Rule) -> list[float]:
    """Return the rms change of the second layer and of the output."""
    x = examples[0][:64]
    before = forward(initial(n, rule), x)
    after = forward(train(n, 2.0**-7, rule, steps=1), x)
    return [
        float((b - a).square().mean().sqrt())
        for a, b in zip(before, after, strict=True)
    ]


widths = [32, 64, 128, 256, 512]
changes = {
    name: [change(n, rule) for n in widths]
    for name, rule in (("standard", STANDARD), ("μP", MUP))
}
slopes = {
    name: [math.log(found[-1][i] / found[0][i], 16) for i in (0, 1)]
    for name, found in changes.items()
}
print({name: [round(s, 1) for s in found] for name, found in slopes.items()})

fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
for name, color in (("standard", "C1"), ("μP", "C0")):
    for i, (layer, line) in enumerate((("layer 2", "o-"), ("output", "s--"))):
        values = [found[i] for found in changes[name]]
        ax.loglog(widths, values, line, ms=4, color=color)
        ax.lines[-1].set_label(f"{name}, {layer}")
ax.set(xlabel="width", ylabel="change after one step")
ax.set_xticks(widths, [str(n) for n in widths])
ax.set_yticks([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"])
ax.minorticks_off()
ax.legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:transfer-change} 走了一步，第二层与输出各改变了多少（均方根，十个种子）。标准做法的两条线随宽度上升；μP 的，第二层是平的，输出下降，但不到一半。[^transfer-change]
#
# 从宽 32 到 512，标准做法的斜率，第二层是 {val:transfer.slopes["standard"][0]:.2f}，输出是 {val:transfer.slopes["standard"][1]:.2f}；μP 是 {val:transfer.slopes["μP"][0]:.2f} 与 {val:transfer.slopes["μP"][1]:.2f}。
#
# ## 最好的学习率 {#rates}
#
# 三种宽度，各试五个学习率，相邻的差一倍，各用十个种子。过最低点和它左右两点作抛物线，顶点算作最好的学习率。[^-]猜一猜：宽度变成 16 倍，标准做法的最好学习率变成几分之一？

# %% [markdown] lang="en"
# {fig:transfer-change} How much one step changes the second layer and the output (root mean square, ten seeds). Both lines of the standard way rise with the width. Under μP the second layer is level, and the output falls by less than half.[^transfer-change]
#
# From width 32 to 512, the slopes of the standard way are {val:transfer.slopes["standard"][0]:.2f} for the second layer and {val:transfer.slopes["standard"][1]:.2f} for the output. Those of μP are {val:transfer.slopes["μP"][0]:.2f} and {val:transfer.slopes["μP"][1]:.2f}.
#
# ## The best learning rate {#rates}
#
# Each of three widths tries five rates, a factor of two apart, with ten seeds each. The vertex of the parabola through the lowest point and its two neighbors is taken as the best rate.[^-] Make a guess: if the width grows 16-fold, by which factor does the best rate of the standard way fall?


# %%
def optimum(powers: range, found: Tensor) -> Tensor:
    """Return log2 of the best rate: a jackknife value for each seed.

    Their mean is the vertex of a parabola through the mean losses, and
    their standard error is that of the vertex.
    """
    best = int(found.mean(1).argmin())
    if not 0 < best < len(powers) - 1:
        raise ValueError(f"the best rate is at an end. Received: {powers}")
    near = found[best - 1 : best + 2]
    count = found.shape[1]
    sums = near.sum(1, keepdim=True)
    means = torch.cat([sums / count, (sums - near) / (count - 1)], 1)
    left, middle, right = means  # of all seeds, and of all but one
    vertex = (left - right) / (2 * (left - 2 * middle + right))
    found = powers[best] + count * vertex[0] - (count - 1) * vertex[1:]
    return found


def mean_error(found: Tensor) -> tuple[float, float]:
    """Return the mean over the seeds and its standard error."""
    return found.mean().item(), found.std().item() / math.sqrt(SEEDS)


grids = {
    ("standard", 32): range(-9, -4),
    ("standard", 128): range(-10, -5),
    ("standard", 512): range(-11, -6),
    ("μP", 128): range(-9, -4),
    ("μP", 512): range(-9, -4),
}
table = {
    (name, n): losses(n, powers, MUP if name == "μP" else STANDARD)
    for (name, n), powers in grids.items()
}
table["μP", 32], grids["μP", 32] = table["standard", 32], grids["standard", 32]
best = {key: optimum(grids[key], found) for key, found in table.items()}
powers = {key: mean_error(found) for key, found in best.items()}
shift = {
    name: mean_error((best[name, 512] - best[name, 32]) / 4)
    for name in ("standard", "μP")
}
for (name, n), (power, error) in sorted(powers.items()):
    print(f"{name:9} width {n:3}  log2 of the best {power:.2f} ± {error:.2f}")

# %%
fig, axes = plt.subplots(
    1, 2, figsize=(5.8, 3.0), sharey=True, layout="constrained"
)
for ax, name in zip(axes, ("standard", "μP"), strict=True):
    for i, (n, marker) in enumerate(((32, "o"), (128, "s"), (512, "^"))):
        means = table[name, n].mean(1)
        ax.plot(
            list(grids[name, n]), means, marker + "-", ms=4, lw=1, color=f"C{i}"
        )
        if name == "standard":
            place = (grids[name, n][0] - 0.2, means[0])
            ax.text(*place, f"width {n}", ha="right", color=f"C{i}")
        ax.axvline(powers[name, n][0], color=f"C{i}", ls=":", lw=1)
    ax.set(xlabel="log2 of the learning rate", title=name)
axes[0].set_ylabel("validation loss")
axes[0].set_xlim(-13.8, -4.6)
plt.show()
worse = mean_error(table["standard", 512][4] - table["μP", 512][2])
at_best = mean_error(table["standard", 512][2] - table["μP", 512][2])

# %% [markdown] lang="zh"
# {fig:transfer-rates} 验证损失随学习率的变化，横轴是学习率以 2 为底的对数；竖的点线是抛物线的顶点。左：标准做法，越宽，谷底越靠左。右：μP，三条线的谷底离得不到半格。[^transfer-rates]
#
# 从宽 32 到宽 512，宽度每加倍，最好的学习率以 2 为底的对数平均移动：标准做法 {val:transfer.shift["standard"]:.2f}，μP {val:transfer.shift["μP"]:.2f}。把宽 32 上最好的 2⁻⁷ 直接用到宽 512，标准做法的损失比 μP 高 {val:transfer.worse:.3f}；标准做法自己重新挑学习率，只高 {val:transfer.at_best:.3f}。两个网络差得不多，差在学习率能不能搬过来。[^transfer-price]
#
# ## 缺一条会怎样 {#ablation}
#
# 在宽 128 上，逐条去掉三条规定，再试一次输出层从零开始。猜一猜：哪一条缺不得？

# %% [markdown] lang="en"
# {fig:transfer-rates} Validation loss against the learning rate, whose logarithm to base 2 is the horizontal axis. Vertical dotted lines: vertices of the parabolas. Left: in the standard way, the wider network has its valley further left. Right: under μP, the valleys of the three lines are less than half a step apart.[^transfer-rates]
#
# From width 32 to 512, the logarithm to base 2 of the best rate moves per doubling, on average, by {val:transfer.shift["standard"]:.2f} in the standard way and by {val:transfer.shift["μP"]:.2f} under μP. If 2⁻⁷, the best rate at width 32, is used at width 512, the loss of the standard way is higher than that of μP by {val:transfer.worse:.3f}. With a rate of its own it is higher by {val:transfer.at_best:.3f}. The networks differ little; what differs is whether the rate can be carried over.[^transfer-price]
#
# ## Leaving out a rule {#ablation}
#
# At width 128, leave out the three rules one by one, and also try an output layer that starts at zero. Make a guess: which one is needed most?

# %%
variants = {
    "without the hidden rate": Rule(hidden=False),
    "without the output rate": Rule(output=False),
    "without the output variance": Rule(start=False),
}
moved = {}
for name, rule in variants.items():
    grid = range(-9, -5)
    away = optimum(grid, losses(128, grid, rule)) - best["standard", 32]
    moved[name] = mean_error(away / 2)
grid = range(-8, -4)
zero = [optimum(grid, losses(n, grid, Rule(zero=True))) for n in (BASE, 128)]
moved["output from zero"] = mean_error((zero[1] - zero[0]) / 2)
to_128 = mean_error((best["standard", 128] - best["standard", 32]) / 2)
for name, (power, error) in (*moved.items(), ("standard", to_128)):
    print(f"{name:28} moves by {power:+.2f} ± {error:.2f} per doubling")

# %% [markdown] lang="zh"
# 去掉隐藏层的学习率这一条，宽度每加倍，最好的学习率移动 {val:transfer.moved["without the hidden rate"]:.2f}；去掉输出层的学习率，移动 {val:transfer.moved["without the output rate"]:.2f}；去掉输出层的方差，移动 {val:transfer.moved["without the output variance"]:.2f}。误差之内，三条看不出轻重。[^transfer-alike]三条全去掉，就是标准做法，移动 {val:transfer.to_128:.2f}。三条都有、输出层从零开始，移动 {val:transfer.moved["output from zero"]:.2f}。
#
# ## 学到了什么 {#learned}
#
# - 标准做法的最好学习率随宽度下降，宽度每加倍，以 2 为底的对数移动 {val:transfer.shift["standard"]:.2f}。用 μP，它留在原处，误差之内看不出移动 {fig:transfer-rates}。
# - 这里用了：隐藏层与输出层的学习率都乘以 $32/n$，输出层的方差再乘以 $32/n$；输入层不动；各宽度用同样的批次、步数与调度；学习率一倍一倍地试，谷底在网格里面。
# - 坐标检验只走一步，就把两种做法分开了 {fig:transfer-change}。它检验的是 μP 有没有写对。
# - 挑好学习率之后，两种做法在宽 512 上差 {val:transfer.at_best:.3f}。μP 省下的是在宽网络上重新挑学习率。
#
# 这是三层的网络，60 步的 Adam；注意力、权重衰减与 SGD 都没有试。
#
# ## 再试两件事 {#try}
#
# 1. 只把隐藏层的学习率乘以 $32/n$，另外两条都去掉。谷底移到哪里？
# 2. 把基准从 32 换成 128。宽 512 上，μP 的网络变成什么样？
#
# ## 答案 {#answers}
#
# 先自己试一试，再往下看。

# %% [markdown] lang="en"
# Without the rule on the hidden rate, each doubling of the width moves the best rate by {val:transfer.moved["without the hidden rate"]:.2f}. Without that on the output rate, it moves by {val:transfer.moved["without the output rate"]:.2f}, and without that on the output variance by {val:transfer.moved["without the output variance"]:.2f}. Within their errors, the three look alike.[^transfer-alike] Without all three, which is the standard way, it moves by {val:transfer.to_128:.2f}. With all three rules and an output layer that starts at zero, it moves by {val:transfer.moved["output from zero"]:.2f}.
#
# ## What was learned {#learned}
#
# - The best rate of the standard way falls as the width grows: for each doubling, its logarithm to base 2 moves by {val:transfer.shift["standard"]:.2f}. Under μP it stays, and within the error no movement can be seen {fig:transfer-rates}.
# - This is what was used here. The rates of the hidden and of the output layer are multiplied by $32/n$, and the variance of the output layer once more. The input layer is left alone. The batches, the steps and the schedule are the same at each width. The rates are a factor of two apart, and the valley lies inside the grid.
# - The coordinate check takes a single step and tells the two ways apart {fig:transfer-change}. What it checks is whether μP was implemented correctly.
# - With tuned rates, the two ways differ by {val:transfer.at_best:.3f} at width 512. What μP saves is the tuning on the wide network.
#
# The network has three layers and takes 60 steps of Adam. Attention, weight decay and SGD were not tried.
#
# ## Two things to try {#try}
#
# 1. Multiply the hidden rate alone by $32/n$ and leave out the two other rules. Where does the valley move?
# 2. Tune at width 128 instead of 32. What becomes of the μP network of width 512?
#
# ## Answers {#answers}
#
# Try it yourself before you read on.

# %%
grid = range(-9, -5)
alone = Rule(output=False, start=False)
away = optimum(grid, losses(128, grid, alone)) - best["standard", 32]
hidden_alone = mean_error(away / 2)
print(f"hidden rate alone: {hidden_alone[0]:+.2f} ± {hidden_alone[1]:.2f}")

# %% [markdown] lang="zh"
# 1. 从宽 32 到宽 128，每加倍移动 {val:transfer.hidden_alone:.2f}；标准做法在这两种宽度之间移动 {val:transfer.to_128:.2f}。
# 2. 因子从 $32/n$ 变成 $128/n$，隐藏层与输出层的学习率、输出层的方差都变成四倍，成了另一个网络。用标准做法，宽 32 与宽 128 的谷底不同；μP 从哪个宽度出发，就把哪里的学习率搬过去 {fig:transfer-rates}。
#
# ## 参考文献 {#references}
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# 1. From width 32 to 128, it moves by {val:transfer.hidden_alone:.2f} for each doubling. Between the same widths, the standard way moves by {val:transfer.to_128:.2f}.
# 2. The factor becomes $128/n$ instead of $32/n$, which means four times the rates of the hidden and the output layer and four times the output variance, and so another network. Widths 32 and 128 have different valleys in the standard way, and μP carries over the one from which it starts {fig:transfer-rates}.
#
# ## References {#references}
#
# ## Assertions {#finding}
#
# The finding of this lab as code:

# %%
assert slopes["standard"][0] > 0.3
assert slopes["standard"][1] > 0.7
assert abs(slopes["μP"][0]) < 0.1
assert -0.4 < slopes["μP"][1] < 0
assert shift["standard"][0] < -0.4  # the best rate falls with the width,
assert abs(shift["μP"][0]) < 0.2  # under μP it stays,
assert worse[0] > 3 * worse[1]  # and can be carried over
