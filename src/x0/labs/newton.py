# %% [markdown] lang="zh"
# # 从梯度下降到 Newton 法 {#newton}
#
# 同一个线性回归，用三种方法求解。每一步误差乘以多少，动手之前就能算出来。
#
# ## 问题 {#question}
#
# 用三次多项式拟合 {exact:200} 个点，误差是均方误差。梯度下降、重球法（带动量的梯度下降）、Newton 法，各要多少步才能把误差缩小到百万分之一？

# %% [markdown] lang="en"
# # From gradient descent to Newton {#newton}
#
# One linear regression, solved in three ways. The factor by which each step shrinks the error can be computed before the first step.
#
# ## The question {#question}
#
# A cubic polynomial is fitted to {exact:200} points; the loss is the mean squared error. How many steps do gradient descent, heavy ball (gradient descent with momentum) and Newton's method need to shrink the error to a millionth?

# %%
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

SEED = 0
Array = NDArray[np.float64]

# %%
rng = np.random.default_rng(SEED)
x = rng.uniform(-1, 1, 200)
y = 1 + 2 * x - 3 * x**3 + 0.3 * rng.standard_normal(200)
features = np.stack([x**k for k in range(4)], axis=1)  # (200, 4)


def gradient(theta: Array) -> Array:
    """Return the gradient of the mean squared error, shape (4,)."""
    return 2 / len(y) * features.T @ (features @ theta - y)


hessian = 2 / len(y) * features.T @ features
eigenvalues = np.linalg.eigvalsh(hessian)
smallest, largest = float(eigenvalues[0]), float(eigenvalues[-1])
kappa = largest / smallest
solution = np.linalg.lstsq(features, y, rcond=None)[0]

print("eigenvalues", eigenvalues.round(3))
print(f"kappa       {kappa:.2f}")

# %% [markdown] lang="zh"
# ## 预测 {#prediction}
#
# 损失是 $\theta$ 的二次函数，Hessian 矩阵 $H$ 是常数，特征值从 $\mu$ 到 $\lambda$，条件数 $\kappa$ 是两者之比，这里是 {val:newton.kappa:.1f}。沿 $H$ 的一个特征方向看误差 $c_t$，别的方向不来干扰。
#
# **梯度下降**每步把误差乘以同一个数（这里写的是 $\lambda$ 的方向，别的方向换成自己的特征值）：
#
# {eq:newton-descent}
#
# 两端的特征值一样慢时最快，这时 $\eta$ 是 $\mu + \lambda$ 分之 2，每步的因子是
#
# {eq:newton-descent-rate}
#
# **重球法**多加上一步走过的 $\beta$ 倍，误差服从二阶递推：
#
# {eq:newton-ball}
#
# 特征多项式的两个根共轭时，模都是 $\beta$ 的平方根。让两端的特征值刚好处在共轭与实根的分界上，$\beta$ 最小：
#
# {eq:newton-ball-rate}
#
# 条件数换成了它的平方根。**Newton 法**用 $H$ 的逆代替 $\eta$，一步就到；$G$ 是梯度，$\theta_{\star}$ 是解：
#
# {eq:newton-step}

# %% [markdown] lang="en"
# ## The prediction {#prediction}
#
# The loss is quadratic in $\theta$, its Hessian $H$ is constant, with eigenvalues from $\mu$ to $\lambda$; the condition number $\kappa$ is their ratio, here {val:newton.kappa:.1f}. Look at the error $c_t$ along one eigenvector of $H$: the others do not interfere.
#
# **Gradient descent** multiplies the error by the same number at each step (written for the direction of $\lambda$; others have their own eigenvalue in its place):
#
# {eq:newton-descent}
#
# It is fastest when both ends of the spectrum are equally slow; $\eta$ is then 2 over $\mu + \lambda$, and the factor per step is
#
# {eq:newton-descent-rate}
#
# **Heavy ball** adds $\beta$ times the last move, and the error obeys a recursion of second order:
#
# {eq:newton-ball}
#
# While the roots of its characteristic polynomial are conjugate, both have the square root of $\beta$ as modulus. The smallest $\beta$ puts both ends of the spectrum on the border between conjugate and real roots:
#
# {eq:newton-ball-rate}
#
# The condition number has become its square root. **Newton's method** takes the inverse of $H$ in place of $\eta$ and arrives in one step; $G$ is the gradient, $\theta_{\star}$ the solution:
#
# {eq:newton-step}

