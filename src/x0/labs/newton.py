# %% [markdown] lang="zh"
# # 从梯度下降到牛顿法 {#newton}
#
# 一个线性回归，用三种方法求解。走得久了，误差每步乘以多少，动手之前就能算出来。
#
# ## 问题 {#question}
#
# 用三次多项式拟合 200 个点，损失是均方误差。梯度下降、重球法（带动量的梯度下降）、牛顿法（Newton）各要走多少步，才能把误差缩小到百万分之一？

# %% [markdown] lang="en"
# # From gradient descent to Newton {#newton}
#
# One linear regression is solved in three ways. The factor by which a step shrinks the error in the long run can be computed before the first step.
#
# ## Question {#question}
#
# A cubic polynomial is fitted to 200 points, and the loss is the mean squared error. How many steps do gradient descent, heavy ball (gradient descent with momentum) and Newton's method need to shrink the error to a millionth?

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
# 损失是 $\theta$ 的二次函数，它的海森矩阵 $H$ 是常数。$H$ 的特征值从 $\mu$ 到 $\lambda$，条件数 $\kappa$ 是 $\lambda$ 与 $\mu$ 之比，这里是 {val:newton.kappa:.1f}。记 $c_t$ 为误差沿 $H$ 的一个特征方向的分量；各个方向互不影响。
#
# **梯度下降**每走一步，误差乘以同一个数。下式写的是 $\lambda$ 的方向；别的方向换成自己的特征值：
#
# {eq:newton-descent}
#
# 谱的两端一样慢时，整体的因子达到极小。这时 $\eta$ 是 $2/(\mu + \lambda)$，每步的因子是
#
# {eq:newton-descent-rate}
#
# **重球法**每步再添上前一步位移的 $\beta$ 倍，误差服从二阶递推：
#
# {eq:newton-ball}
#
# 特征多项式的两个根共轭时，它们的模都是 $\sqrt{\beta}$。让谱的两端刚好处在共轭根与实根的分界上，$\beta$ 就最小 {eq:optimization-momentum}：
#
# {eq:newton-ball-rate}
#
# 条件数换成了它的平方根。**牛顿法**用 $H$ 的逆代替 $\eta$，一步就到。下式里 $G$ 是梯度，$\theta_{\star}$ 是解：
#
# {eq:newton-step}

# %% [markdown] lang="en"
# ## Prediction {#prediction}
#
# The loss is quadratic in $\theta$, so its Hessian matrix $H$ is constant. Its eigenvalues range from $\mu$ to $\lambda$. The condition number $\kappa$ is the ratio of $\lambda$ to $\mu$, which is {val:newton.kappa:.1f} here. Let $c_t$ be the component of the error along one eigenvector of $H$. The components do not influence each other.
#
# **Gradient descent** multiplies the error by the same number at each step. The formula is for the direction of $\lambda$, and other directions have their own eigenvalue in its place:
#
# {eq:newton-descent}
#
# The smallest factor is reached when both ends of the spectrum are equally slow. Then $\eta$ is $2/(\mu + \lambda)$, and the factor per step is
#
# {eq:newton-descent-rate}
#
# **Heavy ball** adds $\beta$ times the previous move, and the error obeys a second-order recursion:
#
# {eq:newton-ball}
#
# As long as the roots of the characteristic polynomial are complex conjugates, both have the modulus $\sqrt{\beta}$. The smallest $\beta$ puts both ends of the spectrum on the border between complex and real roots {eq:optimization-momentum}:
#
# {eq:newton-ball-rate}
#
# The square root of the condition number has taken its place. **Newton's method** uses the inverse of $H$ instead of $\eta$ and arrives in one step. In the formula, $G$ is the gradient and $\theta_{\star}$ is the solution:
#
# {eq:newton-step}

# %%
descent_eta = 2 / (smallest + largest)
descent_rate = (kappa - 1) / (kappa + 1)
ball_rate = (kappa**0.5 - 1) / (kappa**0.5 + 1)
ball_beta = ball_rate**2
ball_eta = 4 / (largest**0.5 + smallest**0.5) ** 2

for name, rate in (("descent", descent_rate), ("ball", ball_rate)):
    steps = np.ceil(np.log(1e-6) / np.log(rate))
    print(f"{name:8} factor {rate:.4f}  steps to 1e-6 {steps:4.0f}")

# %% [markdown] lang="zh"
# ## 测量 {#measurement}
#
# 三种方法从同一个起点出发，每一步都记下到解的距离。先猜一猜：哪种方法走的步数会比按因子算的多？

# %% [markdown] lang="en"
# ## Measurement {#measurement}
#
# The three methods start at the same point, and the distance to the solution is recorded at each step. Make a guess first: which method will take more steps than its factor suggests?


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
ball_promised = int(np.ceil(np.log(1e-6) / np.log(ball_rate)))

