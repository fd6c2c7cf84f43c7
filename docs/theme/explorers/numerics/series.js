/* Taylor series at any point: ports of univariate.py, univariate_polynomials.py and univariate_divergence.py. */

const cycle = (values, n) => values[n % values.length];

/** Coefficients of the powers of 1 / (i - center), which 1 / (1 + x^2) is made of. */
function rationalCoefficients(center, order) {
  // 1 / (1 + x^2) is the imaginary part of 1 / (x - i): multiply by 1 / (i - center) from one to the next.
  const size = 1 + center * center;
  const [re, im] = [-center / size, -1 / size];
  let [a, b] = [center / size, 1 / size];
  const found = [];
  for (let n = 0; n <= order; n++) {
    found.push(b);
    [a, b] = [a * re - b * im, a * im + b * re];
  }
  return found;
}

/** From y' = 1 - y^2, power by power: tanh_coefficients at any center. */
function tanhCoefficients(center, order) {
  const c = [Math.tanh(center)];
  for (let n = 0; n < order; n++) {
    let product = 0;
    for (let k = 0; k <= n; k++) product += c[k] * c[n - k];
    c.push(((n === 0 ? 1 : 0) - product) / (n + 1));
  }
  return c;
}

/** From term to term of a power (1 + x)^power. */
function powerCoefficients(center, order, power) {
  const c = [(1 + center) ** power];
  for (let n = 0; n < order; n++) c.push((c[n] * (power - n)) / ((n + 1) * (1 + center)));
  return c;
}

function factorial(n) {
  return n < 2 ? 1 : n * factorial(n - 1);
}

/** By name: the function, its coefficients at a center, its singularities [re, im], and where it ends. */
export const FUNCTIONS = {
  "sin x": {
    value: Math.sin,
    coefficients: (center, order) => {
      const round = [Math.sin(center), Math.cos(center), -Math.sin(center), -Math.cos(center)];
      return Array.from({ length: order + 1 }, (_, n) => cycle(round, n) / factorial(n));
    },
    singular: [],
  },
  "exp x": {
    value: Math.exp,
    coefficients: (center, order) =>
      Array.from({ length: order + 1 }, (_, n) => Math.exp(center) / factorial(n)),
    singular: [],
  },
  "ln(1 + x)": {
    value: (x) => (x > -1 ? Math.log1p(x) : NaN),
    coefficients: (center, order) =>
      Array.from({ length: order + 1 }, (_, n) =>
        n === 0 ? Math.log1p(center) : cycle([-1, 1], n) / (n * (1 + center) ** n)),
    singular: [[-1, 0]],
  },
  "1 / (1 + x²)": {
    value: (x) => 1 / (1 + x * x),
    coefficients: rationalCoefficients,
    singular: [[0, 1], [0, -1]],
  },
  "tanh x": {
    value: Math.tanh,
    coefficients: tanhCoefficients,
    singular: [[0, Math.PI / 2], [0, -Math.PI / 2]],
  },
  "√(1 + x)": {
    value: (x) => Math.sqrt(1 + x),
    coefficients: (center, order) => powerCoefficients(center, order, 0.5),
    singular: [[-1, 0]],
  },
};

/** Evaluate a polynomial by Horner's rule: taylor_polynomial. */
export function polynomial(coefficients, step) {
  return coefficients.reduceRight((value, coefficient) => value * step + coefficient, 0);
}

/** The distance from the center to the nearest singularity. */
export function radius(name, center) {
  const distances = FUNCTIONS[name].singular.map(([re, im]) => Math.hypot(re - center, im));
  return Math.min(Infinity, ...distances);
}

/** M / (k+1)! |step|^(k+1): remainder_bound, but for the rounding. */
export function remainderBound(derivativeBound, order, step) {
  return (derivativeBound / factorial(order + 1)) * Math.abs(step) ** (order + 1);
}

const SAMPLES = 4;

/** Lagrange bounds at steps of one sign, which go away from the center: on the way there the largest
    derivative of order k + 1 grows, so that each step looks only at the stretch that is new. */
export function lagrangeBounds(name, center, order, steps) {
  const { coefficients, value } = FUNCTIONS[name];
  const scale = factorial(order + 1);
  const derivative = (x) => Math.abs(coefficients(x, order + 1)[order + 1]) * scale;
  let largest = derivative(center);
  let before = 0;
  return steps.map((step) => {
    if (!Number.isFinite(value(center + step))) return NaN;
    for (let i = 1; i <= SAMPLES; i++) {
      const here = derivative(center + before + ((step - before) * i) / SAMPLES);
      largest = Math.max(largest, here);
    }
    before = step;
    return remainderBound(largest, order, step);
  });
}
