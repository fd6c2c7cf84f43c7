# %% [markdown] lang="zh"
# # 曲率与学习率 {#curvature}
#
# 在二次函数上，学习率的上限是 2 除以最大的特征值（[推导](../taylor/optimization.md#quadratic)）。真实网络的损失不是二次函数，这个上限还成立吗？
#
# ## 问题 {#question}
#
# 一个三层的 tanh 网络学 300 张手写数字，做全批量的梯度下降。学习率多大时，训练会失败？事先能由海森矩阵（Hessian）的最大特征值 $\lambda$ 预测吗？

# %% [markdown] lang="en"
# # Curvature and the learning rate {#curvature}
#
# On a quadratic function, the learning rate must stay below 2 over the largest eigenvalue ([derivation](../taylor/optimization.md#quadratic)). The loss of a real network is not quadratic. Does the limit still hold?
#
# ## Question {#question}
#
# A tanh network with three layers learns 300 handwritten digits by full-batch gradient descent. At which learning rate does training fail? Can the largest eigenvalue $\lambda$ of the Hessian matrix predict it beforehand?

# %%
from collections.abc import Callable
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional

SEED = 0
SHAPES = ((64, 24), (24,), (24, 24), (24,), (24, 10), (10,))

# %%
images, targets = load_digits(return_X_y=True)
inputs = torch.tensor(images[:300], dtype=torch.float64)
inputs = (inputs - inputs.mean()) / inputs.std()
wanted = functional.one_hot(torch.tensor(targets[:300]), 10).double()
SIZES = [torch.Size(shape).numel() for shape in SHAPES]


def loss(theta: Tensor) -> Tensor:
    """Return half the mean squared error of a tanh network."""
    parts = torch.split(theta, SIZES)
    w1, b1, w2, b2, w3, b3 = (
        part.view(shape) for part, shape in zip(parts, SHAPES, strict=True)
    )
    h = torch.tanh(torch.tanh(inputs @ w1 + b1) @ w2 + b2)
    errors: Tensor = h @ w3 + b3 - wanted
    return errors.square().sum(1).mean() / 2


def gradient(theta: Tensor) -> Tensor:
    """Return the gradient of the loss."""
    leaf = theta.detach().requires_grad_()
    return torch.autograd.grad(loss(leaf), leaf)[0]


def hessian_product(theta: Tensor, v: Tensor) -> Tensor:
    """Return the Hessian times v, without ever forming the Hessian."""
    leaf = theta.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(leaf), leaf, create_graph=True)
    return torch.autograd.grad(slope @ v, leaf)[0]


generator = torch.Generator().manual_seed(SEED)
start = torch.cat(
    [
        torch.randn(shape, generator=generator, dtype=torch.float64).flatten()
        * (shape[0] ** -0.5 if len(shape) == 2 else 0.0)
        for shape in SHAPES
    ]
)
parameters = len(start)
print(f"{parameters} parameters, {parameters**2} entries of the Hessian")

# %% [markdown] lang="zh"
# ## 不写出海森矩阵 {#product}
#
# 整个矩阵有 {val:curvature.parameters:.0f} 行、同样多的列，用不着写出来。损失记作 $f$。先取梯度与 $v$ 的内积，再求一次梯度，就得到海森矩阵 $H$ 与 $v$ 的乘积，见[多变量泰勒展开](../taylor/multivariate.md)：
#
# {eq:multivariate-product}
#
# 代价是几次梯度 [@pearlmutter1994]。下面与梯度的差商核对；步长缩小到十分之一，差商的误差也缩小到十分之一：

# %% [markdown] lang="en"
# ## Without forming the Hessian {#product}
#
# The whole matrix has {val:curvature.parameters:.0f} rows and as many columns. It need not be written down. Call the loss $f$. Take the inner product of its gradient with $v$ and then the gradient of the result. This gives the product of the Hessian matrix $H$ with $v$, see [Taylor expansion in several variables](../taylor/multivariate.md):
#
# {eq:multivariate-product}
#
# This costs a few gradients [@pearlmutter1994]. The result is compared below with difference quotients of the gradient. When the step is ten times smaller, so is the error of the quotient:

