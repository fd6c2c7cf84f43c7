/* Descent on a quadratic: the path, the distance by step, and the factor of each mode. */

import { bestHeavyBall, bestNesterov, descentPath, heavyBallRadius, nesterovRadius } from "./numerics/descending.js";
import { dots, explorer, grab, legend, panel, path, scaleLinear, scaleLog, written } from "./shared.js";

const [PATH, BEST, MODES] = ["var(--x1)", "var(--x2)", "var(--x3)"];
const STEPS = 100;
const START = [-3, 1.6]; // in the basis of the eigenvectors: flat, steep
const TURN = [Math.cos(0.55), Math.sin(0.55)];
const LEVELS = [0.02, 0.1, 0.3, 0.7, 1.3, 2.1];
const METHODS = { "gradient descent": 0, "heavy ball": 1, Nesterov: 2 };

const turned = ([a, b]) => [TURN[0] * a - TURN[1] * b, TURN[1] * a + TURN[0] * b];
const distance = (theta) => Math.hypot(...theta);

function contours({ svg, width }, curvature, points, top, bottom) {
  const [x, y] = [scaleLinear([-3.8, 3.8], [0, 1]), scaleLinear([-3, 3], [0, 1])];
  const frame = { left: 64, top, width: width - 84, height: bottom - top, x, y };
  const area = panel(svg, { ...frame, xLabel: "θ₁", yLabel: "θ₂" });
  for (const level of LEVELS) {
    const radii = curvature.map((value) => Math.sqrt((2 * level) / value));
    const round = Array.from({ length: 73 }, (_, i) => (i * Math.PI) / 36);
    const ellipse = round.map((angle) => turned([radii[0] * Math.cos(angle), radii[1] * Math.sin(angle)]));
    path(area, ellipse, { x, y }, "thin", "var(--xg)");
  }
  path(area, points.map(turned), { x, y }, "line", PATH).attr("data-line", "path");
  dots(area, points.slice(0, 41).map(turned), { x, y }, "dot", PATH);
  dots(area, [[0, 0]], { x, y }, "square", BEST);
}

function errors({ svg, width, height, t }, points, factor, top) {
  const far = points.map(distance);
  const [x, y] = [scaleLinear([0, STEPS], [0, 1]), scaleLog([1e-10, 1e4], [0, 1])];
  const frame = { left: 64, top, width: width / 2 - 80, height: height - top - 46, x, y };
  const area = panel(svg, { ...frame, xLabel: t("step"), yLabel: t("distance from the minimum"), xTicks: 4 });
  const line = [0, STEPS].map((step) => [step, far[0] * factor ** step]);
  path(area, line, { x, y }, "theory", BEST).attr("data-line", "predicted");
  path(area, far.map((value, step) => [step, value]), { x, y }, "line", PATH).attr("data-line", "distance");
  return far;
}

function factors({ svg, width, height, t, set }, radius, curvature, rate, top) {
  const [x, y] = [scaleLinear([0, 4], [0, 1]), scaleLinear([0, 1.6], [0, 1])];
  const frame = { left: width / 2 + 48, top, width: width / 2 - 68, height: height - top - 46, x, y };
  const area = panel(svg, { ...frame, xLabel: "ηλ", yLabel: t("factor per step"), xTicks: 4, yTicks: 4 });
  const steps = Array.from({ length: 201 }, (_, i) => i / 50);
  path(area, [[0, 1], [4, 1]], { x, y }, "thin", BEST);
  path(area, steps.map((step) => [step, radius(step)]), { x, y }, "line", MODES).attr("data-line", "factor");
  dots(area, curvature.map((value) => [rate * value, radius(rate * value)]), { x, y }, "dot", PATH);
  grab(area, ([left], settled) => {
    const wanted = Math.round(Math.min(4, Math.max(0.02, x.invert(left))) / 0.02) * 0.02;
    set({ rate: wanted.toFixed(2) }, settled);
  });
}

/** Where the factor of the steepest mode passes 1. */
function border(method, beta) {
  return [2, 2 * (1 + beta), (2 * (1 + beta)) / (1 + 2 * beta)][method];
}

const CAPTIONS = [
  "As set by the controls. Top: the path on the contours. Bottom: the distance by step, and the factor per step over ηλ with both modes.",
  "As set by the controls. Left: the distance by step. Right: the factor per step over ηλ with both modes.",
];

export default explorer((view) => {
  const { svg, width, height, values, t } = view;
  const method = METHODS[values.method];
  const beta = method === 0 ? 0 : values.beta;
  const curvature = [1 / values.condition, 1]; // the largest eigenvalue is 1, so that the rate is eta lambda
  const radius = (step) => (method === 2 ? nesterovRadius(step, beta) : heavyBallRadius(step, beta));
  const factor = Math.max(...curvature.map((value) => radius(values.rate * value)));
  const points = descentPath(curvature, START, values.rate, beta, method === 2, STEPS);
  const rows = [["line", PATH, t(values.method)], ["theory", BEST, t("predicted")]];
  if (!view.low) rows.push(["square", BEST, t("minimum")]);
  let top = legend(svg, rows, 64, 12, width - 84);
  if (!view.low) {
    const bottom = height * 0.52;
    contours(view, curvature, points, top, bottom);
    top = bottom + 66;
  }
  const far = errors(view, points, factor, top);
  factors(view, radius, curvature, values.rate, top);
  const ends = Math.abs(factor - 1) < 1e-9
    ? "At the border, {}, it neither converges nor diverges."
    : factor > 1 ? "It diverges: the border is at {}." : "It converges: the border is at {}.";
  const best = [[2 / (curvature[0] + 1), 0], bestHeavyBall(curvature[0], 1), bestNesterov(curvature[0], 1)][method];
  return [
    t("Factor per step: {}, the larger of the two modes.", written(factor, 4)),
    t(ends, written(border(method, beta))),
    t("After {} steps the distance is {}.", STEPS, written(far.at(-1))),
    t("Best on this quadratic: rate {}, momentum {}.", ...best.map((value) => written(value))),
  ];
}, CAPTIONS);