print(f"descent  {descent_measured:.4f}  steps {descent_steps}")
print(f"ball     {ball_measured:.4f}  steps {ball_steps}")
print(f"newton   error after one step below 1e-12: {newton_error < 1e-12}")

# %%
fig, ax = plt.subplots(figsize=(5.2, 3.2))
fig.set_layout_engine("constrained", rect=(0, 0, 0.99, 1))
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
ax.semilogy([0, 1], [descent[0], rounding], "^-", color="C4", label="Newton")
ax.set(xlabel="step", ylabel="distance to the solution", ylim=(1e-15, 10))
ax.legend()
plt.show()

# %% [markdown] lang="zh"
# {fig:newton-errors} 到解的距离，纵轴是对数。虚线的斜率是预测，点是实测。牛顿法走一步，就只剩舍入误差。
#
# 梯度下降的预测是 {val:newton.descent_rate:.4f}，实测是 {val:newton.descent_measured:.4f}。重球法的预测是 {val:newton.ball_rate:.4f}，实测是 {val:newton.ball_measured:.4f}，略慢一些。$\beta$ 最优时，谱的两端各有一个二重根，误差还要乘以一个随步数线性增长的因子 {eq:optimization-double}。按因子算要 {val:newton.ball_promised:.0f} 步，实际走了 {val:newton.ball_steps:.0f} 步。
#
# ### 学习率取错了会怎样 {#sweep}
#
# 学习率 $\eta$ 决定因子：最慢的特征方向的因子，就是整个方法的因子 {fig:newton-sweep}。因子到了 1，就不再收敛。梯度下降的界限是 $2/\lambda$，有了动量，界限放宽到 $1 + \beta$ 倍 {fig:newton-sweep}。

# %% [markdown] lang="en"
# {fig:newton-errors} The distance to the solution on a logarithmic axis. The slope of the dashed lines is predicted, and the points are measured. After one step of Newton's method, what is left is rounding error.
#
# For gradient descent, the factor {val:newton.descent_rate:.4f} was predicted and {val:newton.descent_measured:.4f} was measured. For heavy ball, {val:newton.ball_rate:.4f} was predicted and {val:newton.ball_measured:.4f} was measured, which is slightly slower. With the best $\beta$, each end of the spectrum has a double root, and the error carries a factor that grows linearly with the number of steps {eq:optimization-double}. By its rate alone, heavy ball would take {val:newton.ball_promised:.0f} steps. It actually takes {val:newton.ball_steps:.0f}.
#
# ### A wrong learning rate {#sweep}
#
# The learning rate $\eta$ determines the factor, which is that of the slowest eigenvector {fig:newton-sweep}. When the factor reaches 1, convergence ends. For gradient descent this happens at $2/\lambda$, and momentum moves the limit to $1 + \beta$ times as much {fig:newton-sweep}.


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
# {fig:newton-sweep} 每步的因子随学习率的变化，横轴是 $\eta\lambda$。虚线由特征值算出，点由轨迹量出。没有动量时，横轴过了 2 就发散；$\beta$ 是 ½ 时，过了 3 才发散。
#
# ## 学到了什么 {#learned}
#
# - 在二次函数上，长远的因子由特征值与所取的学习率、动量决定，可以预先算出 {fig:newton-sweep}。步数还与起点有关：实测梯度下降 {val:newton.descent_steps:.0f} 步，重球法 {val:newton.ball_steps:.0f} 步，牛顿法 1 步。
# - 有了动量，因子里的条件数换成它的平方根 {eq:newton-ball-rate}。牛顿法与条件数无关 {eq:newton-step}，代价是要解一个线性方程组。
# - 学习率的上限由最大的特征值决定，收敛的快慢由它与最小特征值之比决定 {eq:newton-descent-rate}。
#
# ## 再试两件事 {#try}
#
# 1. 把特征换成勒让德多项式（Legendre，`np.polynomial.legendre.legvander(x, 3)`），条件数是多少？三种方法的步数怎样变化？
# 2. 把均方误差换成 $\ln\cosh$ 误差，它不再是二次的。牛顿法从远处出发还收敛吗？
#
# ## 答案 {#answers}
#
# 先自己试一试，再往下看。

