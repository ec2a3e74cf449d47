"""Charts as files and pages: they are what their endings say, need no network, and tell what is under the pointer."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import ontogeny as og
from ontogeny.ask.chart import Chart, Curve, chart
from ontogeny.ask.scale import LOG, SYMMETRIC, Scale
from ontogeny.faces.cli import app
from ontogeny.faces.colours import DARK, LIGHT, VIRIDIS, levels, limits, palette, png
from ontogeny.faces.density_page import density_page, shortened
from ontogeny.faces.density_words import heading, side_by_side
from ontogeny.faces.ticks import marks, plain, power, round_numbers, step_marks
from ontogeny.record.attach import Attached
from ontogeny.record.trace.arrays import ArrayTraces
from tests.faces.test_pages import HOSTILE, parsed
from tests.spec.test_chart import walk

image = pytest.importorskip("PIL.Image")
picture = pytest.importorskip("ontogeny.faces.density_picture")
FILE = str(Path(__file__).parent / "perceptron.py")


@pytest.fixture(autouse=True)
def in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("COLUMNS", "200")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


def drawn(**words: Any) -> Chart:
    arrays = {f"{name}.weight": walk(40, 600, seed).reshape(40, 20, 30) for seed, name in enumerate("ab")}
    found = chart(ArrayTraces(arrays), **{"columns": 200, "rows": 90, **words})
    steps = np.arange(40.0)
    curves = (
        Curve("loss", "training", steps, 3 / (1 + steps)),
        Curve("loss", "validation", steps[::5], 4 / (1 + steps[::5])),
    )
    return Chart("run", found.quantity, found.steps, found.recorded, found.panels, curves, found.each)


# Colours and ticks


def test_the_colours_are_viridis_and_change_in_lightness_one_way() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    places = np.linspace(0, 1, len(VIRIDIS.split()))
    known = np.array([[int(one[at : at + 2], 16) for at in (0, 2, 4)] for one in VIRIDIS.split()])
    assert np.abs(known - matplotlib.colormaps["viridis"](places)[:, :3] * 255).max() <= 2.5
    for theme, sign in ((LIGHT, -1), (DARK, 1)):
        lightness = palette(theme)[1:].astype(float) @ [0.2126, 0.7152, 0.0722]
        assert (sign * np.diff(lightness[::8]) > 0).all()


def test_levels_tell_none_from_few_from_many() -> None:
    counts = np.array([[0, 1, 10, 1000]], np.float32)
    low, high = limits(counts)
    assert levels(counts, low, high).tolist() == [[0, 1, 86, 255]]
    assert limits(np.zeros((2, 2), np.float32))[0] > 0


def test_our_png_is_read_by_others() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(8, 32)
    read = image.open(io.BytesIO(png(pixels, palette(LIGHT), clear=True))).convert("RGBA")
    found = np.asarray(read)
    assert np.array_equal(found[..., :3].reshape(-1, 3)[1:], palette(LIGHT)[1:])
    assert found[0, 0, 3] == 0 and (found.reshape(-1, 4)[1:, 3] == 255).all()


def test_marks_are_round_and_have_room() -> None:
    assert round_numbers(-1.0, 1.0, 4) == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert [words for _, words in step_marks(0, 2, 8)] == ["0", "1", "2"]
    assert [words for _, words in marks(Scale(SYMMETRIC, 1e-4), -0.5, 0.5, 4)] == [
        "−0.1", "−0.001", "0", "0.001", "0.1",
    ]  # fmt: skip
    assert [value for value, _ in marks(Scale(LOG), 1e-6, 1.0, 12)] == [10.0**e for e in range(-6, 1)]
    assert power(-1e-7) == "−10⁻⁷" and plain(-0.5) == "−0.5"
    for scale in (Scale(SYMMETRIC, 1e-3), Scale(LOG), Scale()):
        places = scale.forward([value for value, _ in marks(scale, 0.01, 90.0, 5)])
        first, last = scale.forward([0.01, 90.0])
        assert len(places) >= 3 and np.diff(places).min() >= (last - first) / 12


def test_panels_leave_few_places_empty() -> None:
    for count in range(1, 60):
        across = side_by_side(count)
        assert 1 <= across <= 5 and (count <= 3 or -count % across <= 2)


# Files


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("words", [{}, {"each": "tensor"}, {"log": True, "quantity": "update"}])
def test_a_png_has_one_pixel_for_each_count(tmp_path: Path, words: dict[str, Any], dark: bool) -> None:
    found = drawn(**words)
    target = picture.save_density(picture.draw_density(found, "A title", dark), tmp_path / "new" / "one.png")
    pixels = np.asarray(image.open(target).convert("RGB"))
    theme = DARK if dark else LIGHT
    expected = palette(theme)[levels(found.panels[0].density.counts, *limits(found.panels[0].density.counts))][::-1]
    at = [(y, x) for y in range(60, 200) for x in range(80, 160)]
    closest = min(np.abs(pixels[y : y + 90, x : x + 200].astype(int) - expected).mean() for y, x in at)
    assert closest < 6, "nowhere in the picture do the counts stand pixel by pixel"


def test_an_svg_is_xml_with_its_words(tmp_path: Path) -> None:
    target = picture.save_density(picture.draw_density(drawn(each="layer")), tmp_path / "one.svg")
    text = target.read_text(encoding="utf-8")
    assert "pixelated" not in text, "thin lines would be broken where a viewer makes the picture smaller"
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg") and len(root.findall(".//{*}image")) == 2


def test_a_page_is_whole_safe_and_needs_no_network() -> None:
    found = drawn(each="tensor", lines=["a.weight[3,4]"])
    text = density_page(found, HOSTILE)
    seen = parsed(text).seen
    addresses = [value for _, attributes in seen for name, value in attributes.items() if name in ("src", "href")]
    assert addresses and all((value or "").startswith("data:image/png;base64,") for value in addresses)
    assert "http-equiv" in text and "@import" not in text and "url(" not in text
    kinds = [attributes.get("type") for tag, attributes in seen if tag == "script"]
    assert kinds.count("application/json") == 2 and kinds.count(None) == 1
    labels = [attributes["aria-label"] for _, attributes in seen if attributes.get("role") == "img"]
    assert [str(label).split(" ")[:2] for label in labels] == [["a.weight:", "600"], ["b.weight:", "600"]]
    numbers = re.search(r'<script type="application/json" id="density0">(.*?)</script>', text)
    assert numbers and json.loads(numbers[1])["curves"][0]["name"] == "training loss"


def test_counts_lose_no_more_than_their_fourth_digit() -> None:
    counts = np.array([0, 1, 3, 1023, 123456.7, 1e-3], np.float32)
    np.testing.assert_allclose(shortened(counts), counts, rtol=5e-4)
    assert shortened(counts)[:4].tolist() == [0, 1, 3, 1023]


# The command


@pytest.fixture
def perceptron() -> None:
    shell("run", FILE, "--machine", "reference", "--steps", "30", "--name", "net")


@pytest.mark.parametrize("ending", [".png", ".svg", ".html"])
def test_the_shell_writes_each_kind(perceptron: None, ending: str) -> None:
    words = ("--log", "--line", "w[1]", "--steps", "3:20", "--range", "-2:2", "--width", "300", "--height", "120")
    found = json.loads(shell("chart", "net", "--out", f"out/one{ending}", *words, "--json").stdout)
    assert Path(found["file"]).stat().st_size == found["bytes"] > 5000
    assert found["steps"] == [3, 19] and found["points"] == 17 * 3
    assert found["panels"][0]["range"] == [-2, 2] and found["panels"][0]["from"] == "values"
    assert "17 steps" in shell("chart", "net", "--out", f"out/one{ending}", "--steps", "3:20").output


def test_the_shell_says_what_it_cannot_draw(perceptron: None) -> None:
    for words, said in (
        (("--out", "one.gif"), "let it end in .png, .svg, .html"),
        (("--tensor", "ww"), "did you mean 'w'"),
        (("--range", "1"), "no range of values"),
        (("--quantity", "weight"), "choose value, update, z"),
        (("--steps", "90:99"), "no recorded step"),
    ):
        assert said in shell("chart", "net", *words, exit_code=1).output


# Notebooks


def test_runs_and_charts_show_themselves(perceptron: None, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    run = og.open_run(tmp_path / "runs" / "net")
    html = run._repr_html_()
    parsed(html)
    assert "net, step 30" in html and "data:image/png" in html and "<script" not in html and len(html) < 100_000
    parsed(og.chart(run, each="tensor")._repr_html_())
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with og.attach(model, optimizer, tmp_path / "loop") as loop:
        for _ in range(6):
            lost = model(torch.ones(4, 3)).square().mean()
            lost.backward()
            optimizer.step()
            loop.step(lost)
    shown = Attached(tmp_path / "loop")._repr_html_()
    parsed(shown)
    assert "data:image/png" in shown and "8 parameters" in shown


def test_a_long_run_shows_its_curves_and_how_to_draw_the_rest(
    perceptron: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ontogeny.faces.notebook.SOON", 1)
    html = og.open_run("runs/net")._repr_html_()
    parsed(html)
    assert "og.chart(run)" in html and "data:image" not in html and "<path" in html


def test_nothing_heavy_is_loaded_before_something_is_shown() -> None:
    code = "import sys, ontogeny.record.run; print([m for m in ('matplotlib', 'ontogeny.faces') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# A real browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="`make browser` installs Playwright, as .ci/run does")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium is installed; .ci/run installs Debian's")
    with api.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_tells_the_count_under_the_pointer_and_zooms(browser: Any, tmp_path: Path, scheme: str) -> None:
    found = drawn()
    target = tmp_path / "chart.html"
    target.write_text(density_page(found), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme=scheme)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.on(
        "request", lambda request: None if request.url.startswith(("file:", "data:")) else wrong.append(request.url)
    )
    page.goto(target.as_uri())  # until all of it, its script too, is loaded
    panel = found.panels[0]
    row, column = np.unravel_index(panel.density.counts.argmax(), panel.density.counts.shape)
    box = page.locator("svg.plot").bounding_box()
    x = box["x"] + (column + 0.5) / 200 * box["width"]
    y = box["y"] + (90 - row - 0.5) / 90 * box["height"]
    page.mouse.move(x, y)
    page.wait_for_function("document.querySelector('.tip').innerText.includes('parameters here')")
    said = page.locator(".tip").inner_text()
    count = float(re.search(r"parameters here ([\d.,]+)", said)[1].replace(",", ""))  # type: ignore[index]
    step = float(re.search(r"step ([\d.]+)", said)[1])  # type: ignore[index]
    assert count == pytest.approx(float(panel.density.counts[row, column]), rel=0.06)
    assert step == pytest.approx((column + 0.5) / 200 * 39, abs=0.02) and "training loss" in said
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.5, steps=3)
    page.mouse.up()
    view = [float(one) for one in page.locator("svg.plot").get_attribute("viewBox").split()]
    assert view == pytest.approx([50, 22.5, 100, 22.5], abs=1.5)
    assert page.locator("svg.density .steps text").first.text_content() == "10"
    page.mouse.dblclick(box["x"] + 50, box["y"] + 50)
    assert page.locator("svg.plot").get_attribute("viewBox") == "0 0 200 90"
    assert page.locator(f"svg.plot image.{scheme}").is_visible()
    assert not wrong


def test_a_title_is_made_of_what_is_drawn() -> None:
    assert heading(drawn()) == "run: all parameters" and heading(drawn(each="tensor")) == "run: each tensor"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.03, 0.7, ["0.05", "0.1", "0.2", "0.5"]),
        (0.02, 14.0, ["0.1", "1", "10"]),
        (2e-6, 9e-5, ["2·10⁻⁶", "5·10⁻⁶", "10⁻⁵", "2·10⁻⁵", "5·10⁻⁵"]),
    ],
)
def test_a_short_logarithmic_axis_is_marked_between_its_powers_of_ten(
    low: float, high: float, expected: list[str]
) -> None:
    assert [words for _, words in marks(Scale("log"), low, high, 3)] == expected