# %%
v = torch.randn(parameters, generator=generator, dtype=torch.float64)
exact = hessian_product(start, v)
for step in (1e-2, 1e-3, 1e-4):
    quotient = (gradient(start + step * v) - gradient(start)) / step
    error = float((quotient - exact).norm() / exact.norm())
    print(f"step {step:.0e}  relative error {error:.0e}")

# %% [markdown] lang="zh"
# ## 平台 {#plateau}
#
# 幂迭代反复乘以 $H$，每次再归一化，主特征值（它的绝对值大于其余各个）的特征向量占的份额就越来越大。特征值由瑞利商（Rayleigh）读出：
#
# {eq:curvature-rayleigh}
#
# 左列是在初始化处，右列是训练 400 步（学习率 0.05）之后：

# %% [markdown] lang="en"
# ## A plateau {#plateau}
#
# Power iteration multiplies by $H$ and normalizes, again and again. The share of the eigenvector whose eigenvalue has the largest modulus grows. The Rayleigh quotient then gives the eigenvalue:
#
# {eq:curvature-rayleigh}
#
# The left column is at initialization, and the right column is after 400 steps of training with the learning rate 0.05:


# %%
def power(theta: Tensor, steps: int = 100) -> tuple[list[float], Tensor]:
    """Return the Rayleigh quotient after each step, and the last vector."""
    generator = torch.Generator().manual_seed(SEED)
    v = torch.randn(len(theta), generator=generator, dtype=torch.float64)
    quotients = []
    for _ in range(steps):
        v = v / v.norm()
        product = hessian_product(theta, v)
        quotients.append(float(v @ product))
        v = product
    return quotients, v / v.norm()


def descend(theta: Tensor, eta: float, steps: int) -> tuple[Tensor, Tensor]:
    """Return the parameters after some steps, and the loss before each."""
    found = []
    for _ in range(steps):
        leaf = theta.detach().requires_grad_()
        value = loss(leaf)
        found.append(value.detach())
        theta = theta - eta * torch.autograd.grad(value, leaf)[0]
    return theta, torch.stack(found)


trained, _ = descend(start, 0.05, 400)
at_start, _ = power(start)
at_trained, settled_vector = power(trained)
for k in (1, 3, 10, 30, 100):
    print(f"{k:3}  {at_start[k - 1]:.2f}  {at_trained[k - 1]:.2f}")
plateau = at_trained[-1]

# %% [markdown] lang="zh"
# 从第 30 步到第 100 步，两列的变化都不到 0.01。它们收敛了吗？先猜一猜，再往下看。
#
# Lanczos 迭代每步也做一次乘积，但是留下每一步的向量，并让它们两两正交。在这组向量里，$H$ 变成一个小的三对角矩阵，它两端的特征值近似 $H$ 两端的特征值；在这两个数左右残差 $\lvert Hv - \lambda v\rvert$ 的范围内，各有 $H$ 的一个特征值。

# %% [markdown] lang="en"
# From step 30 to step 100, both columns stand still to within 0.01. Have they converged? Make a guess before you read on.
#
# Lanczos iteration also takes one product per step, but it keeps the vectors and makes them orthogonal to each other. In this basis, $H$ becomes a small tridiagonal matrix. The largest and the smallest eigenvalue of that matrix approximate those of $H$, and within the residual $\lvert Hv - \lambda v\rvert$ of each there is an eigenvalue of $H$.


# %%
class Ends(NamedTuple):
    """Both ends of the spectrum of a symmetric matrix H."""

    smallest: float
    largest: float
    residual: float  # |H v - value v| of the worse end, |v| = 1
    vectors: Tensor  # the two v, shape (n, 2)

    @property
    def converged(self) -> bool:
        """Tell whether the residual is a millionth of the larger end."""
        size = max(abs(self.smallest), abs(self.largest))
        return self.residual <= 1e-6 * size


