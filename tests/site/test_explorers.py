"""The figures that move: every control in both languages, by keyboard, mouse and finger; what is drawn is read back."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect
from published import URL
from visit import SIZES, settle

from x0.initialization import mean_field, mean_field_gains
from x0.taylor import univariate
from x0.training import learning_rate, learning_rate_noise
from x0.training.momentum import momentum_step
from x0_build.book import read_book
from x0_build.data.explorers import FOLDER
from x0_build.project import Project

ROOT = Path(__file__).parents[2]
BOOK = read_book(Project(ROOT))
PLACES = [(row["name"], BOOK.homes["fig", figure], row) for figure, row in BOOK.explorers.items()]
EXPLORERS = {name: (page, row) for name, page, row in reversed(PLACES)}  # where each is at home
ELSEWHERE = [(name, page, row) for name, page, row in PLACES if page != EXPLORERS[name][0]]
LANGUAGES = ("", "en/")
CASES = list(itertools.product(EXPLORERS, LANGUAGES))
MOST_MS = 100  # from a control to the drawing
MILLION = """() => {
  const start = performance.now();
  let sum = 0;
  for (let i = 0; i < 1e6; i++) sum += Math.tanh(i / 1e6);
  return performance.now() - start + 0 * sum;
}"""
USUAL_MS = 25  # that this takes on a machine that is free
TEXTS = {
    "signal": {"activation": "tanh"},
    "descent": {"method": "heavy ball"},
}  # where all controls matter
TEXTS |= {"gain": {"activation": "your formula"}}
NUMBER = r"(−?\d+(?:\.\d+)?(?:\u00a0×\u00a010[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?)"
# What each says of its drawing: the sentence, and the line whose last point it tells.
SAID = {
    "signal": (rf"the signal’s second moment is multiplied by {NUMBER}", "signal"),
    "phase": (rf"After 100 layers the correlation is {NUMBER}", "correlation"),
    "taylor": (rf"error {NUMBER},", "error"),
    "descent": (rf"After 100 steps the distance is {NUMBER}", "distance"),
    "schedule": (rf"After [\d,]+ steps the mean squared error is {NUMBER}", "error"),
}
SLOWED = 4  # a phone
# The points of a line in the units of its axes, which the ticks tell.
READ = """(root, name) => {
  const path = root.querySelector(`[data-line="${name}"]`);
  const panel = path.closest("svg").parentElement;
  const number = (text) => {
    const low = text.replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c)).replace("⁻", "-");
    const power = /^10(-?\\d+)$/.exec(low);
    return power && /[⁰¹²³⁴⁵⁶⁷⁸⁹]/.test(text) ? ["log", +power[1]] : ["linear", +text.replace("−", "-").replace(",", "")];
  };
  const ticks = (axis, side) => [...axis.querySelectorAll(".tick")].map((tick) => {
    const [x, y] = tick.getAttribute("transform").match(/[-\\d.]+/g).map(Number);
    return [side ? y : x, ...number(tick.textContent)];
  });
  const [bottom, left] = [...panel.querySelectorAll(":scope > .x0-plot__axis")];
  const points = path.getAttribute("d").split(/[ML]/).filter(Boolean)
    .map((point) => point.split(",").map(parseFloat));
  return [points, ticks(bottom, false), ticks(left, true)];
}"""


def address(name: str, language: str) -> str:
    page = EXPLORERS[name][0]
    folder = "" if page == "index" else f"{page}/"
    return f"{URL}{language}{folder}"


def find(page: Page, name: str) -> Locator:
    """Bring an explorer into view and wait until it listens."""
    root = page.locator(f"[data-explorer={name}]")
    root.scroll_into_view_if_needed()
    expect(root).to_have_attribute("data-ready", "yes", timeout=20_000)
    return root


def drawn(page: Page) -> str:
    live = page.locator(".x0-explorer__live > svg")
    return str(live.inner_html()) if live.count() else ""


def move(control: Locator) -> None:
    """Change a control as a keyboard does."""
    kind = control.evaluate("x => x.type")
    control.focus()
    if kind == "select-one":
        index = control.evaluate("x => (x.selectedIndex + 1) % x.options.length")
        control.select_option(index=index)
    elif kind == "button":
        control.press("Enter")
    elif kind == "text":
        control.fill("max(0, z) + 0.1 * z")
        control.press("Tab")
    else:
        at_end = control.evaluate("x => x.value === x.max")
        control.press("ArrowLeft" if at_end else "ArrowRight")


@pytest.mark.parametrize(("name", "language"), CASES)
def test_every_control_moves_the_figure(page: Page, name: str, language: str) -> None:
    row = EXPLORERS[name][1]
    page.goto(address(name, language))
    settle(page)
    root = find(page, name)
    still = root.locator("xpath=..").locator(":scope > svg")
    expect(still).to_be_visible()
    said, before = root.locator(".x0-explorer__said"), root.locator("xpath=../..").bounding_box()
    text, picture = said.inner_text(), drawn(page)
    for control, value in TEXTS.get(name, {}).items():
        root.locator(f"[name={control}]").select_option(value)
        expect(still).to_be_hidden()
    slow = []
    for control in row["control"]:
        move(root.locator(f"[name={control['name']}]"))
        for _ in range(100):
            if drawn(page) != picture and f"{name}.{control['name']}=" in page.url:
                break
            page.wait_for_timeout(50)
        else:
            pytest.fail(f"{control['name']} moves nothing")
        picture = drawn(page)
        slow.append(float(root.get_attribute("data-ms") or 0))
        for field in root.locator("label").all():
            value, own = field.locator("b"), field.locator("input[type=range]")
            if value.count() and own.count():
                steps = own.get_attribute("data-steps")
                shown = own.get_attribute("aria-valuetext") if steps else own.input_value()
                expect(value).to_have_text(shown or "")
    # The quickest answer: a machine that is busy with other things is late. `make bench` prints medians.
    assert min(slow) < MOST_MS * max(1, page.evaluate(MILLION) / USUAL_MS)
    assert said.inner_text() != text
    expect(root.locator("[role=status]")).to_have_text(said.inner_text())
    after = root.locator("xpath=../..").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] == before["width"]
    assert abs(after["height"] - before["height"]) < 1
    # The view has an address, in which the values stand; Reset gives the figure back.
    url, values = (
        page.url,
        root.evaluate("x => Object.fromEntries(new FormData(x.querySelector('form')))"),
    )
    page.goto("about:blank")
    page.goto(url)
    root = find(page, name)
    assert root.evaluate("x => Object.fromEntries(new FormData(x.querySelector('form')))") == values
    expect(page.locator(".x0-explorer__live")).to_be_visible()
    root.locator("[type=reset]").click()
    expect(still).to_be_visible()
    assert drawn(page) == ""
    assert f"{name}." not in page.url
    expect(said).to_have_text(text)


# How high everything is from the figure's top to its end, before a control is touched and after each change.
HEIGHTS = """async (root) => {
  const figure = root.closest("figure");
  const found = [];
  const look = () => found.push(figure.getBoundingClientRect().height);
  const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  look();
  for (const x of root.querySelectorAll("input[type=range], select")) {
    const { value } = x, options = x.options && [...x.options].map((y) => y.value);
    for (const to of [...(options ?? [0, 1, 2, 3].map((n) => +x.min + (n * (x.max - x.min)) / 3)), value]) {
      x.value = to;
      x.dispatchEvent(new Event("input", { bubbles: true }));
      await drawn();
      look();
    }
  }
  return found;
}"""
SEEN_AT = [
    (BOOK.explorers[key]["name"], place)
    for place, kind, key in BOOK.numbers
    if kind == "fig" and key in BOOK.explorers
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "place"), SEEN_AT)
def test_what_stands_below_keeps_its_place(
    page: Page, name: str, place: str, language: str
) -> None:
    """When it comes alive and at any value of a control, on four widths."""
    page.goto(URL + language + ("" if place == "index" else f"{place}/"))
    for width in (1440, 1024, 390, 360):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        root = find(page, name)
        before, *after = root.evaluate(HEIGHTS)
        assert len(after) > 8
        assert max(after) - before < 1, width
        assert before - min(after) < 1, width
        root.evaluate("x => x.querySelector('form').reset()")
        expect(page.locator(".x0-explorer__live")).to_have_count(0)


@pytest.mark.parametrize("name", EXPLORERS)
def test_it_answers_in_time_at_a_quarter_of_the_speed(page: Page, name: str) -> None:
    """The quickest of six drawings at each of five values of a control."""
    page.goto(address(name, "en/"))
    root = find(page, name)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    slowest = root.evaluate(
        """async (root) => {
          const found = {};
          for (const x of root.querySelectorAll("input[type=range], select")) {
            const { value } = x, options = x.options && [...x.options].map((y) => y.value);
            const values = options ?? [0, 1, 2, 3, 4].map((n) => +x.min + (n * (x.max - x.min)) / 4);
            for (const round of [0, 1]) for (const to of values) {
              let best = Infinity;
              if (round) found[x.name] ??= 0; // the first round is for the engine to get warm
              for (let n = 0; n < 3 + 3 * round; n++) {
                x.value = to;
                x.dispatchEvent(new Event("input", { bubbles: true }));
                best = Math.min(best, root.dataset.ms);
                await new Promise((done) => setTimeout(done));
              }
              if (round) found[x.name] = Math.max(found[x.name], best);
            }
            x.value = value;
            x.dispatchEvent(new Event("input", { bubbles: true }));
          }
          return found;
        }"""
    )
    busy = min(page.evaluate(MILLION) for _ in range(5)) / (SLOWED * USUAL_MS)
    print(f"{name}: milliseconds at a quarter of the speed {slowest}, machine {busy:.1f}")
    assert max(slowest.values()) < MOST_MS * max(1, busy)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "place", "row"), ELSEWHERE, ids=lambda x: str(x)[:30])
def test_it_begins_elsewhere_with_the_case_of_that_figure(
    page: Page, language: str, name: str, place: str, row: dict[str, Any]
) -> None:
    page.goto(f"{URL}{language}{place}/")
    root = find(page, name)
    shown = root.evaluate("x => Object.fromEntries(new FormData(x.querySelector('form')))")
    sliders = {x["name"]: x for x in row["control"] if x["name"] in shown}
    for key, control in sliders.items():
        wanted = control["value"]
        wanted = control["steps"].index(wanted) if control["steps"] else wanted
        assert shown[key] == str(wanted)
    picture = drawn(page)
    move(root.locator("input[type=range]").first)
    expect(page.locator(".x0-explorer__live")).to_be_visible()
    assert drawn(page) != picture
    if name == "signal":
        said = root.locator(".x0-explorer__said").inner_text()
        assert str(row["control"][4]["value"]) in said  # the depth


def number(text: str) -> float:
    """Return a number as the explorers write it."""
    digits, _, power = text.replace("−", "-").partition("\u00a0×\u00a010")
    low = "".join("-" if x == "⁻" else str("⁰¹²³⁴⁵⁶⁷⁸⁹".index(x)) for x in power)
    return float(digits) * 10 ** int(low or 0)


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_is_what_is_drawn(page: Page, name: str) -> None:
    query = "&".join(f"{name}.{key}={value}" for key, value in SEEN[name][1].items())
    page.goto(f"{address(name, 'en/')}?{query}")
    root = find(page, name)
    pattern, key = SAID[name]
    said = root.locator(".x0-explorer__said").inner_text()
    expect(page.locator(".x0-explorer__live > svg")).to_have_attribute("aria-label", said)
    found = re.search(pattern, said)
    assert found, said
    end = line(root, key)[-1, 1]
    told = 1 - number(found[1]) if name == "phase" else number(found[1])
    assert told == pytest.approx(end, rel=0.03), said


def line(root: Locator, name: str) -> np.ndarray:
    """Read a line of a drawing back, in the units of its axes; shape (points, 2)."""
    figure = root.locator("xpath=..")
    points, *axes = figure.evaluate(f"(root) => ({READ})(root, {name!r})")
    found = np.array(points, dtype=float)
    for column, ticks in zip(found.T, axes, strict=True):
        (x0, kind, a), (x1, _, b) = ticks[0], ticks[-1]
        column[:] = a + (column - x0) * (b - a) / (x1 - x0)
        if kind == "log":
            column[:] = 10**column
    return found


def signal(values: dict[str, str]) -> tuple[str, Callable[[np.ndarray], Any]]:
    path = mean_field.iterate_map(torch.relu, float(values["weight"]), 0.0, 1.0, 50)
    return "signal", lambda x: np.array(path)[x.round().astype(int) - 1]


def phase(values: dict[str, str]) -> tuple[str, Callable[[np.ndarray], Any]]:
    def curve(x: np.ndarray) -> list[float]:
        weight, bias = float(values["weight"]), float(values["bias"])
        return [mean_field.diagnose_point(torch.tanh, weight, bias, max(q, 1e-6))["map"] for q in x]

    return "map", curve


def taylor(values: dict[str, str]) -> tuple[str, Callable[[np.ndarray], Any]]:
    center, order = float(values["center"]), int(values["order"])
    series = univariate.taylor_coefficients(lambda x: 1 / (1 + x**2), center, order)
    return "polynomial", lambda x: univariate.taylor_polynomial(
        series, torch.tensor(x - center)
    ).numpy()


def descent(values: dict[str, str]) -> tuple[str, Callable[[np.ndarray], Any]]:
    theta, buffer = torch.tensor([-3.0, 1.6], dtype=torch.float64), None
    curvature, far = torch.tensor([1 / 20, 1.0], dtype=torch.float64), []
    for _ in range(101):
        far.append(float(theta.norm()))
        theta, buffer = momentum_step(theta, curvature * theta, buffer, float(values["rate"]), 0.0)
    return "distance", lambda x: np.array(far)[x.round().astype(int)]


def gain(values: dict[str, str]) -> tuple[str, Callable[[np.ndarray], Any]]:
    def curve(q: np.ndarray) -> np.ndarray:
        moments = torch.tensor(q)
        return (
            moments
            / mean_field.activation_moments(mean_field_gains.ACTIVATIONS["gelu"], moments)[0]
        ).numpy()

    return "gain", curve


def schedule(values: dict[str, str]) -> tuple[str, Callable[[np.ndarray], Any]]:
    warmup = 30 * int(values["warmup"])
    error = learning_rate_noise.predicted_error(
        lambda t: 0.1 * learning_rate.warmup_cosine(t - 1, 3000, warmup), 3000
    )
    return "error", lambda x: error[x.round().astype(int) - 1]


SEEN: dict[str, tuple[Any, dict[str, str]]] = {
    "signal": (signal, {"weight": "1.85"}),
    "phase": (phase, {"weight": "2.6", "bias": "0.2"}),
    "taylor": (taylor, {"center": "0.25", "order": "4", "range": "0.8"}),
    "descent": (descent, {"rate": "1.4"}),
    "gain": (gain, {"activation": "GELU"}),
    "schedule": (schedule, {"warmup": "10", "plateau": "0"}),
}


@pytest.mark.parametrize(("name", "language"), CASES)
def test_the_drawn_line_is_that_of_the_module(page: Page, name: str, language: str) -> None:
    """A view by its address; within the half pixel that a drawing resolves."""
    reference, values = SEEN[name]
    query = "&".join(f"{name}.{key}={value}" for key, value in values.items())
    page.goto(f"{address(name, language)}?{query}")
    root = find(page, name)
    key, curve = reference(values)
    found = line(root, key)
    wanted = np.array(curve(found[:, 0]))
    spread = max(abs(found[:, 1])) if name in ("phase", "taylor") else found[:, 1]
    assert len(found) > 20
    assert np.abs((found[:, 1] - wanted) / spread).max() < 0.02


def test_a_finger_drags_the_point_and_scrolls_elsewhere(chromium: Browser) -> None:
    context = chromium.new_context(viewport=SIZES["narrow"], has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address('phase', 'en/')}?phase.weight=2&phase.bias=0.1")
    root = find(page, "phase")
    handle = page.locator(".x0-plot__handle")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    cdp = context.new_cdp_session(page)
    for kind, steps in (("touchStart", 0), ("touchMove", 1), ("touchMove", 2), ("touchEnd", None)):
        at = [] if steps is None else [{"x": x + 20 * steps, "y": y - 10 * steps}]
        cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    page.wait_for_timeout(100)
    assert float(root.locator("[name=weight]").input_value()) > 2.2
    assert float(root.locator("[name=bias]").input_value()) > 0.11
    assert "phase.weight=2." in page.url
    context.close()


def test_a_mouse_moves_the_rate_along_the_border(page: Page) -> None:
    page.goto(f"{address('descent', 'en/')}?descent.rate=1")
    root = find(page, "descent")
    surface = page.locator(".x0-plot__surface").first
    box = surface.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 30)
    page.mouse.up()
    assert float(root.locator("[name=rate]").input_value()) == pytest.approx(3, abs=0.05)
    expect(root.locator(".x0-explorer__said")).to_contain_text("It diverges")


VERDICTS = [
    ("activation=ReLU&weight=2&width=512&depth=10", "As predicted, signal and gradient hold."),
    ("activation=ReLU&weight=2&width=16&depth=100", "It is too narrow to follow the prediction."),
    ("activation=logistic&weight=2", "As predicted, the gradient vanishes and the signal holds."),
    ("activation=tanh&weight=4&depth=100", "As predicted, the gradient explodes and the signal holds."),
    ("activation=ReLU&weight=4", "As predicted, signal and gradient explode."),
    ("activation=tanh&weight=0.95", "second moment of the signal tends to 0, that of the gradient tends to 0."),
    ("activation=tanh&weight=1", "the signal tends to 0, that of the gradient changes by a power of the depth."),
    ("activation=tanh&weight=1.05", "second moment of the signal settles at 0.02"),
    ("activation=tanh&weight=0.5&bias=0.05", "second moment of the signal settles at 0.0"),
    ("activation=ReLU&weight=2", "second moment of the signal settles at 1.00, that of the gradient stays as it is."),
    ("activation=tanh&weight=2", "that of the gradient grows without bound."),
    ("activation=SELU&weight=1", "that of the gradient grows without bound."),
    ("activation=logistic&weight=4", "that of the gradient tends to 0."),
    ("activation=logistic&weight=100&depth=15", "As predicted, signal and gradient hold."),
    ("activation=ReLU&weight=2&bias=0.05", "second moment of the signal grows without bound, that of the gradient stays as it is."),
]  # fmt: skip


@pytest.mark.parametrize(("values", "verdict"), VERDICTS)
def test_the_verdict_is_that_of_prediction_and_network(
    page: Page, values: str, verdict: str
) -> None:
    """Signal and gradient are judged by the numbers that are told, those of this network too."""
    query = "&".join(f"signal.{value}" for value in values.split("&"))
    page.goto(f"{address('signal', 'en/')}?{query}")
    said = find(page, "signal").locator(".x0-explorer__said").inner_text()
    assert verdict in said
    pattern = rf"multiplied by {NUMBER} \(this network: {NUMBER}\).*gradient’s by {NUMBER} \(this network: {NUMBER}\)"
    found = re.search(pattern, said)
    assert found, said
    signal, drawn, gradient, back = (number(text) for text in found.groups())

    one = {"vanish": "vanishes", "explode": "explodes", "hold": "holds"}

    def judged(*factors: float) -> str:
        fates = ["vanish" if x < 1e-3 else "explode" if x > 1e3 else "hold" for x in factors]
        if fates[0] == fates[1]:
            return f"signal and gradient {fates[0]}"
        parts = [
            f"the {name} {one[x]}" for name, x in zip(("signal", "gradient"), fates, strict=True)
        ]
        return " and ".join(reversed(parts) if "holds" in parts[0] else parts)

    told = said.partition("As layers")[0]
    predicted, here = judged(signal, gradient), judged(drawn, back)
    if predicted == here:
        assert told.strip() == f"As predicted, {here}."
    else:
        assert told.startswith(f"Predicted: {predicted}. In this network: {here}.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_live_figure_has_its_own_caption(page: Page, language: str) -> None:
    """The caption of the printed figure comes back with it, and on paper; the focus stays below."""
    page.goto(address("signal", language))
    root = find(page, "signal")
    caption = root.locator("xpath=ancestor::figure").locator("figcaption")
    printed, whole = caption.inner_text(), caption.inner_html()
    move(root.locator("[name=width]"))
    live = caption.inner_text()
    assert live != printed
    assert live.startswith(caption.locator(".x0-fig__no").inner_text())
    assert "1/1000" in live
    page.emulate_media(media="print")
    assert caption.inner_text() == printed
    page.emulate_media(media="screen")
    root.locator("[type=reset]").focus()
    page.keyboard.press("Enter")
    expect(caption).to_have_text(printed)
    assert caption.inner_html() == whole
    expect(root.locator("[name=activation]")).to_be_focused()


def test_the_other_language_shows_the_same_view(page: Page) -> None:
    page.goto(f"{address('signal', '')}?signal.weight=2&signal.width=16")
    find(page, "signal")
    page.locator("#x0-lang").click()
    page.wait_for_url(f"{address('signal', 'en/')}?**")
    root = find(page, "signal")
    assert root.locator("[name=weight]").get_attribute("aria-valuetext") == "2"
    expect(page.locator(".x0-explorer__live")).to_be_visible()


def test_own_formulas_are_read_and_wrong_ones_pointed_at(page: Page) -> None:
    page.goto(address("gain", "en/"))
    root = find(page, "gain")
    root.locator("[name=activation]").select_option("your formula")
    formula, said = root.locator("[name=formula]"), root.locator(".x0-explorer__said")
    formula.fill("max(0, z)")
    expect(said).to_contain_text("n · Var(w) = 2.000")
    formula.fill("max(0, z")
    expect(said).to_contain_text("not understood from character 9")
    formula.fill("window.x0Ran = 1")
    expect(said).to_contain_text("not understood from character 1")
    assert page.evaluate("window.x0Ran") is None
    formula.fill("0 * z")
    expect(said).to_contain_text("No gain")


@pytest.mark.parametrize(
    ("language", "none", "some"),
    [("en/", "No gain is given", "are left out"), ("", "不给出增益", "不给出数值")],
)
def test_no_gain_is_told_where_the_quadrature_cannot_be_trusted(
    page: Page, language: str, none: str, some: str
) -> None:
    """Of exp(z), whose squared gain is q exp(-2q): told at q = 10, not told and not drawn at q = 100."""
    page.goto(address("gain", language))
    root = find(page, "gain")
    root.locator("[name=formula]").fill("exp(z)")
    said, moment = root.locator(".x0-explorer__said"), root.locator("[name=moment]")
    steps = json.loads(moment.get_attribute("data-steps") or "")
    for q, told, hidden in ((10, some, none), (100, none, some)):
        moment.fill(str(steps.index(q)))
        expect(said).to_contain_text(told)
        expect(said).not_to_contain_text(hidden)
        assert ("n · Var(w)" in said.inner_text()) == (q == 10)
    drawn = line(root, "gain")[:, 0].max()
    assert 10 < drawn < 30
    root.locator("[name=formula]").fill("max(0, z)^2")
    expect(said).to_contain_text("n · Var(w)")
    expect(said).not_to_contain_text(some)
    assert line(root, "gain")[:, 0].max() > 95


def test_nothing_is_loaded_before_a_figure_comes_into_view(page: Page) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address("schedule", "en/"))
    settle(page)
    scripts = [url.rpartition("/")[2] for url in fetched if f"{FOLDER}/" in url]
    assert scripts == ["loader.js"]
    find(page, "schedule")
    assert any(url.endswith("schedule.js") for url in fetched)


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_page_is_complete_without_script_and_on_paper(chromium: Browser, name: str) -> None:
    for enabled in (False, True):
        context = chromium.new_context(viewport=SIZES["wide"], java_script_enabled=enabled)
        page = context.new_page()
        page.goto(
            address(name, "")
            + (f"?{name}.{EXPLORERS[name][1]['control'][1]['name']}=1" if enabled else "")
        )
        if enabled:
            find(page, name)
            page.emulate_media(media="print")
        root = page.locator(f"[data-explorer={name}]")
        expect(root).to_be_hidden()
        expect(root.locator("xpath=..").locator(":scope > svg")).to_be_visible()
        expect(page.locator(".x0-explorer__live")).to_have_count(int(enabled))
        if enabled:
            expect(page.locator(".x0-explorer__live")).to_be_hidden()
        context.close()


def test_the_scripts_are_light(site: Path) -> None:
    """At most 12 KB of an explorer and 25 KB of what they share, gzip."""
    import gzip

    sizes = {x.name: len(gzip.compress(x.read_bytes())) for x in (site / FOLDER).glob("*.js")}
    own = {name: sizes.pop(f"{name}.js") for name in EXPLORERS}
    assert max(own.values()) < 12_000, own
    assert sum(sizes.values()) < 25_000, sizes  # the loader and the chunks


def test_links_set_controls_that_exist() -> None:
    """A link of a page with settings in its address names controls of an explorer, and values they take."""
    rows = {row["name"]: {x["name"]: x for x in row["control"]} for row in BOOK.explorers.values()}
    links = [
        (page.path.name, query)
        for pages in BOOK.pages.values()
        for page in pages.values()
        for link, _ in page.links
        for query in parse_qsl(urlsplit(link).query)
        if not urlsplit(link).netloc
    ]
    assert links
    for where, (name, value) in links:
        explorer, _, control = name.partition(".")
        row = rows[explorer][control]
        assert not row["options"] or value in row["options"], (where, name, value)
