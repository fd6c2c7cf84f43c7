/* The plane of (sigma_w^2, sigma_b^2): ports of mean_field_edge.py and mean_field_correlation.py. */

import { activationMoments } from "./moments.js";

/** (sigma_w^2, sigma_b^2) for which q is fixed and chi_1 is 1. */
export function criticalLine(phi, q) {
  const [share, slope] = activationMoments(phi, q);
  return [1 / slope, q - share / slope];
}

/** The settled q and chi_1 of a network, from q = 1: settle_grid for one point. */
export function settle(phi, weight, bias, layers = 400) {
  let q = 1;
  for (let layer = 0; layer < layers; layer++) {
    const after = weight * activationMoments(phi, q)[0] + bias;
    if (Math.abs(after - q) < 1e-10) break;
    q = after;
  }
  return [q, weight * activationMoments(phi, q)[1]];
}

/** The correlation after a ReLU layer without biases. */
export function reluMap(c) {
  const inside = Math.max(-1, Math.min(1, c));
  return (Math.sqrt(1 - inside ** 2) + inside * (Math.PI - Math.acos(inside))) / Math.PI;
}

const POINTS = 97;
const REACH = 7.5 ** 2;
const GRID = Array.from({ length: POINTS }, (_, i) => -8 + i / 6);
const TOTAL = GRID.reduce((sum, t) => sum + Math.exp((-t * t) / 2), 0);
const DENSITY = GRID.map((t) => Math.exp((-t * t) / 2) / TOTAL);

/** The correlation after a layer of a smooth activation, both inputs at the fixed point q. */
export function smoothMap([phi, , ofSum], weight, bias, q, c) {
  const std = Math.sqrt(q);
  const rest = Math.sqrt(1 - c * c);
  const odd = phi(-1) === -phi(1); // then half of the plane is enough, and at 0 there is nothing
  let at = (i, k) => phi(std * (c * GRID[i] + rest * GRID[k]));
  if (ofSum && std < 2.3) { // then no value of tanh rounds to 1, and 1 + a b is never 0
    const [own, other] = [c, rest].map((factor) => GRID.map((t) => phi(std * factor * t)));
    at = (i, k) => ofSum(own[i], other[k]);
  }
  let total = 0;
  for (let i = 0; i < (odd ? (POINTS - 1) / 2 : POINTS); i++) {
    let second = 0;
    const last = Math.floor(6 * Math.sqrt(Math.max(0, REACH - GRID[i] ** 2))); // beyond, the density is nothing
    for (let k = Math.max(0, 48 - last); k <= Math.min(96, 48 + last); k++) second += DENSITY[k] * at(i, k);
    total += DENSITY[i] * phi(std * GRID[i]) * second;
  }
  return ((odd ? 2 : 1) * weight * total + bias) / q;
}

/** c_1, ..., c_layers under a map. */
export function correlations(step, layers, c = 0) {
  const path = [c];
  while (path.length < layers) path.push(Math.max(-1, Math.min(1, step(path.at(-1)))));
  return path;
}

/** The correlation after a layer, at the fixed point q: for ReLU in closed form. */
export function correlationMap(name, phi, weight, bias, q) {
  if (name === "relu") return (c) => ((weight * q * reluMap(c)) / 2 + bias) / q;
  return (c) => smoothMap(phi, weight, bias, q, c);
}