def lanczos(
    product: Callable[[Tensor], Tensor], start: Tensor, iterations: int = 200
) -> Ends:
    """Find both ends of a spectrum from products with a symmetric matrix.

    Each new vector is made orthogonal to all before it, twice; without
    that, rounding lets found eigenvalues come back as copies. Within the
    residual of each end there is an eigenvalue.

    Args:
        product: Maps a vector v to H v.
        start: A random vector, shape (n,): an end to which it is
            orthogonal is not found.
        iterations: Products to spend at most; it stops when both ends
            have converged.

    Raises:
        ValueError: If a product is not finite, ``iterations`` < 1, or the
            start no real vector or zero, with "Received: ...".

    >>> d = torch.tensor([-10.0, 1.0, 10.0])
    >>> ends = lanczos(lambda v: d * v, torch.ones(3))
    >>> round(ends.smallest, 3), round(ends.largest, 3), ends.converged
    (-10.0, 10.0, True)
    """
    real = start.ndim == 1 and start.is_floating_point()
    if iterations < 1 or not real or not start.norm() > 0:
        raise ValueError(
            "iterations must be >= 1, start a real vector, not zero. "
            f"Received: iterations={iterations}, start={start}"
        )
    start = start.to(torch.promote_types(start.dtype, torch.float32))
    basis = (start / start.norm())[None]
    matrix = torch.zeros(0, 0, dtype=torch.float64)  # H in this basis
    while True:
        image = product(basis[-1]).to(start.dtype)
        if not bool(image.isfinite().all()):
            raise ValueError(f"H v must be finite. Received: {image}")
        matrix = torch.nn.functional.pad(matrix, (0, 1, 0, 1))
        matrix[-1] = basis @ image
        for _ in range(2):
            image = image - basis.T @ (basis @ image)
        left = image.norm()
        values, vectors = torch.linalg.eigh(matrix)  # reads the lower half
        low, high = values[0].item(), values[-1].item()
        last = vectors[:, [0, -1]].to(basis)
        residual = (left * last[-1].abs()).max().item()
        ends = Ends(low, high, residual, basis.T @ last)
        if ends.converged or len(basis) >= min(iterations, len(start)):
            return ends
        basis = torch.cat([basis, image[None] / left])


def ends(theta: Tensor, seed: int = SEED) -> Ends:
    """Return both ends of the spectrum of the Hessian."""
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn(len(theta), generator=generator, dtype=torch.float64)
    return lanczos(lambda u: hessian_product(theta, u), v)


for name, theta in (("start", start), ("trained", trained)):
    both = ends(theta)
    low, high = both.smallest, both.largest
    print(f"{name:8} from {low:.2f} to {high:.2f}, {both.converged}")

curvature_start, curvature = ends(start).largest, ends(trained).largest
direction = ends(trained).vectors[:, 1]
limit, limit_start = 2 / curvature, 2 / curvature_start
others = [ends(trained, seed).largest for seed in (1, 2, 3)]
draws = torch.Generator().manual_seed(SEED)
first = torch.randn(parameters, generator=draws, dtype=torch.float64)
share = float((first / first.norm() @ direction).abs())
gain = (curvature / plateau) ** 100
gap = hessian_product(trained, settled_vector) - plateau * settled_vector
residual = float(gap.norm()) / plateau

# %% [markdown] lang="zh"
# 左列收敛了，右列没有。最大的特征值是 {val:curvature.curvature:.2f}；幂迭代停在 {val:curvature.plateau:.2f}，那是第二大的特征值。在随机的起点里，最大特征值的特征向量只占 {val:curvature.share:.0e}；两个特征值相差不到 1%，走 100 步，它与第二个特征向量的份额之比只放大到 {val:curvature.gain:.1f} 倍。幂迭代停在那里的向量，残差也只有 $\lambda$ 的 {val:curvature.residual:.0e}。残差小，说明附近有**一个**特征值，没有说明是哪一个。换三个随机起点，Lanczos 迭代给出同样的数。
#
# 训练使最大的特征值从 {val:curvature.curvature_start:.1f} 降到 {val:curvature.curvature:.1f}。
#
# ## 预测 {#prediction}
#
# 在近处，损失像一个二次函数。沿最大特征值的特征向量推开一点，这个偏离每走一步就乘以 $1 - \eta\lambda$（{eq:newton-descent}）：
#
# {eq:curvature-stable}
#
# 所以预测的学习率上限是 $2/\lambda$：在训练过的点上是 {val:curvature.limit:.3f}，在初始化处是 {val:curvature.limit_start:.3f}。
#
# ## 测量：一点偏离 {#perturbation}
#
# 从训练过的点出发走两条轨迹，其中一条的起点沿特征向量推开 $10^{-6}$。走三步，两者的距离平均每步乘以多少？先写下你的猜测：学习率是上限的 0.5 倍、1 倍、{exact:1.5} 倍时，各是多少？

