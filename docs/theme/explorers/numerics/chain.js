/* Random networks layer by layer, without their matrices: a port of mean_field_fluctuations.py. */

import { activationMoments, fourthMoment } from "./moments.js";

/** A generator of standard normal numbers that a seed fixes (mulberry32, then the polar method). */
export function normals(seed) {
  let state = seed | 0;
  let spare = null;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    for (;;) {
      const [x, y] = [2 * uniform() - 1, 2 * uniform() - 1];
      const square = x * x + y * y;
      if (square > 0 && square < 1) {
        const scale = Math.sqrt((-2 * Math.log(square)) / square);
        spare = y * scale;
        return x * scale;
      }
    }
  };
}

function square(list) {
  let total = 0;
  for (let i = 0; i < list.length; i++) total += list[i] * list[i];
  return total;
}

function draw(normal, width) {
  const found = new Float64Array(width);
  for (let i = 0; i < width; i++) found[i] = normal();
  return found;
}

/** s_l and d_l of one network: the variance of z given the layer below, and the mean square of the
    gradient in z, that of the last layer being normal. Given z = W h + b, the matrix is normal in all
    directions but that of h, so that the backward pass is exact too. */
export function scaleChain([phi, dphi], weight, bias, width, depth, start, normal) {
  const [scales, products, inputs, outputs] = [[], [], [], []];
  let s = start;
  for (let layer = 0; layer < depth; layer++) {
    const scale = Math.sqrt(Math.max(0, s - bias));
    const product = draw(normal, width);
    const [z, out] = [new Float64Array(width), new Float64Array(width)];
    for (let i = 0; i < width; i++) {
      product[i] *= scale;
      z[i] = bias === 0 ? product[i] : product[i] + Math.sqrt(bias) * normal();
      out[i] = phi(z[i]);
    }
    scales.push(s);
    products.push(product);
    inputs.push(z);
    outputs.push(out);
    s = (weight * square(out)) / width + bias;
  }
  let delta = draw(normal, width);
  const gradients = [square(delta) / width];
  for (let layer = depth - 1; layer > 0; layer--) {
    const [unit, product, free] = [outputs[layer - 1], products[layer], draw(normal, width)];
    const length = Math.sqrt(square(unit)) || 1; // all units are off: h is 0
    const size = Math.sqrt((weight / width) * square(delta));
    let [along, inside] = [0, 0];
    for (let i = 0; i < width; i++) {
      unit[i] /= length;
      free[i] *= size;
      inside += free[i] * unit[i];
      along += (product[i] * delta[i]) / length;
    }
    for (let i = 0; i < width; i++) delta[i] = dphi(inputs[layer - 1][i]) * (free[i] + unit[i] * (along - inside));
    gradients.unshift(square(delta) / width);
  }
  return [scales, gradients];
}

/** What one layer of this width adds to Var(ln s), and the factor of what was there before. */
export function layerSpread(phi, weight, bias, width, q) {
  const [share, , response] = activationMoments(phi, q);
  const fourth = fourthMoment(phi, q);
  const after = weight * share + bias;
  const noise = (weight ** 2 * (fourth - share ** 2)) / (width * after ** 2);
  return [noise, ((weight * response * q) / after) ** 2];
}

/** The standard deviation of ln s in every layer of a path of second moments. */
export function spreads(phi, weight, bias, width, path) {
  const found = [0];
  for (const q of path.slice(0, -1)) {
    const [noise, kept] = layerSpread(phi, weight, bias, width, q);
    found.push(Math.sqrt(kept * found.at(-1) ** 2 + noise));
  }
  return found;
}

/** d_l over d of the last layer in the limit of wide networks. */
export function gradientPath(phi, weight, path) {
  const found = [1];
  for (let layer = path.length - 2; layer >= 0; layer--) {
    found.unshift(found[0] * weight * activationMoments(phi, path[layer])[1]);
  }
  return found;
}
