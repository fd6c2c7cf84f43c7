/* The gain that keeps a second moment, for any activation function, over that second moment. */

import { ACTIVATIONS, NAMES } from "./numerics/activations.js";
import { FormulaError, parsed } from "./numerics/formula.js";
import { activationMoments, trustedMoments } from "./numerics/moments.js";
import { dots, explorer, grab, legend, OWN, panel, path, scaleLinear, scaleLog, written } from "./shared.js";

const [GAIN, FORWARD, BACKWARD] = ["var(--x1)", "var(--x3)", "var(--x2)"];

function draw({ svg, width, height, values, t, set }, phi, name) {
  const moments = Array.from({ length: 81 }, (_, i) => 10 ** (-2 + i / 20));
  // What another rule does not confirm is NaN, which no line shows; the choices of the control need no judge.
  const known = (q) => {
    const found = activationMoments(phi, q);
    if (values.activation !== OWN) return found;
    return trustedMoments(phi, q).map((sure, i) => (sure ? found[i] : NaN));
  };
  const seen = moments.map((q) => [q, ...known(q)]);
  const here = known(values.moment);
  const x = scaleLog([1e-2, 1e2], [0, 1]);
  const y = scaleLog([0.3, 30], [0, 1]);
  const chi = scaleLinear([0, 2], [0, 1]);
  const top = legend(svg, [["line", GAIN, name]], 64, 12, width - 84);
  const frame = { left: 64, width: width - 84, height: (height - top - 86) / 2, x };
  const upper = panel(svg, { ...frame, top, y, yLabel: t("gain²"), yTicks: 3 });
  const second = top + frame.height + 42;
  legend(svg, [["line", FORWARD, "χ∥"], ["line", BACKWARD, "χ₁"]], 64, second - 12, width - 84);
  const lower = panel(svg, { ...frame, top: second, y: chi, xLabel: t("second moment q"), yLabel: "χ", yTicks: 4 });
  for (const [area, scale] of [[upper, y], [lower, chi]]) {
    path(area, [[1e-2, 1], [1e2, 1]], { x, y: scale }, "thin", "var(--xg)");
    path(area, [[values.moment, scale.domain()[0]], [values.moment, scale.domain()[1]]], { x, y: scale }, "thin", "currentColor");
  }
  const of = (value) => seen.map(([q, ...list]) => [q, value(q, ...list)]);
  path(upper, of((q, share) => q / share), { x, y }, "line", GAIN).attr("data-line", "gain");
  path(lower, of((q, share, _, response) => (q / share) * response), { x, y: chi }, "line", FORWARD).attr("data-line", "forward");
  path(lower, of((q, share, slope) => (q / share) * slope), { x, y: chi }, "line", BACKWARD).attr("data-line", "backward");
  dots(upper, [[values.moment, values.moment / here[0]]], { x, y }, "dot", GAIN);
  const follow = ([left], settled) => {
    const log = Math.log10(x.invert(Math.max(0, Math.min(frame.width, left))));
    set({ moment: Math.round(10 * (log + 2)) }, settled); // steps of a tenth of a decade
  };
  grab(upper, follow);
  grab(lower, follow);
  return [here, [...here, ...seen.flat()].some(Number.isNaN)];
}

const CAPTION =
  "As set by the controls. Top: gain² over the second moment q. Bottom: χ∥ and χ₁ with that gain.";

export default explorer((view) => {
  const { values, t } = view;
  const own = values.activation === OWN;
  let phi;
  try {
    phi = own ? parsed(values.formula) : ACTIVATIONS[NAMES[values.activation]];
  } catch (error) {
    if (!(error instanceof FormulaError)) throw error;
    return [t("The formula is not understood from character {} on.", error.at + 1)];
  }
  const [[share, slope, response], doubt] = draw(view, phi, own ? values.formula : t(values.activation));
  const [plain] = activationMoments(phi, values.moment);
  if (!(plain > 0 && Number.isFinite(plain))) return [t("No gain: the second moment of the output is {}.", written(plain))];
  if (Number.isNaN(share)) return [t("No gain is given: at this q two quadrature rules differ by more than 1%.")];
  const square = values.moment / share;
  const sentences = [
    t("For z of second moment {}: the output has {}, the derivative {}.", written(values.moment), written(share), written(slope)),
    t("The gain is {}: the standard deviation of the weights is that over √n, and n · Var(w) = {}.", written(Math.sqrt(square), 4), written(square, 4)),
    t(square * response > 1.0005 ? "With it χ∥ = {}, so that q runs away, and χ₁ = {}." : "With it χ∥ = {}, so that q comes back or stays, and χ₁ = {}.",
      written(square * response), written(square * slope)),
  ];
  if (!doubt) return sentences;
  const sure = sentences.filter((_, i) => !Number.isNaN([slope, 0, slope + response][i]));
  return [...sure, t("Values on which two quadrature rules differ by more than 1% are left out.")];
}, CAPTION);