# %% [markdown] lang="en"
# The left column has converged, and the right column has not. The largest eigenvalue is {val:curvature.curvature:.2f}. Power iteration rests at {val:curvature.plateau:.2f}, which is the second eigenvalue. In the random start, the top eigenvector has a share of only {val:curvature.share:.0e}. The two eigenvalues differ by less than 1%, so 100 steps enlarge the ratio of this share to that of the second eigenvector only by a factor of {val:curvature.gain:.1f}. The residual of the vector at rest is just {val:curvature.residual:.0e} of $\lambda$. A small residual says that **some** eigenvalue is close. It does not say which one. From three other random starts, Lanczos iteration gives the same numbers.
#
# Training has lowered the largest eigenvalue from {val:curvature.curvature_start:.1f} to {val:curvature.curvature:.1f}.
#
# ## Prediction {#prediction}
#
# Near a point, the loss resembles a quadratic function. A small displacement along the eigenvector of the largest eigenvalue is multiplied by $1 - \eta\lambda$ at each step ({eq:newton-descent}):
#
# {eq:curvature-stable}
#
# So the predicted limit of the learning rate is $2/\lambda$, which is {val:curvature.limit:.3f} at the trained point and {val:curvature.limit_start:.3f} at initialization.
#
# ## Measurement: a small displacement {#perturbation}
#
# Two trajectories start at the trained point, and one of them is displaced along the eigenvector by $10^{-6}$. Over three steps, by which factor per step does their distance change? Write down your guess for 0.5, 1 and {exact:1.5} times the limit.

# %%
multiples = [0.1 * k for k in range(1, 16)]
factors = []
for multiple in multiples:
    eta = multiple * limit
    one, _ = descend(trained, eta, 3)
    two, _ = descend(trained + 1e-6 * direction, eta, 3)
    factors.append(float((two - one).norm() / 1e-6) ** (1 / 3))

fig, ax = plt.subplots(figsize=(5.2, 2.8), layout="constrained")
line = [abs(1 - 2 * multiple) for multiple in multiples]
ax.plot(multiples, line, "--", color="C0", lw=1, label="predicted")
ax.plot(multiples, factors, "o", color="C0", label="measured")
ax.axhline(1, color="0.5", lw=0.8)
ax.set(xlabel="ηλ / 2", ylabel="factor per step")
ax.legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:curvature-factor} 偏离每步乘以的因子；横轴是学习率与 $2/\lambda$ 之比。虚线是预测的 $\lvert 1 - \eta\lambda\rvert$，点是实测，两者相差不到 0.01。横轴超过 1，偏离就增大。横轴是 ½ 时，主方向上的偏离几乎被消掉，剩下的百万分之一在别的方向上。[^curvature-factor]
#
# 这个局部的规律很准 {fig:curvature-factor}。整个训练呢？
#
# ## 测量：整个训练 {#training}
#
# 从训练过的点出发，学习率换成 $2/\lambda$ 的几种倍数，再走 150 步。哪几种会发散？先猜一猜。

# %% [markdown] lang="en"
# {fig:curvature-factor} The factor by which the displacement changes per step. Horizontal axis: the learning rate divided by $2/\lambda$. The measured points agree with the predicted $\lvert 1 - \eta\lambda\rvert$ (dashed) to within 0.01, and beyond 1 the displacement grows. At ½ the main direction is almost removed, and the millionth that remains lies in other directions.[^curvature-factor]
#
# Near the point, the prediction is precise {fig:curvature-factor}. What about training as a whole?
#
# ## Measurement: training as a whole {#training}
#
# From the trained point, take 150 more steps with several multiples of $2/\lambda$. Which of them diverge? Make a guess first.

# %%
fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
tops_of_runs, ends_of_runs = [], []  # relative to the start
rises_of_runs = []  # largest rise in one step
for i, (multiple, dash) in enumerate(
    ((0.9, "-"), (1.4, "--"), (2.0, ":"), (3.0, "-."))
):
    _, path = descend(trained, multiple * limit, 150)
    tops_of_runs.append(float(path.max() / path[0]))
    ends_of_runs.append(float(path[-1] / path[0]))
    rises_of_runs.append(float(path.diff().max()))
    shown = path[path < 100 * path[0]]
    ax.semilogy(shown, dash, color=f"C{i}", lw=1.4, label=f"{multiple} × 2/λ")
