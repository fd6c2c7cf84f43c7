/* The learning rate by step, and the error that it leaves on a quadratic with noise. */

import { averagedError, factor, noiseFloor, predictedError } from "./numerics/schedules.js";
import { explorer, legend, panel, path, scaleLinear, scaleLog, written } from "./shared.js";

const [RATE, ERROR, MEAN] = ["var(--x1)", "var(--x2)", "var(--x3)"];
const STEPS = 3000;
const KINDS = { cosine: "cosine", "straight line": "line", "three steps": "steps", "none (constant)": "none" };

const CAPTION =
  "As set by the controls. Top: the learning rate by step. Bottom: the expected squared error on a quadratic with noise.";

export default explorer(({ svg, width, height, values, t }) => {
  const part = (percent) => Math.round((percent / 100) * STEPS);
  const [warmup, plateau] = [part(values.warmup), part(values.plateau)];
  const kind = KINDS[values.decay];
  const rates = Array.from({ length: STEPS }, (_, step) =>
    values.rate * factor(kind, step, STEPS, warmup, plateau, values.floor));
  const errors = predictedError(rates);
  const means = values.average > 0 ? averagedError(rates, STEPS - part(values.average)) : [];
  const floor = noiseFloor(values.rate, 1, 1);
  const shown = [...new Set(Array.from({ length: 161 }, (_, i) => Math.round(STEPS ** (i / 160))))];
  const by = (list) => shown.map((step) => [step, list[step - 1]]);

  const frame = { left: 64, width: width - 84 };
  const top = legend(svg, [["line", RATE, t("learning rate")], ["line", ERROR, t("error")], ["line", MEAN, t("error of the average")], ["theory", ERROR, t("floor of the highest rate")]], 8, 12, width - 16);
  const tall = (height - top - 80) * 0.3;
  const x = scaleLog([1, STEPS], [0, 1]);
  const linear = scaleLinear([0, STEPS], [0, 1]);
  const r = scaleLinear([0, 1.08 * values.rate], [0, 1]);
  const upper = panel(svg, { ...frame, top, height: tall, x: linear, y: r, yTicks: 2, xTicks: 4 });
  path(upper, rates.map((rate, step) => [step + 1, rate]), { x: linear, y: r }, "line", RATE).attr("data-line", "rate");
  const second = top + tall + 34;
  const y = scaleLog([1e-4, 20], [0, 1]);
  const lower = panel(svg, { ...frame, top: second, height: height - second - 46, x, y, xLabel: t("training step"), yLabel: t("mean squared error"), yTicks: 5 });
  path(lower, [[1, floor], [STEPS, floor]], { x, y }, "theory", ERROR);
  path(lower, by(errors), { x, y }, "line", ERROR).attr("data-line", "error");
  path(lower, by(means), { x, y }, "line", MEAN).attr("data-line", "average");
  const found = [
    t("After {} steps the mean squared error is {}.", STEPS, written(errors.at(-1))),
    t("The floor of the highest rate is {}.", written(floor)),
  ];
  if (means.length) found.push(t("The average of the last {} iterates has {}.", part(values.average), written(means.at(-1))));
  return found;
}, CAPTION);
