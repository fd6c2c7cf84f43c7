/* What all explorers share: controls and their state, the address, the live drawing, axes, words. */

import { axisBottom, axisLeft } from "d3-axis";
import { scaleLinear, scaleLog } from "d3-scale";
import { select } from "d3-selection";
import { line } from "d3-shape";

export { line, scaleLinear, scaleLog, select };

/** The choice of a formula that the reader writes. */
export const OWN = "your formula";
const POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Write a whole number as an exponent. */
export const raised = (n) => String(n).replace(/[-−]/, "⁻").replace(/\d/g, (digit) => POWERS[digit]);

/** Write a number for a reader: three digits, powers of ten where they are needed. */
export function written(number, digits = 3) {
  const value = Number(number.toPrecision(digits)); // 0.9999 is 1.00
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  const [factor, power] = value.toExponential(1).split("e"); // 9.96e-29 is 1.0e-28
  const text =
    exponent < -3 || exponent > 4
      ? `${factor}\u00a0×\u00a010${raised(Number(power))}`
      : value.toFixed(Math.max(0, digits - 1 - exponent));
  return text.replace("-", "−");
}

/* ---- Controls: native inputs in the page, which the build has written and labelled. */

function read(control) {
  if (control.dataset.steps) return JSON.parse(control.dataset.steps)[Number(control.value)];
  return control.type === "range" || control.type === "button" ? Number(control.value) : control.value;
}

/** Put a text from the address into a control, if it is one of its values. */
function put(control, text) {
  const { type, dataset } = control;
  if (dataset.steps) {
    const index = JSON.parse(dataset.steps).map(String).indexOf(text);
    if (index >= 0) control.value = index;
  } else if (type === "select-one") {
    if ([...control.options].some((option) => option.value === text)) control.value = text;
  } else if (type === "button") {
    if (/^\d{1,6}$/.test(text)) control.value = text;
  } else if (type === "range") {
    if (Number.isFinite(parseFloat(text))) control.value = text; // the browser keeps it in its bounds
  } else {
    control.value = text.slice(0, control.maxLength);
  }
}

function show(control) {
  const value = control.closest("label")?.querySelector("b"); // a button stands in none
  if (!value) return;
  const text = String(read(control));
  value.textContent = text;
  if (control.dataset.steps) control.setAttribute("aria-valuetext", text);
}

/* ---- One explorer. */

/** Make the function that the loader calls.
 *  @param draw takes a view {svg, width, height, low, values, t, set}; returns sentences that say what is drawn.
 *  @param captions of the drawing, where that of the figure does not fit it: of a tall one, of a low one. */
export const explorer = (draw, ...captions) => (root) => new Explorer(root, draw, captions.flat());

class Explorer {
  constructor(root, draw, captions) {
    this.root = root;
    this.draw = draw;
    this.captions = captions;
    this.name = root.dataset.explorer;
    this.texts = JSON.parse(root.dataset.texts);
    this.form = root.querySelector("form");
    this.said = root.querySelector(".x0-explorer__said");
    this.status = root.querySelector(".x0-explorer__status");
    this.start = this.said.textContent;
    this.still = root.parentElement.querySelector(":scope > svg");
    this.reset = this.form.querySelector("[type=reset]");
    this.controls = [...this.form.elements].filter((control) => control.name);
    // A form's reset leaves its buttons alone.
    this.first = new Map(this.controls.filter(({ type }) => type === "button").map((x) => [x, x.value]));
    this.listen();
    this.recall();
    root.dataset.ready = "yes";
  }

  listen() {
    this.form.addEventListener("input", ({ target }) => {
      const choices = this.controls.filter(({ type }) => type === "select-one");
      if (target.type === "text") choices.forEach((choice) => put(choice, OWN)); // who writes one wants it
      this.update();
    });
    this.form.addEventListener("change", () => this.settle());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("reset", () => setTimeout(() => this.stop())); // the fields change after
    for (const button of this.first.keys()) {
      button.addEventListener("click", () => this.set({ [button.name]: Number(button.value) + 1 }, true));
    }
    // A first touch of the figure brings it to life as well.
    this.still.addEventListener("pointerdown", () => this.update());
  }

