/* A function, its Taylor polynomial, what it misses, and the disk in which the series converges. */

import { FUNCTIONS, lagrangeBounds, polynomial, radius } from "./numerics/series.js";
import { dots, explorer, legend, panel, path, scaleLinear, scaleLog, written } from "./shared.js";

const [FUNCTION, POLYNOMIAL, BOUND] = ["var(--xg)", "var(--x1)", "var(--x2)"];
const COUNT = 120; // points on either side of the center
const SMALLEST = 1e-16;

/** The lowest and highest value of a function in the figure, with some room. */
function heights(values) {
  const seen = values.filter(Number.isFinite);
  const [low, high] = [Math.max(-6, Math.min(...seen)), Math.min(8, Math.max(...seen))];
  const room = 0.4 * (high - low) + 0.05;
  return [low - room, high + room];
}

const CAPTIONS = [
  "As set by the controls. Top: the function and its polynomial. Middle: the error and the Lagrange bound. Bottom: the complex plane with the disk of convergence; squares are singularities. Errors below about 10⁻¹⁴ may be rounding.",
  "As set by the controls. Top: the function and its polynomial. Bottom: the error and the Lagrange bound. Errors below about 10⁻¹⁴ may be rounding.",
];

/** The complex plane, with one unit as long in both directions. */
function plane({ svg, height, t }, frame, x, unit, third, center, limit, singular) {
  const tall = height - third - 46;
  const up = scaleLinear([(-unit * tall) / 2, (unit * tall) / 2], [0, 1]);
  const area = panel(svg, { ...frame, top: third, height: tall, x, y: up, xLabel: t("real part"), yLabel: t("imaginary part"), yTicks: 4 });
  area.append("circle").attr("class", "x0-plot__band").attr("cx", x(center)).attr("cy", up(0))
    .attr("r", Math.min(limit / unit, 1e5)).style("--c", POLYNOMIAL);
  dots(area, [[center, 0]], { x, y: up }, "dot", POLYNOMIAL);
  dots(area, singular, { x, y: up }, "square", BOUND);
}

export default explorer((view) => {
  const { svg, width, height, low, values, t } = view;
  const { center, order, range } = values;
  const name = values.function;
  const { value, coefficients, singular } = FUNCTIONS[name];
  const series = coefficients(center, order);
  const away = Array.from({ length: COUNT }, (_, i) => (range * (i + 1)) / COUNT);
  const steps = [...away.map((step) => -step).reverse(), 0, ...away];
  const fits = steps.map((step) => polynomial(series, step));
  const truth = steps.map((step) => value(center + step));
  const limit = radius(name, center);
  const ends = [center - range, center + range];
  const frame = { left: 64, width: width - 84 };
  const [part, half] = low ? [0.46 * height, 0.54 * height - 56] : [0.3 * height, 0.24 * height];

  const top = legend(svg, [["thick", FUNCTION, name], ["line", POLYNOMIAL, t("polynomial of order {}", order)], ["band", POLYNOMIAL, t("disk of convergence")]], 8, 12, width - 16);
  const x = scaleLinear(ends, [0, 1]);
  const y = scaleLinear(heights(truth), [0, 1]);
  const upper = panel(svg, { ...frame, top, height: part - top, x, y, yTicks: 5 });
  const zone = (area, tall) => {
    if (!Number.isFinite(limit)) return;
    const [a, b] = [x(center - limit), x(center + limit)];
    area.append("rect").attr("class", "x0-plot__band").attr("x", a).attr("width", b - a).attr("height", tall).style("--c", POLYNOMIAL);
  };
  zone(upper, part);
  const by = (list) => steps.map((step, i) => [center + step, list[i]]);
  path(upper, by(truth), { x, y }, "thick", FUNCTION).attr("data-line", "function");
  path(upper, by(fits), { x, y }, "line", POLYNOMIAL).attr("data-line", "polynomial");
  dots(upper, [[center, value(center)]], { x, y }, "dot", POLYNOMIAL);

  const errors = steps.map((_, i) => Math.abs(fits[i] - truth[i]) || SMALLEST);
  const right = lagrangeBounds(name, center, order, away);
  const left = lagrangeBounds(name, center, order, away.map((step) => -step));
  const bounds = [...left.reverse(), SMALLEST, ...right];
  const e = scaleLog([SMALLEST, 1e4], [0, 1]);
  const second = part + 44;
  legend(svg, [["line", POLYNOMIAL, t("error")], ["theory", BOUND, t("Lagrange bound")]], 64, second - 10, width - 84);
  const middle = panel(svg, { ...frame, top: second + 6, height: half - 36, x, y: e, xLabel: "x", yTicks: 5 });
  zone(middle, part);
  path(middle, by(errors), { x, y: e }, "line", POLYNOMIAL).attr("data-line", "error");
  path(middle, by(bounds), { x, y: e }, "theory", BOUND).attr("data-line", "bound");

  if (!low) plane(view, frame, x, (2 * range) / frame.width, part + half + 70, center, limit, singular);

  const at = (list, i) => written(list[i]);
  const found = [t("At the right end, x = {}: error {}, bound {}.", written(ends[1]), at(errors, 2 * COUNT), at(bounds, 2 * COUNT))];
  if (!singular.length) return [t("No singularity: the series converges everywhere."), ...found];
  return [t("The nearest singularity lies {} away: beyond that the series diverges.", written(limit)), ...found];
}, CAPTIONS);
