/* Moments of an activation and the map of a layer's second moment: a port of mean_field.py. */

const EDGES = [0, 0.125, 0.5, 1, 2, 3, 4.5, 6, 8, 10, 12];
const ORDER = 20;

/** Nodes and weights of Gauss-Legendre quadrature on [-1, 1]. */
function legendreRule(order) {
  const nodes = [];
  const weights = [];
  for (let i = 0; i < order; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (order + 0.5));
    let slope = 1;
    for (let round = 0; round < 8; round++) {
      let [before, value] = [1, x];
      for (let n = 2; n <= order; n++) {
        [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
      }
      slope = (order * (x * value - before)) / (x * x - 1);
      x -= value / slope;
    }
    nodes.push(x);
    weights.push(2 / ((1 - x * x) * slope * slope));
  }
  return [nodes, weights];
}

const OTHER = { order: 12, edges: [...EDGES, 16] }; // the rule that judges: other nodes, and farther out
const DOUBT = 0.01;

const rules = new Map(); // by order

/** Nodes z and weights w: the sum of w f(z) is E[f(Z)], Z normal. The panels end at 0. */
export function gaussianRule({ order, edges } = { order: ORDER, edges: EDGES }) {
  if (rules.has(order)) return rules.get(order);
  const [x, w] = legendreRule(order);
  const nodes = [];
  const weights = [];
  for (let panel = 1; panel < edges.length; panel++) {
    const half = (edges[panel] - edges[panel - 1]) / 2;
    for (let i = 0; i < order; i++) {
      const z = edges[panel - 1] + half * (1 + x[i]);
      nodes.push(z);
      weights.push((half * w[i] * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI));
    }
  }
  const turned = (list, sign) => list.map((value) => sign * value).reverse();
  rules.set(order, [[...turned(nodes, -1), ...nodes], [...turned(weights, 1), ...weights]]);
  return rules.get(order);
}

const known = new WeakMap(); // of an activation: from q to its moments, which several curves ask for

/** E[phi(z)^2], E[phi'(z)^2] and d/dq E[phi(z)^2] for z of variance q; phi is [phi, phi']. */
export function activationMoments(functions, q) {
  return remembered(functions, q).moments;
}

/** E[phi(z)^4]. */
export function fourthMoment(functions, q) {
  return remembered(functions, q).fourth;
}

function remembered(functions, q) {
  const found = known.get(functions) ?? new Map();
  if (found.size > 1000) found.clear();
  known.set(functions, found);
  if (!found.has(q)) found.set(q, integrated(functions, q));
  return found.get(q);
}

/** Which of the three moments another rule gives as well, to 1 %; the last may be small beside the first over q. */
export function trustedMoments(functions, q) {
  const here = remembered(functions, q);
  const [share, slope, response] = here.moments;
  const size = [share, slope, Math.max(Math.abs(response), share / q)];
  here.other ??= integrated(functions, q, OTHER).moments;
  return here.moments.map((value, i) => Math.abs(value - here.other[i]) <= DOUBT * size[i]);
}

function integrated([phi, dphi], q, rule) {
  const [nodes, weights] = gaussianRule(rule);
  const std = Math.sqrt(q);
  let [share, slope, response, fourth] = [0, 0, 0, 0];
  for (let i = 0; i < nodes.length; i++) {
    const h = phi(std * nodes[i]);
    const dh = dphi(std * nodes[i]);
    share += weights[i] * h * h;
    slope += weights[i] * dh * dh;
    response += (weights[i] * h * dh * nodes[i]) / std;
    fourth += weights[i] * h ** 4;
  }
  return { moments: [share, slope, response], fourth };
}

/** q_1, ..., q_layers for sigma_w^2 = weight and sigma_b^2 = bias. */
export function iterateMap(phi, weight, bias, q, layers) {
  const path = [q];
  while (path.length < layers) path.push(weight * activationMoments(phi, path.at(-1))[0] + bias);
  return path;
}

/** Where the path from q ends after ever more layers: 0, Infinity, or the first fixed point on its way.
    A layer's second moment grows with that of the layer below, so that the path passes no fixed point. */
export function limitMoment(phi, weight, bias, q) {
  const change = (at) => weight * activationMoments(phi, at)[0] + bias - at;
  const start = change(q);
  if (Math.abs(start) < 1e-9 * q) return q;
  const goesOn = (at) => Math.sign(change(at)) === Math.sign(start);
  let [near, far] = [q, q];
  while (goesOn(far)) {
    [near, far] = [far, far * (start > 0 ? 1.25 : 0.8)];
    if (far < 1e-6 * q) return 0;
    if (far > 1e6 * q) return Infinity;
  }
  for (let round = 0; round < 24; round++) {
    const middle = Math.sqrt(near * far);
    if (goesOn(middle)) near = middle;
    else far = middle;
  }
  return near;
}

/** V(q), chi_par, chi_1 and the depth scale at q. */
export function diagnosePoint(phi, weight, bias, q) {
  const [share, slope, response] = activationMoments(phi, q);
  const log = Math.abs(Math.log(weight * slope));
  return {
    map: weight * share + bias,
    chi_par: weight * response,
    chi_1: weight * slope,
    depth_scale: log > 1e-9 ? 1 / log : Infinity,
  };
}