  get values() {
    return Object.fromEntries(this.controls.map((control) => [control.name, read(control)]));
  }

  /** Change controls from the drawing (a point that is dragged, say). */
  set(values, settled = false) {
    for (const control of this.controls) {
      if (control.name in values) control.value = values[control.name];
    }
    this.update();
    if (settled) this.settle();
  }

  update() {
    this.controls.forEach(show);
    if (!this.svg) this.live();
    this.render();
  }

  /** The reader has let go: tell the address and those who listen. */
  settle() {
    if (!this.svg) this.update();
    const params = new URLSearchParams(location.search);
    for (const control of this.controls) params.set(`${this.name}.${control.name}`, read(control));
    this.write(`?${params}#${this.root.closest("figure")?.id ?? ""}`);
    this.status.textContent = this.said.textContent;
  }

  write(place) {
    history.replaceState(history.state, "", location.pathname + place);
  }

  recall() {
    const params = new URLSearchParams(location.search);
    const known = this.controls.filter(({ name }) => params.has(`${this.name}.${name}`));
    for (const control of known) put(control, params.get(`${this.name}.${control.name}`));
    if (known.length) this.update();
  }

  live() {
    const [, , width, height] = this.still.getAttribute("viewBox").split(/[ ,]+/).map(Number);
    const box = document.createElement("div");
    box.className = "x0-explorer__live";
    box.style.cssText = this.still.style.cssText; // as wide as the figure whose place it takes
    box.style.setProperty("--tall", height / width);
    this.low = height < width;
    this.caption = this.captions[Number(this.low)] ?? this.captions[0];
    this.still.before(box);
    this.still.classList.add("x0-explorer__still");
    this.svg = select(box).append("svg").attr("role", "img");
    this.reset.disabled = false;
    if (this.caption) this.recaption();
    const measure = () => {
      const before = String(this.box);
      this.box = [box.clientWidth, box.clientHeight];
      return String(this.box) !== before;
    };
    measure();
    this.size = new ResizeObserver(() => measure() && this.render());
    this.size.observe(box);
  }

  /** Show the caption of the drawing; that of the figure is hidden, for paper and for later. */
  recaption() {
    const whole = this.root.closest("figure").querySelector("figcaption");
    const height = whole.offsetHeight;
    const [still, live] = ["still", "caption"].map((name) => {
      const span = document.createElement("span");
      span.className = `x0-explorer__${name}`;
      return span;
    });
    still.append(...[...whole.childNodes].filter((node) => !node.classList?.contains("x0-fig__no")));
    live.textContent = ` ${this.t(this.caption)}`; // after the number
    whole.append(live, still);
    whole.style.minHeight = `${height}px`; // what stands below stays where it is
    this.uncaption = () => {
      live.remove();
      still.replaceWith(...still.childNodes);
      whole.style.minHeight = "";
    };
  }

  stop() {
    // A button that is disabled loses the focus.
    if (document.activeElement === this.reset) this.controls[0].focus({ preventScroll: true });
    this.uncaption?.();
    this.uncaption = null;
    this.controls.forEach((control) => {
      if (this.first.has(control)) control.value = this.first.get(control);
      show(control);
    });
    this.size?.disconnect();
    this.svg?.node().parentElement.remove();
    this.svg = null;
    this.still.classList.remove("x0-explorer__still");
    this.reset.disabled = true;
    this.said.textContent = this.start;
    this.status.textContent = "";
    const params = new URLSearchParams(location.search);
    for (const { name } of this.controls) params.delete(`${this.name}.${name}`);
    this.write((params.size ? `?${params}` : "") + location.hash);
  }

  /** A text in the page's language; {} stands for what follows. */
  t(text, ...parts) {
    let next = 0;
    return (this.texts[text] ?? text).replace(/\{(\d?)\}/g, (_, n) => parts[n === "" ? next++ : n]);
  }

