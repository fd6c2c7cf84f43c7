/* Descent on a quadratic: ports of momentum.py, momentum_stability.py and momentum_race.py. */

/** Parameters and buffer after one step, as torch.optim.SGD makes it; no buffer in the first step. */
export function momentumStep(theta, gradient, buffer, rate, beta, dampening = 0, nesterov = false) {
  const kept = buffer === null
    ? gradient.slice()
    : buffer.map((m, i) => beta * m + (1 - dampening) * gradient[i]);
  const direction = nesterov ? gradient.map((g, i) => g + beta * kept[i]) : kept;
  return [theta.map((x, i) => x - rate * direction[i]), kept];
}

/** The largest absolute root of r^2 - trace r + determinant. */
function spectralRadius(trace, determinant) {
  const inside = trace * trace - 4 * determinant;
  if (inside < 0) return Math.sqrt(determinant);
  return (Math.abs(trace) + Math.sqrt(inside)) / 2;
}

/** The factor per step of one mode under heavy ball; step is eta lambda. */
export function heavyBallRadius(step, beta) {
  return spectralRadius(1 + beta - step, beta);
}

/** The factor per step of one mode under Nesterov's method. */
export function nesterovRadius(step, beta) {
  return spectralRadius((1 + beta) * (1 - step), beta * (1 - step));
}

/** Learning rate and momentum that are best for heavy ball between two eigenvalues. */
export function bestHeavyBall(smallest, largest) {
  const [low, high] = [Math.sqrt(smallest), Math.sqrt(largest)];
  return [4 / (low + high) ** 2, ((high - low) / (high + low)) ** 2];
}

/** Learning rate and momentum that are best for Nesterov's method on a quadratic. */
export function bestNesterov(smallest, largest) {
  const root = Math.sqrt((3 * largest) / smallest + 1);
  return [4 / (3 * largest + smallest), (root - 2) / (root + 2)];
}

/** The path of a method on a quadratic with these eigenvalues, in the basis of its eigenvectors. */
export function descentPath(curvature, start, rate, beta, nesterov, steps) {
  let [theta, buffer] = [start, null];
  const path = [theta];
  for (let step = 0; step < steps; step++) {
    const gradient = theta.map((x, i) => curvature[i] * x);
    [theta, buffer] = momentumStep(theta, gradient, buffer, rate, beta, 0, nesterov);
    path.push(theta);
  }
  return path;
}