# %%
descent_eta = 2 / (smallest + largest)
descent_rate = (kappa - 1) / (kappa + 1)
ball_rate = (kappa**0.5 - 1) / (kappa**0.5 + 1)
ball_beta = ball_rate**2
ball_eta = 4 / (largest**0.5 + smallest**0.5) ** 2

for name, rate in (("descent", descent_rate), ("ball", ball_rate)):
    steps = np.log(1e-6) / np.log(rate)
    print(f"{name:8} factor {rate:.4f}  steps to 1e-6 {steps:4.0f}")

# %% [markdown] lang="zh"
# ## 测量 {#measurement}
#
# 从同一个起点出发，记下每一步离解有多远。

# %% [markdown] lang="en"
# ## The measurement {#measurement}
#
# All methods leave from the same point; the distance to the solution is recorded at every step.


# %%
def errors(eta: float, beta: float, steps: int) -> Array:
    """Return the distance to the solution before each step, and at the end."""
    theta = previous = np.zeros(4)
    found = [np.linalg.norm(theta - solution)]
    for _ in range(steps):
        move = -eta * gradient(theta) + beta * (theta - previous)
        theta, previous = theta + move, theta
        found.append(np.linalg.norm(theta - solution))
    return np.array(found)


descent = errors(descent_eta, 0.0, 600)
ball = errors(ball_eta, ball_beta, 120)
newton = np.zeros(4) - np.linalg.solve(hessian, gradient(np.zeros(4)))
newton_error = float(np.linalg.norm(newton - solution))

descent_measured = float((descent[-1] / descent[-101]) ** (1 / 100))
ball_measured = float((ball[-1] / ball[-51]) ** (1 / 50))
descent_steps = int(np.argmax(descent < 1e-6 * descent[0]))
ball_steps = int(np.argmax(ball < 1e-6 * ball[0]))

print(f"descent  {descent_measured:.4f}  steps {descent_steps}")
print(f"ball     {ball_measured:.4f}  steps {ball_steps}")
print(f"newton   error after one step below 1e-12: {newton_error < 1e-12}")

# %%
fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
for found, rate, color, marker, name in (
    (descent, descent_rate, "C0", "o", "gradient descent"),
    (ball, ball_rate, "C1", "s", "heavy ball"),
):
    steps = np.arange(len(found))
    every = slice(None, None, 12)
    ax.semilogy(steps[every], found[every], marker, color=color, label=name)
    start = len(found) // 2
    line = found[start] * rate ** (steps[::6] - start)
    ax.semilogy(steps[::6], line, "--", color=color, lw=1)
rounding = max(newton_error, 1e-14)  # where it ends differs by machine
ax.semilogy([0, 1], [descent[0], rounding], "^-", color="C2", label="Newton")
ax.set(xlabel="step", ylabel="distance to the solution", ylim=(1e-15, 10))
ax.legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:newton-errors} 离解的距离，纵轴是对数。虚线是预测的斜率，点是实测。Newton 法一步就落到舍入误差。
#
# 梯度下降的预测是 {val:newton.descent_rate:.4f}，实测 {val:newton.descent_measured:.4f}。重球法的预测是 {val:newton.ball_rate:.4f}，实测 {val:newton.ball_measured:.4f}，略慢：在最优的 $\beta$ 上，两端各有一个二重根，误差还要乘一个随步数线性增长的因子，所以总步数也比预测的多；步数越多，它越不显眼。
#
# ### 学习率取错了会怎样 {#sweep}
#
# 每个 $\eta$ 都有自己的因子：最慢的那个特征方向说了算。因子到 1 就不再收敛；梯度下降的界是 $\lambda$ 分之 2，动量把它放宽到 $1 + \beta$ 倍。

