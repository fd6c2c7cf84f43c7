"""The table of recipes is the module's, each rule has a source, and the streams follow the law."""

import math
import re
from pathlib import Path

import pytest

from x0.initialization import recipes, transformers_scale

ROOT = Path(__file__).parents[2]
WORDS = {
    "en": {"none": "–", "not stated": "not stated", "tied": "tied"},
    "zh": {"none": "–", "not stated": "未说明", "tied": "共享"},
}
DRAWN = {"normal": "正态", "uniform": "均匀", "cut at 2": "截在 2", "cut at 3": "截在 3"}


def rows(language):
    page = (ROOT / f"docs/{language}/initialization/recipes.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def value(rule, **shape):
    """Return the number of a rule, which is code in the module and TeX on the page."""
    code = rule.replace("\\sqrt", "q").replace("{", "(").replace("}", ")")
    code = re.sub(r"(?<=[\d)a-zA-Z])(?=[a-zA-Z])(?<!q)", "*", code)
    return eval(code, {"q": math.sqrt}, shape)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.proves("recipes-cells", kind="call", range="17 models, 9 groups, zh = en")
def test_the_table_repeats_the_rules_of_the_module_cell_by_cell(language):
    """Each cell of the table is the module's, whose rules have a quotation and a place each; the groups
    of the three ways to treat the residual weights, and the range of the embeddings, follow from it."""
    table = rows(language)
    assert len(table) == len(recipes.RECIPES) == 17
    for (name, recipe), cells in zip(recipes.RECIPES.items(), table, strict=True):
        assert re.split("[,，]", cells[0])[0] == name.split(",")[0]
        assert cells[0].endswith(f"{{exact:{recipe.year}}}")
        drawn, words = recipe.distribution, WORDS[language]
        assert cells[1] == ({**words, **DRAWN} if language == "zh" else {}).get(drawn, drawn)
        for group, cell in zip(recipes.GROUPS, cells[2:11], strict=True):
            rule = recipe.cells[group].rule
            if rule in words:
                assert cell == words[rule]
            elif group == "rate":
                found = "; ".join(re.findall("`(.+?)`", cell))
                assert ("~ " if cell.startswith("∝") else "") + found == rule
            else:
                parts = zip(re.findall(r"\$(.+?)\$", cell), rule.split("; "), strict=True)
                for tex, code in parts:
                    for n in (768, 1000):
                        shape = {"n": n, "m": 3 * n, "d": 64, "D": 12, "l": 5}
                        assert value(tex, **shape) == pytest.approx(eval(code, {}, shape))
        for key in re.findall(r"@([\w-]+)", cells[11]):
            assert f"{{{key}," in (ROOT / "snippets/references.bib").read_text()
    for recipe in recipes.RECIPES.values():
        for cell in recipe.cells.values():
            assert cell.place
            assert cell.quote or cell.rule in ("none", "not stated")
            assert not (cell.quote and cell.rule == "not stated")
    ways = {"plain": set(), "depth": set(), "zero": set()}
    for name, recipe in recipes.RECIPES.items():
        rule = recipe.cells["down"].rule
        way = "zero" if rule == "0" else "depth" if re.search("[Dl]", rule) else "plain"
        ways[way].add(name.split(",")[0].split()[0])
    assert ways["zero"] == {"nanochat", "modded-nanogpt"}
    assert ways["depth"] == {"GPT-2", "Megatron-LM", "Cerebras-GPT", "Llama"}
    assert {"GPT-2", "T5", "Gemma", "OLMo", "DeepSeek-V3", "Qwen3"} <= ways["plain"]
    assert recipes.RECIPES["nanochat"].cells["output"].rule == "0"
    assert recipes.RECIPES["modded-nanogpt"].cells["output"].rule != "0"
    fixed = [r.cells["embedding"].rule for r in recipes.RECIPES.values()]
    fixed = [float(x) for x in fixed if re.fullmatch(r"[\d.]+", x)]
    assert (min(fixed), max(fixed)) == (0.005, 1)


def test_a_rule_without_a_source_is_refused():
    block = recipes.SOURCES.strip().split("\n\n")[2]
    assert recipes.parse(block)
    for wrong, said in (
        (block.replace("@ openai/gpt-2: src/model.py\n", ""), "a place and a quotation"),
        (block.replace(" | def conv1d(x, scope, nf, *, w_init_stdev=0.02)", ""), "a place and"),
        (block.split("\n", 1)[1], "name model, year"),
        (block.replace("router | none\n", ""), "a cell for each group"),
    ):
        with pytest.raises(ValueError, match=said):
            recipes.parse(wrong)


@pytest.mark.parametrize(
    "arguments", [("GPT-4", "qkv"), ("Gemma", "bias"), ("Gemma", "qkv", 0), ("Gemma", "qkv", 13)]
)
def test_what_does_not_exist_is_refused(arguments):
    with pytest.raises(ValueError, match=r"must (stand|be)"):
        recipes.stds(*arguments)


def test_rules_give_the_standard_deviations_of_the_shape():
    assert recipes.stds("GPT-2, nanoGPT", "down") == pytest.approx([0.02 / 24**0.5])
    assert recipes.stds("Llama 3 8B, torchtitan", "up", 8) == pytest.approx([0.005, 0.02])
    assert recipes.stds("T5, Hugging Face", "qkv") == pytest.approx([1 / 768**0.5 / 8, 768**-0.5])
    assert recipes.stds("BERT", "head") == recipes.stds("BERT", "norm") == []


@pytest.mark.proves(
    "recipes-streams", kind="caption", range="9 models, width 768, 12 layers", tolerance="10 %"
)
def test_caption_of_the_streams(values):
    """Squares are the embeddings, dots the streams after 12 layers; each branch of OLMo 2 adds 1."""
    end = values("recipes")["end"]
    n_v = 768 * 0.02**2
    per_layer = sum(transformers_scale.branch_moments(n_v))
    for model, factor in (("GPT-2, OpenAI's code", 12), ("GPT-2, nanoGPT", 1 / 2)):
        assert end[model] == pytest.approx(0.02**2 + factor * per_layer, rel=0.1)
    assert end["OLMo 2 7B"] == pytest.approx(24, rel=0.05)
    assert end["T5, Hugging Face"] == pytest.approx(1 + 12 * 1.5, rel=0.1)
    figure = recipes.plot_streams()
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    for label, index in (("embedding", 0), ("after 12 layers", -1)):
        seen = dict(zip(names, lines[label].get_xdata(), strict=True))
        assert seen == {
            "nanoGPT" if "nanoGPT" in model else model.partition(",")[0]: recipes.stream(model)[
                index
            ]
            for model in recipes.MLP
        }
    assert len(names) == 9
    assert values("recipes")["start"] == {m: recipes.stream(m)[0] for m in recipes.MLP}
    assert values("recipes")["start"]["DeepSeek-V3"] == pytest.approx(0.006**2, rel=0.05)


@pytest.mark.proves("recipes-depth", kind="fact", range="6 models, 12 layers", tolerance="20 %")
def test_without_a_smaller_residual_weight_the_stream_grows_with_the_depth(monkeypatch):
    """With residual weights like the others, twelve layers add about twelve times what one adds; in OLMo 2,
    whose branches end with a norm, they add as much with these weights divided by the root of 2 D."""
    plain = ("GPT-2, OpenAI's code", "T5, Hugging Face", "Gemma", "OLMo 2 7B")
    for model in (*plain, "DeepSeek-V3", "Qwen3 MoE, Hugging Face"):
        moments = recipes.stream(model)
        assert (moments[-1] - moments[0]) / (moments[1] - moments[0]) == pytest.approx(12, rel=0.2)
    scaled = recipes.stream("GPT-2, nanoGPT")
    assert scaled[-1] < 0.1 * recipes.stream("GPT-2, OpenAI's code")[-1]
    model = "OLMo 2 7B"
    recipe, before = recipes.RECIPES[model], recipes.stream(model)[-1]
    smaller = {
        g: recipe.cells[g]._replace(rule="0.02 / (2 * D) ** 0.5") for g in ("output", "down")
    }
    changed = recipe._replace(cells=recipe.cells | smaller)
    monkeypatch.setitem(recipes.RECIPES, model, changed)
    assert recipes.stream.__wrapped__(model)[-1] == pytest.approx(before, rel=0.05)