  render() {
    const [width, height] = this.box;
    if (width < 160) return; // the page is not laid out yet
    const start = performance.now();
    this.svg.attr("viewBox", `0 0 ${width} ${height}`);
    clear(this.svg.node());
    const t = this.t.bind(this);
    const view = { svg: this.svg, width, height, low: this.low, values: this.values, t, set: this.set.bind(this) };
    this.said.textContent = this.draw(view).join(document.documentElement.lang.startsWith("zh") ? "" : " ");
    this.svg.attr("aria-label", this.said.textContent);
    this.root.dataset.ms = (performance.now() - start).toFixed(1);
  }
}

/* ---- Drawing. */

const kept = new WeakMap(); // of a drawing: the axes and legends of this time and of the last, by what they show

function clear(svg) {
  kept.set(svg, { last: kept.get(svg)?.now, now: new Map() });
  svg.replaceChildren();
}

/** Append a group that depends on nothing but its key: that of the last drawing, or one that is made. */
function keep(svg, key, make) {
  const { last, now } = kept.get(svg.node());
  const found = last?.get(key);
  if (found) svg.node().append(found.node);
  const result = found ?? make();
  now.set(key, result);
  return result;
}

/** Powers of ten for a logarithmic axis, not too many. */
export function decades([low, high], count = 6) {
  const exponents = scaleLinear([Math.log10(low), Math.log10(high)], [0, 1]).ticks(count);
  return exponents.filter(Number.isInteger).map((n) => 10 ** n);
}

/** Draw axes and a grid; return the area for the data, which clips what lies outside. */
export function panel(svg, { left, top, width, height, x, y, xLabel, yLabel, xTicks = 6, yTicks = 6 }) {
  x.range([0, width]);
  y.range([height, 0]);
  const scales = [x, y].map((scale) => ["base" in scale, scale.domain()]);
  const key = JSON.stringify([left, top, width, height, scales, xLabel, yLabel, xTicks, yTicks]);
  const { area } = keep(svg, key, () => {
    const g = svg.append("g").attr("transform", `translate(${left},${top})`);
    const grid = g.append("g").attr("class", "x0-plot__grid").append("path");
    const lines = [];
    for (const [make, scale, ticks, place] of [[axisBottom, x, xTicks, `translate(0,${height})`], [axisLeft, y, yTicks, null]]) {
      const log = "base" in scale;
      const values = Array.isArray(ticks) ? ticks : log ? decades(scale.domain(), ticks) : scale.ticks(ticks);
      const axis = make(scale).offset(0).tickSizeInner(5).tickSizeOuter(0).tickPadding(4).tickValues(values);
      if (log) axis.tickFormat((value) => `10${raised(Math.round(Math.log10(value)))}`);
      g.append("g").attr("class", "x0-plot__axis").attr("transform", place).call(axis);
      lines.push(...values.map((value) => (scale === x ? `M${x(value)},0V${height}` : `M0,${y(value)}H${width}`)));
    }
    grid.attr("d", lines.join(""));
    if (xLabel) label(g, xLabel, width / 2, height + 36, "middle");
    if (yLabel) label(g, yLabel, 0, 0, "middle").attr("transform", `translate(-48,${height / 2})rotate(-90)`);
    const area = g.append("svg").attr("class", "x0-plot__area").attr("width", width).attr("height", height);
    return { node: g.node(), area };
  });
  area.node().replaceChildren();
  return area;
}

/** Write a text. */
export function label(g, text, x, y, anchor = "start") {
  return g.append("text").attr("x", x).attr("y", y).attr("text-anchor", anchor).text(text);
}

const FAR = 1e5; // pixels: no screen is as wide, and a browser reads no path with larger numbers
const near = (pixels) => Math.max(-FAR, Math.min(FAR, pixels));

