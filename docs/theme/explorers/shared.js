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
  const text =
    exponent < -3 || exponent > 4
      ? `${(value / 10 ** exponent).toFixed(1)}\u00a0×\u00a010${raised(exponent)}`
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
 *  @param draw takes a view {svg, width, height, values, t, set}; returns sentences that say what is drawn.
 *  @param caption of the drawing, where that of the figure does not fit it. */
export const explorer = (draw, caption) => (root) => new Explorer(root, draw, caption);

class Explorer {
  constructor(root, draw, caption) {
    this.root = root;
    this.draw = draw;
    this.caption = caption;
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
    box.style.aspectRatio = `${width} / ${height}`;
    this.still.before(box);
    this.still.classList.add("x0-explorer__still");
    this.svg = select(box).append("svg").attr("role", "img");
    this.reset.disabled = false;
    if (this.caption) this.recaption();
    this.size = new ResizeObserver(() => this.render());
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
    const { width, height } = this.svg.node().parentElement.getBoundingClientRect();
    if (width < 160) return; // the page is not laid out yet
    const start = performance.now();
    this.svg.attr("viewBox", `0 0 ${width} ${height}`).selectAll("*").remove();
    const t = this.t.bind(this);
    const view = { svg: this.svg, width, height, values: this.values, t, set: this.set.bind(this) };
    this.said.textContent = this.draw(view).join(document.documentElement.lang.startsWith("zh") ? "" : " ");
    this.svg.attr("aria-label", this.said.textContent);
    this.root.dataset.ms = (performance.now() - start).toFixed(1);
  }
}

/* ---- Drawing. */

/** Powers of ten for a logarithmic axis, not too many. */
export function decades([low, high], count = 6) {
  const exponents = scaleLinear([Math.log10(low), Math.log10(high)], [0, 1]).ticks(count);
  return exponents.filter(Number.isInteger).map((n) => 10 ** n);
}

/** Draw axes and a grid; return the area for the data, which clips what lies outside. */
export function panel(svg, { left, top, width, height, x, y, xLabel, yLabel, xTicks = 6, yTicks = 6 }) {
  const axis = (make, scale, ticks, size) => {
    const found = make(scale).offset(0).tickSizeInner(5).tickSizeOuter(0).tickPadding(4);
    const log = "base" in scale;
    const values = Array.isArray(ticks) ? ticks : log ? decades(scale.domain(), ticks) : scale.ticks(ticks);
    found.tickValues(values);
    if (log) found.tickFormat((value) => `10${raised(Math.round(Math.log10(value)))}`);
    return [found, values, size];
  };
  x.range([0, width]);
  y.range([height, 0]);
  const g = svg.append("g").attr("transform", `translate(${left},${top})`);
  const [bottom, columns] = axis(axisBottom, x, xTicks);
  const [side, rows] = axis(axisLeft, y, yTicks);
  const grid = g.append("g").attr("class", "x0-plot__grid");
  for (const value of columns) grid.append("path").attr("d", `M${x(value)},0V${height}`);
  for (const value of rows) grid.append("path").attr("d", `M0,${y(value)}H${width}`);
  g.append("g").attr("class", "x0-plot__axis").attr("transform", `translate(0,${height})`).call(bottom);
  g.append("g").attr("class", "x0-plot__axis").call(side);
  if (xLabel) label(g, xLabel, width / 2, height + 36, "middle");
  if (yLabel) label(g, yLabel, 0, 0, "middle").attr("transform", `translate(-48,${height / 2})rotate(-90)`);
  const area = g.append("svg").attr("class", "x0-plot__area");
  return area.attr("width", width).attr("height", height);
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
  dot: "M-3.5,0a3.5,3.5 0 1 0 7,0a3.5,3.5 0 1 0-7,0",
  grip: "M-7,0a7,7 0 1 0 14,0a7,7 0 1 0-14,0",
  up: "M0,-4.5L4.2,3H-4.2Z",
  square: "M-3.2,-3.2h6.4v6.4h-6.4Z",
};

/** Draw a mark at every point that is a number. */
export function dots(area, points, { x, y }, mark, color) {
  const g = area.append("g");
  for (const [a, b] of points) {
    if (!(Math.abs(x(a)) < FAR && Math.abs(y(b)) < FAR)) continue;
    g.append("path").attr("class", "x0-plot__dot").attr("d", MARKS[mark])
      .attr("transform", `translate(${x(a).toFixed(1)},${y(b).toFixed(1)})`).style("--c", color);
  }
  return g;
}

/** Say what is what, above a panel: rows of [kind, color, text], where a kind is a line's or a mark's. */
export function legend(svg, rows, left, top, width) {
  let [x, y] = [left, top];
  for (const [kind, color, text] of rows) {
    const g = svg.append("g").attr("class", "x0-plot__legend");
    if (kind in MARKS) g.append("path").attr("class", "x0-plot__dot").attr("d", MARKS[kind]).attr("transform", "translate(12,0)");
    else g.append("path").attr("class", `x0-plot__${kind}`).attr("d", kind === "band" ? "M0,-5H24V5H0Z" : "M0,0H24");
    g.style("--c", color);
    const size = 30 + label(g, text, 30, 4).node().getComputedTextLength() + 14;
    if (x > left && x + size > left + width + 14) [x, y] = [left, y + 18];
    g.attr("transform", `translate(${x},${y})`);
    x += size;
  }
  return y + 14;
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
