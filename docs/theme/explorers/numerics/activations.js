/* The activation functions of mean_field_gains.py under its names, each with its derivative. */

const SELU_SCALE = 1.0507009873554804934193349852946;
const SELU_ALPHA = 1.6732632423543772848170429916717;
const LINEAR_FROM = 20; // where PyTorch's softplus is the identity

let [asked, answered] = [0, 0]; // an activation and its derivative ask for the same

/** The error function; for small x a series without cancellation, else a continued fraction. */
export function erf(x) {
  if (x !== asked) [asked, answered] = [x, errorFunction(x)];
  return answered;
}

function errorFunction(x) {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  const square = size * size;
  const density = (2 / Math.sqrt(Math.PI)) * Math.exp(-square);
  let value;
  if (size < 3) {
    let term = size;
    value = size;
    for (let n = 1; term > 1e-17 * value; n++) value += term *= (2 * square) / (2 * n + 1);
    value *= density;
  } else {
    let fraction = size;
    for (let n = 60; n > 0; n--) fraction = size + n / 2 / fraction;
    value = 1 - density / 2 / fraction;
  }
  return x < 0 ? -value : value;
}

const below = (z) => (1 + erf(z / Math.SQRT2)) / 2;
const density = (z) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const softplus = (z) => (z > LINEAR_FROM ? z : Math.log1p(Math.exp(z)));
const flat = (z) => 1 - Math.tanh(z) ** 2;
const leaky = (slope) => [(z) => (z > 0 ? z : slope * z), (z) => (z > 0 ? 1 : slope)];

/** Name to [phi, its derivative, and phi(x + y) from phi(x) and phi(y) where a theorem gives it]. */
export const ACTIVATIONS = {
  linear: [(z) => z, () => 1],
  relu: leaky(0),
  leaky_relu: leaky(0.01),
  "leaky_relu 0.2": leaky(0.2),
  tanh: [Math.tanh, flat, (a, b) => (a + b) / (1 + a * b)],
  "scaled tanh": [(z) => 1.7159 * Math.tanh((2 / 3) * z), (z) => ((1.7159 * 2) / 3) * flat((2 / 3) * z)],
  softsign: [(z) => z / (1 + Math.abs(z)), (z) => (1 + Math.abs(z)) ** -2],
  erf: [erf, (z) => (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z)],
  hardtanh: [(z) => Math.max(-1, Math.min(1, z)), (z) => (Math.abs(z) < 1 ? 1 : 0)],
  sigmoid: [sigmoid, (z) => sigmoid(z) * sigmoid(-z)],
  softplus: [softplus, (z) => (z > LINEAR_FROM ? 1 : sigmoid(z))],
  selu: [
    (z) => SELU_SCALE * (z > 0 ? z : SELU_ALPHA * Math.expm1(z)),
    (z) => SELU_SCALE * (z > 0 ? 1 : SELU_ALPHA * Math.exp(z)),
  ],
  elu: [(z) => (z > 0 ? z : Math.expm1(z)), (z) => (z > 0 ? 1 : Math.exp(z))],
  gelu: [(z) => z * below(z), (z) => below(z) + z * density(z)],
  silu: [(z) => z * sigmoid(z), (z) => sigmoid(z) * (1 + z * sigmoid(-z))],
  mish: [
    (z) => z * Math.tanh(softplus(z)),
    (z) => Math.tanh(softplus(z)) + z * flat(softplus(z)) * sigmoid(z),
  ],
  hardswish: [
    (z) => (z * Math.max(0, Math.min(6, z + 3))) / 6,
    (z) => (z < -3 ? 0 : z < 3 ? z / 3 + 0.5 : 1),
  ],
  "relu squared": [(z) => Math.max(0, z) ** 2, (z) => 2 * Math.max(0, z)],
};

/** What the choices of the controls are called here. */
export const NAMES = {
  ReLU: "relu",
  "Leaky ReLU 0.2": "leaky_relu 0.2",
  linear: "linear",
  tanh: "tanh",
  erf: "erf",
  softsign: "softsign",
  logistic: "sigmoid",
  SELU: "selu",
  GELU: "gelu",
  SiLU: "silu",
};