/** Draw a line through points [x, y]; what is no number breaks it. */
export function path(area, points, { x, y }, name, color) {
  const finite = ([a, b]) => Number.isFinite(x(a)) && Number.isFinite(y(b));
  const drawn = line(([a]) => near(x(a)), ([, b]) => near(y(b))).defined(finite)(points);
  return area.append("path").attr("class", `x0-plot__${name}`).attr("d", drawn).style("--c", color);
}

const MARKS = {
  dot: "m-3.5,0a3.5,3.5 0 1 0 7,0a3.5,3.5 0 1 0-7,0",
  grip: "m-7,0a7,7 0 1 0 14,0a7,7 0 1 0-14,0",
  up: "m0,-4.5l4.2,7.5h-8.4z",
  square: "m-3.2,-3.2h6.4v6.4h-6.4z",
};

/** Draw a mark at every point that is a number. */
export function dots(area, points, { x, y }, mark, color) {
  const places = points.map(([a, b]) => [x(a), y(b)]);
  const seen = places.filter(([a, b]) => Math.abs(a) < FAR && Math.abs(b) < FAR);
  const drawn = seen.map(([a, b]) => `M${a.toFixed(1)},${b.toFixed(1)}${MARKS[mark]}`).join("");
  return area.append("path").attr("class", "x0-plot__dot").attr("d", drawn).style("--c", color);
}

const lengths = new Map(); // of texts: to ask a browser for one lays out the page

/** Say what is what, above a panel: rows of [kinds, color, text], where a kind is a line's or a mark's.
    Returns where the panel may begin. */
export function legend(svg, rows, left, top, width) {
  return keep(svg, JSON.stringify([rows, left, top, width]), () => {
    const whole = svg.append("g");
    let [x, y] = [left, top];
    for (const [kinds, color, text] of rows) {
      const g = whole.append("g").attr("class", "x0-plot__legend").style("--c", color);
      for (const kind of kinds.split(" ")) {
        const shape = kind in MARKS ? `M12,0${MARKS[kind]}` : kind === "band" ? "M0,-5H24V5H0Z" : "M0,0H24";
        g.append("path").attr("class", `x0-plot__${kind in MARKS ? "dot" : kind}`).attr("d", shape);
      }
      const written = label(g, text, 30, 4).node();
      if (!lengths.has(text)) lengths.set(text, written.getComputedTextLength());
      const size = 30 + lengths.get(text) + 14;
      if (x > left && x + size > left + width + 14) [x, y] = [left, y + 18];
      g.attr("transform", `translate(${x},${y})`);
      x += size;
    }
    return { node: whole.node(), below: y + 14 };
  }).below;
}

/** Let the pointer take hold of an area: `move` gets where it is, and whether it has let go.
    A finger scrolls the page up and down, unless it begins at the grip [x, y]. */
export function grab(area, move, grip = null) {
  const surface = area.append("rect").attr("class", "x0-plot__surface").attr("width", "100%").attr("height", "100%");
  hold(surface.node(), surface, move);
  if (!grip) return;
  const [x, y] = grip;
  const handle = area.append("circle").attr("class", "x0-plot__handle").attr("r", 24).attr("cx", x).attr("cy", y);
  hold(surface.node(), handle, move);
}

function hold(node, surface, move) {
  surface.on("pointerdown", (event) => {
    const box = node.getBoundingClientRect();
    const whole = node.closest(".x0-explorer__live").firstElementChild;
    let at = null;
    const follow = ({ clientX, clientY }) => {
      at = [clientX - box.left, clientY - box.top];
      move(at, false);
    };
    const stop = () => {
      for (const [type, heard] of Object.entries(listeners)) whole.removeEventListener(type, heard);
      move(at, true);
    };
    const listeners = { pointermove: follow, pointerup: stop, pointercancel: stop };
    // The drawing is made anew on each move: its root is what stays, and holds the pointer.
    whole.setPointerCapture(event.pointerId);
    for (const [type, heard] of Object.entries(listeners)) whole.addEventListener(type, heard);
    event.preventDefault();
    follow(event);
  });
}