ax.set(xlabel="step", ylabel="loss")
ax.legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:curvature-surge} 从训练过的点出发的损失。0.9 倍的 $2/\lambda$，损失单调下降。{exact:1.4} 倍与 2 倍，损失先冲上去，又落回来，最后比 0.9 倍的更低；3 倍，损失一去不回（曲线在一百倍处截断）。[^curvature-surge]
#
# 于是要分清两个上限：学习率到了前一个，损失开始高于起点；到了后一个，损失会变成无穷。

# %% [markdown] lang="en"
# {fig:curvature-surge} The loss from the trained point on. At 0.9 times $2/\lambda$ it falls steadily. At {exact:1.4} and 2 times it first surges, then comes back and ends lower than at 0.9, and at 3 times it does not come back (the curve is cut at a hundredfold).[^curvature-surge]
#
# So there are two limits. One is the learning rate at which the loss first rises above its start. The other is the learning rate at which the loss becomes infinite.


# %%
def limits(theta: Tensor, unit: float) -> tuple[float, float, float]:
    """Return multiples of unit: first rise, first divergence, last without."""
    rises = diverges = float("inf")
    last = 0.0
    for k in range(8, 36):
        multiple = 0.1 * k
        _, found = descend(theta, multiple * unit, 150)
        if not bool(found.max() <= 1.001 * found[0]):
            rises = min(rises, multiple)
        if bool(found[-1] < 1e3 * found[0]):
            last = multiple
        else:
            diverges = min(diverges, multiple)
    return rises, diverges, last


rises, diverges, last = limits(trained, limit)
rises_start, diverges_start, last_start = limits(start, limit_start)
print(f"trained  rises {rises:.1f}  diverges {diverges:.1f}")
print(f"start    rises {rises_start:.1f}  diverges {diverges_start:.1f}")
print(f"last without divergence: {last:.1f} and {last_start:.1f}")

# %% [markdown] lang="zh"
# 以 $2/\lambda$ 为单位，每隔 0.1 试一个，试到 {exact:3.5}。在训练过的点上，损失从 {val:curvature.rises:.1f} 起会上升，到 {val:curvature.diverges:.1f} 第一次发散。边界参差：{val:curvature.last:.1f} 又不发散，再往上试过的都发散。在初始化处，损失从 {val:curvature.rises_start:.1f} 起会上升，从 {val:curvature.diverges_start:.1f} 起发散。
#
# 学习率在两个上限之间时，网络去了哪里？再走 300 步，量一量那里的 $\lambda$：

# %% [markdown] lang="en"
# The multiples of $2/\lambda$ that were tried are 0.1 apart and end at {exact:3.5}. At the trained point, the loss rises from {val:curvature.rises:.1f} on and first diverges at {val:curvature.diverges:.1f}. The border is ragged: at {val:curvature.last:.1f} it does not diverge, and at all higher ones that were tried it does. At initialization, it rises from {val:curvature.rises_start:.1f} on and diverges from {val:curvature.diverges_start:.1f} on.
#
# Where does the network go when the learning rate lies between the two limits? Take 300 steps and measure $\lambda$ there:

# %%
settled = []
for multiple in (1.2, 1.4, 1.7, 2.0):
    eta = multiple * limit
    after, _ = descend(trained, eta, 300)
    settled.append(eta * ends(after).largest / 2)
    print(f"eta lambda / 2: from {multiple} to {settled[-1]:.1f}")
lowest, highest = min(settled), max(settled)

