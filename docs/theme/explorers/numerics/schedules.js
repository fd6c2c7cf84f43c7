/* Schedules, and what they leave of the noise: ports of learning_rate.py and learning_rate_noise.py. */

export function stepDecay(step, period, factor = 0.1) {
  return factor ** Math.floor(step / period);
}

/** From 1 at step 0 to the floor at step total, on half a cosine. */
export function cosine(step, total, floor = 0) {
  return floor + ((1 - floor) * (1 + Math.cos((Math.PI * step) / total))) / 2;
}

/** Warm-up, a plateau, then a decay to the floor: by a cosine, a line, steps, or none at all. */
export function factor(kind, step, total, warmup, plateau, floor) {
  if (step < warmup) return (step + 1) / warmup;
  const [at, left] = [step - warmup - plateau, total - warmup - plateau];
  if (at <= 0 || kind === "none") return 1;
  if (kind === "line") return 1 - ((1 - floor) * at) / left;
  if (kind === "steps") return Math.max(floor, stepDecay(at, Math.ceil(left / 3), 0.3));
  return cosine(at, left, floor);
}

/** The stationary E[e^2] of SGD with a fixed rate. */
export function noiseFloor(rate, eigenvalue, noise) {
  return (rate * noise) / (eigenvalue * (2 - rate * eigenvalue));
}

/** E[e^2] before each step, curvature and noise 1: V <- (1 - rate)^2 V + rate^2. */
export function predictedError(rates, start = 3) {
  let moment = start ** 2;
  return rates.map((rate) => {
    const before = moment;
    moment = (1 - rate) ** 2 * moment + rate ** 2;
    return before;
  });
}

/** E of the square of the mean of e over the steps from `skip` on, before each step: 0 before that.
    The expectation of averaged_error, from the moments of e and of its sum. */
export function averagedError(rates, skip, start = 3) {
  let [moment, mixed, square] = [start ** 2, 0, 0]; // of e^2, of sum e, of sum^2
  return rates.map((rate, step) => {
    if (step >= skip) {
      square += 2 * mixed + moment;
      mixed += moment;
    }
    const mean = step < skip ? NaN : square / (step - skip + 1) ** 2;
    moment = (1 - rate) ** 2 * moment + rate ** 2;
    mixed *= 1 - rate;
    return mean;
  });
}