# %% [markdown] lang="en"
# {fig:newton-errors} The distance to the solution, on a log scale. Dashed: the predicted slope; points: measured. Newton's method falls to rounding error in one step.
#
# For gradient descent {val:newton.descent_rate:.4f} was predicted and {val:newton.descent_measured:.4f} measured. For heavy ball it is {val:newton.ball_rate:.4f} and {val:newton.ball_measured:.4f}, a little slower: with the best $\beta$ each end of the spectrum has a double root, and the error carries a factor that grows linearly with the steps: in all it takes more steps than predicted, but the factor matters less and less.
#
# ### A wrong learning rate {#sweep}
#
# Every $\eta$ has its own factor: the slowest eigenvector decides. At 1 convergence ends; for gradient descent that is at 2 over $\lambda$, and momentum moves it to $1 + \beta$ times as much.


# %%
def predicted(eta: float, beta: float) -> float:
    """Return the largest modulus of the roots, over all eigenvalues."""
    roots = [
        np.roots([1, eta * value - 1 - beta, beta]) for value in eigenvalues
    ]
    return float(np.abs(roots).max())


etas = np.linspace(0.1, 3.2, 23) / largest
measured = {}
for beta in (0.0, 0.5):
    runs = [errors(float(eta), beta, 200) for eta in etas]
    measured[beta] = np.array([(e[200] / e[120]) ** (1 / 80) for e in runs])

fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
for beta, color, marker in ((0.0, "C0", "o"), (0.5, "C1", "s")):
    curve = [predicted(float(eta), beta) for eta in etas]
    ax.plot(etas * largest, curve, "--", color=color, lw=1)
    ax.plot(
        etas * largest, measured[beta], marker, color=color, label=f"β = {beta}"
    )
ax.axhline(1, color="0.5", lw=0.8)
ax.set(xlabel="ηλ", ylabel="factor per step", ylim=(0.75, 1.3))
ax.legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:newton-sweep} 每步的因子随学习率的变化，横轴是 $\eta$ 乘最大特征值。虚线由特征值算出，点由轨迹量出。没有动量时，过了 2 就发散；$\beta$ 是 ½ 时，过了 3 才发散。
#
# ## 学到了什么 {#learned}
#
# - 在二次函数上，收敛的快慢只由特征值决定，可以预先算出。梯度下降实测 {val:newton.descent_steps:.0f} 步，重球法 {val:newton.ball_steps:.0f} 步，Newton 法 1 步。
# - 动量把条件数换成它的平方根；Newton 法与条件数无关，代价是要解一个线性方程组。
# - 学习率的上限来自最大的特征值，走得慢则是最小的特征值造成的。
#
# ## 再试两件事 {#try}
#
# 1. 把特征换成 Legendre 多项式（`np.polynomial.legendre.legvander(x, 3)`），条件数是多少？三种方法的步数怎样变？
# 2. 把均方误差换成 $\ln\cosh$ 误差，它不再是二次的。Newton 法从远处出发还收敛吗？
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# {fig:newton-sweep} The factor per step against the learning rate; the horizontal axis is $\eta$ times the largest eigenvalue. Dashed: computed from the eigenvalues; points: measured on the trajectories. Without momentum it diverges beyond 2; with a $\beta$ of ½, beyond 3.
#
# ## What was learned {#learned}
#
# - On a quadratic the speed of convergence depends on the eigenvalues only and can be computed beforehand. Measured: {val:newton.descent_steps:.0f} steps of gradient descent, {val:newton.ball_steps:.0f} of heavy ball, 1 of Newton.
# - Momentum replaces the condition number by its square root; Newton's method does not depend on it, at the price of solving a linear system.
# - The largest eigenvalue limits the learning rate; the smallest one makes it slow.
#
# ## Two things to try {#try}
#
# 1. Take Legendre polynomials as features (`np.polynomial.legendre.legvander(x, 3)`). What is the condition number, and what happens to the numbers of steps?
# 2. Replace the square of the error by its $\ln\cosh$; the loss is no longer quadratic. Does Newton's method still converge from afar?
#
# ## The assertions {#finding}
#
# The finding of this lab, as code:

# %%
assert abs(descent_measured - descent_rate) < 1e-3
assert 0 < ball_measured - ball_rate < 0.02
assert newton_error < 1e-12
for beta, found in measured.items():
    theory = np.array([predicted(float(eta), beta) for eta in etas])
    assert np.abs(found - theory).max() < 0.02
    assert np.array_equal(found > 1, etas * largest > 2 * (1 + beta))
