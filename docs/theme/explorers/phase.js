/* The plane of weight and bias variance: a point in it, its map of second moments, its correlations. */

import { ACTIVATIONS, NAMES } from "./numerics/activations.js";
import { diagnosePoint, iterateMap, limitMoment } from "./numerics/moments.js";
import { correlationMap, correlations, criticalLine, settle } from "./numerics/phases.js";
import { dots, explorer, grab, label, legend, panel, path, scaleLinear, scaleLog, written } from "./shared.js";

const [ORBIT, MAP, EDGE] = ["var(--x2)", "var(--x1)", "var(--x2)"];
const [SMALLEST, LARGEST] = [1e-12, 1e3]; // where it is judged if the second moment settles at 0 or nowhere
const LAYERS = 100;

function plane({ svg, width, height, values, t, set }, phi) {
  const top = legend(svg, [["line", EDGE, "χ₁ = 1"], ["dot", MAP, t("this network")]], 64, 12, width - 64);
  const [x, y] = [scaleLinear([0.5, 4], [0, 1]), scaleLinear([0, 0.3], [0, 1])];
  const frame = { left: 64, top, width: width - 84, height: height * 0.44 - top, x, y };
  const area = panel(svg, { ...frame, xLabel: "σ_w²", yLabel: "σ_b²", yTicks: 4 });
  const edge = [];
  for (let log = -3; log < 1.3; log += 0.05) edge.push(criticalLine(phi, 10 ** log));
  path(area, edge, { x, y }, "line", EDGE).attr("data-line", "edge");
  label(area, t("ordered"), 12, 20);
  label(area, t("chaotic"), frame.width - 12, frame.height - 14, "end");
  dots(area, [[values.weight, values.bias]], { x, y }, "grip", MAP);
  const inside = (value, [low, high], step) => Math.min(high, Math.max(low, Math.round(value / step) * step));
  grab(area, ([left, down], settled) => {
    const weight = inside(x.invert(left), [0.5, 4], 0.05).toFixed(2);
    set({ weight, bias: inside(y.invert(down), [0, 0.3], 0.005).toFixed(3) }, settled);
  }, [x(values.weight), y(values.bias)]);
}

function cobweb({ svg, width, height, values, t }, phi, q) {
  const large = Math.max(2.2, Math.min(20, 1.5 * q));
  const [x, y] = [scaleLinear([0, large], [0, 1]), scaleLinear([0, large], [0, 1])];
  const top = height * 0.44 + 66;
  const frame = { left: 64, top, width: width / 2 - 76, height: height - top - 46, x, y };
  const area = panel(svg, { ...frame, xLabel: t("q of a layer"), yLabel: t("q of the next"), xTicks: 4 });
  const { weight, bias } = values;
  const curve = Array.from({ length: 61 }, (_, i) => Math.max(1e-6, (large * i) / 60));
  path(area, [[0, 0], [large, large]], { x, y }, "thin", "var(--xg)");
  path(area, curve.map((at) => [at, diagnosePoint(phi, weight, bias, at).map]), { x, y }, "line", MAP).attr("data-line", "map");
  const orbit = iterateMap(phi, weight, bias, 1, 20).flatMap((at) => [at, at]);
  path(area, orbit.slice(1, -1).map((at, i) => [orbit[i], at]), { x, y }, "thin", ORBIT);
  dots(area, [[1, 1]], { x, y }, "square", ORBIT);
}

function pair({ svg, width, height, values, t }, step) {
  const [x, y] = [scaleLinear([0, LAYERS], [0, 1]), scaleLog([1e-6, 2], [0, 1])];
  const top = height * 0.44 + 66;
  const frame = { left: width / 2 + 50, top, width: width / 2 - 70, height: height - top - 46, x, y };
  const area = panel(svg, { ...frame, xLabel: t("layer"), yLabel: "1 − c", xTicks: 4, yTicks: 4 });
  // Once it has settled, nothing is to be computed any more.
  let done = false;
  const quick = (c) => {
    const after = done ? c : step(c);
    done ||= Math.abs(after - c) < 1e-9; // the axis ends at 1e-6
    return after;
  };
  const seen = step ? correlations(quick, LAYERS, values.correlation) : [];
  const points = seen.map((c, i) => [i + 1, Math.max(1 - c, 1e-17)]);
  path(area, points, { x, y }, "line", MAP).attr("data-line", "correlation");
  return seen.at(-1);
}

const CAPTION =
  "As set by the controls. Top: the plane of the variances and the line χ₁ = 1. Bottom: the map of second moments with a path from 1, and 1 − c of two inputs by layer.";

export default explorer((view) => {
  const { values, t } = view;
  const name = NAMES[values.activation];
  const phi = ACTIVATIONS[name];
  const [q, chi] = settle(phi, values.weight, values.bias);
  const limit = limitMoment(phi, values.weight, values.bias, 1);
  const settled = limit > 0 && limit < Infinity;
  const at = settled ? q : Math.max(SMALLEST, Math.min(limit, LARGEST));
  const point = diagnosePoint(phi, values.weight, values.bias, at);
  plane(view, phi);
  cobweb(view, phi, q);
  const last = pair(view, settled && correlationMap(name, phi, values.weight, values.bias, q));
  if (!settled) {
    const end = t(limit === 0 ? "The second moment tends to 0." : "The second moment grows without bound.");
    return [end, `χ∥ = ${written(point.chi_par)}, χ₁ = ${written(point.chi_1)}`];
  }
  const deep = (factor) => written(Math.abs(factor - 1) < 1e-6 ? Infinity : 1 / Math.abs(Math.log(factor)));
  const state = chi > 1.001 ? "Chaotic: two inputs stay apart, gradients explode." : "Ordered: all inputs become alike, gradients vanish.";
  return [
    t(Math.abs(chi - 1) < 1e-3 ? "At the edge: neither within many layers." : state),
    t("The second moment settles at {}: χ∥ = {}, χ₁ = {}.", written(q), written(point.chi_par), written(chi, 4)),
    // Where c settles below 1, another slope than χ₁ decides how fast.
    t(chi > 1 + 1e-6
      ? "Depth scales: {} layers for the second moment, {} for the gradient."
      : "Depth scales: {} layers for the second moment, {} for correlation and gradient.", deep(point.chi_par), deep(chi)),
    t("After {} layers the correlation is {}.", LAYERS, written(last)),
  ];
}, CAPTION);