# %% [markdown] lang="zh"
# 四个学习率都使 $\eta\lambda/2$ 走到了 {val:curvature.lowest:.3f} 与 {val:curvature.highest:.3f} 之间：网络自己走到了 $\lambda$ 接近 $2/\eta$ 的地方。
#
# ## 学到了什么 {#learned}
#
# - $2/\lambda$ 是**下降**的上限：在训练过的点上，学习率从它的 {val:curvature.rises:.1f} 倍起，损失就会上升（倍数每隔 0.1 试一个）。
# - $2/\lambda$ **不是训练失败的界限**。过了它，损失先冲上去，网络被甩到更平的地方，训练继续；试过的倍数里，最先发散的是 {val:curvature.diverges:.1f} 倍。文献里叫“弹射”（catapult）[@lewkowycz2020]。
# - 初始化处的 $2/\lambda$ 只给出一个尺度：损失从它的 {val:curvature.rises_start:.1f} 倍起上升，从 {val:curvature.diverges_start:.1f} 倍起发散。对无限宽的两层线性网络，理论的答案是 2 倍，即 $4/\lambda$ [@lewkowycz2020]。
# - 曲率不是网络固有的常数：在上面四次训练里，它都随学习率走到了 $2/\eta$ 附近，即“稳定性的边缘”（edge of stability）[@cohen2021]。
# - 迭代不再变化，不等于已经收敛：幂迭代停在 {val:curvature.plateau:.2f}，70 步没有变，而它是第二大的特征值。
#
# ## 再试两件事 {#try}
#
# 1. 把均方误差换成交叉熵。从初始化出发，两个上限移到哪里（倍数改成一倍一倍地试）？损失还会变成无穷吗？
# 2. 用学习率 0.06 与 {exact:0.18} 从头各训练三千步，每百步算一次 $\eta\lambda/2$。哪一个停在 1 的附近？
#
# ## 参考文献 {#references}
#
# ## 断言 {#finding}
#
# 本实验的结论写成代码，有三条：局部的规律成立；由它推断整个训练，不成立；幂迭代停在第二大的特征值上。

# %% [markdown] lang="en"
# For all four learning rates, $\eta\lambda/2$ ended between {val:curvature.lowest:.3f} and {val:curvature.highest:.3f}. By itself, the network has moved to a place where $\lambda$ is close to $2/\eta$.
#
# ## What was learned {#learned}
#
# - $2/\lambda$ is the limit of **descent**. At the trained point, the loss rises from {val:curvature.rises:.1f} times this rate on (the multiples that were tried are 0.1 apart).
# - $2/\lambda$ is **not the limit at which training fails**. Beyond it, the loss surges, the network is thrown to a flatter place, and training goes on. Of the multiples that were tried, the smallest at which it diverged is {val:curvature.diverges:.1f}. In the literature this is called a catapult [@lewkowycz2020].
# - At initialization, $2/\lambda$ is a scale and not a limit: the loss rises from {val:curvature.rises_start:.1f} times this rate on and diverges from {val:curvature.diverges_start:.1f} times this rate on. For two-layer linear networks of infinite width, the theoretical value is 2 times, which is $4/\lambda$ [@lewkowycz2020].
# - Curvature is not a constant of the network. In the four runs above, it followed the learning rate to nearly $2/\eta$, which is called the edge of stability [@cohen2021].
# - An iteration that has stopped changing need not have converged. Power iteration stayed at {val:curvature.plateau:.2f} for 70 steps, and this is the second eigenvalue.
#
# ## Two things to try {#try}
#
# 1. Replace the squared error by cross-entropy. Where do the two limits move when starting from initialization (try multiples a factor of 2 apart)? Can the loss still become infinite?
# 2. Train from the start for three thousand steps with learning rates of 0.06 and of {exact:0.18}, and compute $\eta\lambda/2$ every hundred steps. Which one stays close to 1?
#
# ## References {#references}
#
# ## Assertions {#finding}
#
# The finding of this lab as code: the local rule holds, its extrapolation to training as a whole does not, and power iteration rests at the second eigenvalue.

# %%
assert error < 2e-3  # the last quotient agrees with the product
assert abs(at_trained[99] - at_trained[29]) < 1e-3 * plateau  # it stands still,
assert curvature > 1.005 * plateau  # at the wrong eigenvalue
assert max(abs(other - curvature) for other in others) < 1e-6 * curvature
for multiple, factor in zip(multiples, factors, strict=True):
    assert abs(factor - abs(1 - 2 * multiple)) < 0.01
assert 1 <= rises < 1.4  # descent ends just above 2/λ,
assert diverges > 1.5 * rises  # training does not;
assert 0.99 < lowest < highest < 1.03  # λ follows η,
assert diverges_start > 2  # and at initialization 2/λ is no limit either
