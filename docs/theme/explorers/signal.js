/* The second moments of a signal and of its gradient, layer by layer. */

import { ACTIVATIONS, NAMES } from "./numerics/activations.js";
import { gradientPath, normals, scaleChain, spreads } from "./numerics/chain.js";
import { activationMoments, iterateMap, limitMoment } from "./numerics/moments.js";
import { dots, explorer, legend, panel, path, scaleLinear, scaleLog, written } from "./shared.js";

const [FORWARD, BACKWARD] = ["var(--x1)", "var(--x2)"];
const FARTHEST = 200; // decades: beyond, a double is near its end
const FAR = 3; // decades: what changes by more does not hold
const CAPTION =
  "As set by the controls. Dashed: predicted for infinite width. Points: one freshly drawn network; its gradient starts at 1 in the last layer and runs to the first. Band: about 19 networks in 20, if wide; signal only. “Holds”: ends between 1/1000 and 1000.";

const ONE = { vanish: "vanishes", hold: "holds", explode: "explodes" };
const fate = (factor) => (factor < 10 ** -FAR ? "vanish" : factor > 10 ** FAR ? "explode" : "hold");
const changed = (factor) => Math.abs(Math.log10(factor));

/** Say what becomes of signal and gradient, as predicted and in one network: pairs of factors. */
function verdict(signal, gradient, t) {
  const worst = (factors) => Math.max(0, ...factors.map(changed).filter((decades) => decades > FAR));
  const [first, pairs] =
    worst(gradient) > worst(signal)
      ? ["the gradient {} and the signal {}", [gradient, signal]]
      : ["the signal {} and the gradient {}", [signal, gradient]];
  const [predicted, found] = [0, 1].map((which) => {
    const [one, other] = pairs.map((pair) => fate(pair[which]));
    return one === other ? t("signal and gradient {}", t(one)) : t(first, t(ONE[one]), t(ONE[other]));
  });
  if (predicted === found) return [t("As predicted, {}.", found)];
  const said = [t("Predicted: {}. In this network: {}.", predicted, found)];
  const strays = pairs.some(([theory, network]) => changed(network / theory) > FAR);
  return strays ? [...said, t("It is too narrow to follow the prediction.")] : said;
}

/** Say what becomes of the predicted moments as layers are added: the gradient's factor per layer, in the end, decides. */
function limits(phi, weight, limit, gradient, t) {
  const moment = Math.min(1e6, Math.max(1e-12, limit));
  const excess = weight * activationMoments(phi, moment)[1] - 1;
  const [zero, grows] = [t("tends to 0"), t("grows without bound")];
  const held = Math.abs(gradient - 1) < 1e-6 ? t("stays as it is") : t("changes by a power of the depth");
  const back = Math.abs(excess) < 1e-5 ? held : excess > 0 ? grows : zero;
  const signal = limit === 0 ? zero : limit < Infinity ? t("settles at {}", written(limit)) : grows;
  return t("As layers are added, the predicted second moment of the signal {}, that of the gradient {}.", signal, back);
}

/** The powers of ten that hold all values, a thousandth and a thousand at least. */
function domain(values) {
  const logs = values.filter((value) => value > 0).map(Math.log10).filter(Number.isFinite);
  const low = Math.max(-FARTHEST, Math.floor(Math.min(-3, ...logs)));
  const high = Math.min(FARTHEST, Math.ceil(Math.max(3, ...logs)));
  return [10 ** low, 10 ** high];
}

export default explorer(({ svg, width, height, values, t }) => {
  const { activation, weight, bias, depth, width: size } = values;
  const phi = ACTIVATIONS[NAMES[activation]];
  const forward = iterateMap(phi, weight, bias, 1, depth);
  const backward = gradientPath(phi, weight, forward);
  const spread = spreads(phi, weight, bias, size, forward);
  const [drawn, delta] = scaleChain(phi, weight, bias, size, depth, 1, normals(values.network));
  const gradient = delta.map((value) => value / delta.at(-1));
  const layers = forward.map((_, index) => index + 1);
  const by = (list) => layers.map((layer, index) => [layer, list[index]]);
  // ln s is nearly normal: its mean lies half its variance below the logarithm of the mean.
  const edge = (sign) => forward.map((q, i) => q * Math.exp(sign * 2 * spread[i] - spread[i] ** 2 / 2));

  const top = legend(svg, [
    ["theory dot", FORWARD, t("signal z")],
    ["theory up", BACKWARD, t("gradient in z")],
    ["band", FORWARD, t("19 networks in 20, if wide")],
  ], 8, 12, width - 16);
  const x = scaleLinear([1 - 0.03 * depth, 1.03 * depth], [0, 1]);
  const y = scaleLog(domain([...forward, ...backward, ...drawn, ...gradient, ...edge(1), ...edge(-1)]), [0, 1]);
  const xLabel = `${t("signal")} →\u2003${t("layer")}\u2003← ${t("gradient")}`;
  const frame = { left: 64, top, width: width - 84, height: height - top - 46 };
  const area = panel(svg, { ...frame, x, y, xLabel, yLabel: t("second moment"), xTicks: Math.min(8, width / 60) });
  path(area, [...by(edge(1)), ...by(edge(-1)).reverse()], { x, y }, "band", FORWARD);
  path(area, by(forward), { x, y }, "theory", FORWARD).attr("data-line", "signal");
  path(area, by(backward), { x, y }, "theory", BACKWARD).attr("data-line", "gradient");
  const every = Math.ceil(depth / Math.max(10, width / 24));
  const thin = (list) => by(list).filter(([layer]) => layer % every === 0 || layer === 1 || layer === depth);
  dots(area, thin(gradient), { x, y }, "up", BACKWARD);
  dots(area, thin(drawn), { x, y }, "dot", FORWARD);

  const limit = limitMoment(phi, weight, bias, 1);
  const [signal, back] = [[forward, drawn].map((list) => list.at(-1)), [backward, gradient].map((list) => list[0])];
  return [
    ...verdict(signal, back, t),
    limits(phi, weight, limit, back[0], t),
    t(
      "From layer 1 to {} the signal’s second moment is multiplied by {} (this network: {}); from layer {} to 1 the gradient’s by {} (this network: {}).",
      depth, ...signal.map((value) => written(value)), depth, ...back.map((value) => written(value)),
    ),
  ];
}, CAPTION);