# %% [markdown] lang="en"
# {fig:newton-sweep} The factor per step against the learning rate. Horizontal axis: $\eta\lambda$. The dashed lines are computed from the eigenvalues, and the points are measured on the trajectories. Without momentum, the iteration diverges beyond 2. With $\beta = 0.5$ it diverges beyond 3.
#
# ## What was learned {#learned}
#
# - On a quadratic function, the factor in the long run follows from the eigenvalues, the learning rate and the momentum, and can be computed beforehand {fig:newton-sweep}. The number of steps also depends on the start. Gradient descent took {val:newton.descent_steps:.0f} steps, heavy ball {val:newton.ball_steps:.0f}, and Newton's method 1.
# - Momentum replaces the condition number in the factor by its square root {eq:newton-ball-rate}. Newton's method does not depend on the condition number {eq:newton-step}, at the price of solving a linear system.
# - The largest eigenvalue limits the learning rate, and its ratio to the smallest one sets the speed of convergence {eq:newton-descent-rate}.
#
# ## Two things to try {#try}
#
# 1. Take Legendre polynomials as features (`np.polynomial.legendre.legvander(x, 3)`). What is the condition number, and what happens to the numbers of steps?
# 2. Replace the squared error by the $\ln\cosh$ of the error, which makes the loss non-quadratic. Does Newton's method still converge from afar?
#
# ## Answers {#answers}
#
# Try it yourself before you read on.

# %%
legendre = np.polynomial.legendre.legvander(x, 3)
values = np.linalg.eigvalsh(2 / len(y) * legendre.T @ legendre)
legendre_kappa = float(values[-1] / values[0])
ratios = (legendre_kappa, legendre_kappa**0.5)
legendre_steps = [
    int(np.ceil(np.log(1e-6) / np.log((k - 1) / (k + 1)))) for k in ratios
]
print(f"Legendre: kappa {legendre_kappa:.1f}, steps {legendre_steps}")


def lncosh_newton(start: float, steps: int = 12) -> float:
    """Return the gradient after Newton steps on the mean ln cosh; or inf.

    It starts from the constant polynomial ``start``.
    """
    theta = np.array([start, 0.0, 0.0, 0.0])
    for _ in range(steps):
        rest = features @ theta - y
        if np.abs(rest).max() > 300:
            return float("inf")
        bend = 1 / np.cosh(rest) ** 2
        matrix = features.T @ (bend[:, None] * features) / len(y)
        slope = features.T @ np.tanh(rest) / len(y)
        theta = theta - np.linalg.solve(matrix, slope)
    rest = features @ theta - y
    return float(np.abs(features.T @ np.tanh(rest)).max() / len(y))


from_one, from_zero = lncosh_newton(1.0), lncosh_newton(0.0)
print(f"ln cosh: from 1 below 1e-12: {from_one < 1e-12}, from 0: {from_zero}")

# %% [markdown] lang="zh"
# 1. 勒让德多项式在 $[-1, 1]$ 上两两正交，海森矩阵近乎对角，条件数从 {val:newton.kappa:.1f} 降到 {val:newton.legendre_kappa:.1f}。按因子算，梯度下降要 {val:newton.legendre_steps[0]:.0f} 步，重球法要 {val:newton.legendre_steps[1]:.0f} 步；牛顿法还是一步。
# 2. 要看起点。从常数 1 出发收敛；从零出发，也就是本实验的起点，几步之后就飞走了。残差大的地方，$\ln\cosh$ 几乎没有曲率，一步就太长，见[牛顿法会发散](../taylor/optimization.md#divergence)。
#
# ## 断言 {#finding}
#
# 本实验的结论，写成代码：

# %% [markdown] lang="en"
# 1. Legendre polynomials are orthogonal on $[-1, 1]$, so the Hessian matrix is nearly diagonal, and the condition number falls from {val:newton.kappa:.1f} to {val:newton.legendre_kappa:.1f}. Judged by the factor, gradient descent takes {val:newton.legendre_steps[0]:.0f} steps and heavy ball {val:newton.legendre_steps[1]:.0f}. Newton's method still takes one.
# 2. This depends on the start. From the constant 1 it converges. From zero, which is the start used in this lab, it flies away within a few steps. Where the residuals are large, $\ln\cosh$ has almost no curvature, and the steps become too long, see [Newton's method can diverge](../taylor/optimization.md#divergence).
#
# ## Assertions {#finding}
#
# The finding of this lab as code:

# %%
assert abs(descent_measured - descent_rate) < 1e-3
assert 0 < ball_measured - ball_rate < 0.02
assert ball_steps > 1.1 * ball_promised  # the factor in front costs steps
assert newton_error < 1e-12
for beta, found in measured.items():
    theory = np.array([predicted(float(eta), beta) for eta in etas])
    assert np.abs(found - theory).max() < 0.02
    assert np.array_equal(found > 1, etas * largest > 2 * (1 + beta))
assert legendre_kappa < kappa / 5  # orthogonal features help,
assert from_one < 1e-12  # and Newton on ln cosh depends on the start
assert from_zero == float("inf")
