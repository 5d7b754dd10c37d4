"""The report's page in a real headless Chromium."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nl2sql.reporting.html_report import render_report, waterfall
from nl2sql.reporting.run_tables import RunTables
from nl2sql.reporting.summarise_run import summarise_run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make setup")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# The lowest contrast of any text on the page with what is painted behind it, as WCAG defines it.
LOWEST_CONTRAST = """() => {
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = colour(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; }
    return [255, 255, 255]; };
  let worst = [99, ""];
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [luminance(colour(getComputedStyle(e).color)), luminance(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst[0]) worst = [ratio, e.tagName + "." + e.className + ": " + e.textContent.slice(0, 40)];
  }
  return worst;
}"""

SECONDS_TO_SEARCH = """(words) => {
  const started = performance.now(), field = document.getElementById("f-q");
  field.value = words;
  field.dispatchEvent(new Event("input"));
  return (performance.now() - started) / 1000;
}"""


@pytest.fixture(scope="module")
def html(run) -> str:
    summary = summarise_run(run.tables, dataset="harbours", preset="offline", notes=["<b>two</b> questions left out"])
    return render_report(summary, run.tables)


@pytest.fixture(scope="module")
def browser(chromium) -> Iterator:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser, html, tmp_path):
    """Opens the report, and afterwards checks that nothing was requested, logged or thrown."""
    file = tmp_path / "report.html"
    troubles, contexts = [], []

    def open_page(fragment="", page_html=html, **options):
        file.write_text(page_html, encoding="utf-8")
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: r.url.startswith(file.as_uri()) or troubles.append(f"request {r.url[:200]}"))
        page.on("console", lambda m: troubles.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda e: troubles.append(str(e)))
        page.on("dialog", lambda d: troubles.append(f"dialog {d.message}"))
        page.goto(file.as_uri() + fragment)
        return page

    open_page.troubles = troubles  # type: ignore[attr-defined]
    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def ids(page) -> list[str]:
    return page.eval_on_selector_all("#list tbody tr", "rows => rows.map(r => r.dataset.id)")


def address(page) -> str:
    """As the page knows it: the driver learns of a new one later."""
    return page.evaluate("location.href")


def test_is_one_file_without_references(html):
    assert html.startswith("<!doctype html>")
    assert not re.search(r"""(?:src|href)=["'](?!#|data:,)""", html)
    assert not re.search(r"url\(|@import|https?://", html)


def test_headline_and_waterfall(visit):
    page = visit()
    assert page.inner_text(".big") == "38.5%"
    assert "5 of 13 questions right" in page.inner_text(".hero")
    rows = page.eval_on_selector_all(
        ".waterfall tbody tr", "rows => rows.map(r => r.innerText.split(/\\s*\\n\\s*/).join(' '))"
    )
    assert [re.sub(r"\s+", " ", r).split(" ")[0] for r in rows] == [
        "Upper",
        "lost",
        "Majority",
        "lost",
        "Selected",
        "Best",
    ]
    assert "recorded predictions and keyless rules" in page.inner_text(".byline")


def test_waterfall_ends_where_the_selection_is(run):
    steps = waterfall(summarise_run(run.tables))
    assert [s.name for s in steps] == [
        "Upper bound",
        "lost by voting",
        "Majority vote",
        "lost by selection",
        "Selected",
    ]
    assert steps[1].end == steps[0].end
    assert steps[1].start == steps[2].end
    assert steps[3].start == pytest.approx(steps[4].end)


def test_bars_are_as_long_as_their_values(visit):
    page = visit(viewport={"width": 1200, "height": 900})
    bar, plot = (page.locator(f".waterfall .selected {s}").bounding_box() for s in (".bar", ".plot"))
    assert bar["width"] / plot["width"] == pytest.approx(5 / 13, abs=0.01)


def test_filters_narrow_the_list_and_live_in_the_address(visit):
    page = visit()
    assert len(ids(page)) == 13
    page.select_option("#f-status", "missed")
    assert ids(page) == ["2", "8", "12"]
    page.select_option("#f-db", "quay")
    assert ids(page) == ["8", "12"]
    assert "status=missed" in address(page)
    assert "db=quay" in address(page)
    page.fill("#f-q", "country COUNT")
    assert ids(page) == ["12"]
    again = visit("#" + address(page).partition("#")[2])
    assert ids(again) == ["12"]
    again.click("text=clear filters")
    assert len(ids(again)) == 13
    assert again.input_value("#f-q") == ""


def test_a_bar_leads_to_its_questions(visit):
    page = visit()
    page.click("section:has(#difficulty-title) >> text=challenging")
    assert ids(page) == ["5", "6", "11"]
    page.click(".composition >> text=no right candidate")
    assert ids(page) == ["4", "5"]


def test_flags_find_what_repair_and_linking_did(visit):
    page = visit()
    page.click("section:has(#repair-title) .sum .good a")
    assert ids(page) == ["3"]
    page.click("section:has(#repair-title) .sum .bad a")
    assert ids(page) == ["12"]
    page.click("section:has(#linking-title) >> text=strict recall")
    assert ids(page) == ["11"]
    page.select_option("#f-flag", "repaired")
    assert ids(page) == ["3", "12"]


def test_search_finds_what_no_question_holds(visit):
    page = visit()
    page.fill("#f-q", "zebra")
    assert ids(page) == []
    assert page.inner_text("#tally").startswith("0 of 13 questions")


def test_sorting_by_header_and_back(visit):
    page = visit()
    page.click("button[data-sort=confidence]")
    assert page.get_attribute("th:has(button[data-sort=confidence])", "aria-sort") == "ascending"
    shares = page.eval_on_selector_all("#list tbody tr td:nth-child(6)", "cells => cells.map(c => Number(c.innerText))")
    assert shares == sorted(shares)
    page.click("button[data-sort=confidence]")
    assert ids(page)[0] in ("1", "5", "9")
    page.click("button[data-sort=confidence]")
    assert ids(page) == [*map(str, range(1, 13)), "lost"]


def test_a_trace_tells_the_whole_story(visit):
    page = visit()
    page.click("text=Which ship is the heaviest?")
    trace = page.inner_text("#trace")
    for part in (
        "ORDER BY tonnage DESC",
        "Dauntless",
        "A/1",
        "✓ right",
        "3 different results",
    ):
        assert part in trace
    assert page.locator("#trace .cluster").count() == 3
    assert page.locator("#trace .cluster.chosen .tag.pick").count() == 2
    assert page.locator("#trace .sql .kw").first.inner_text() == "SELECT"
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#trace-title") == "Name the harbours of Britain."
    page.click("text=repaired: literal")
    assert "'Britain'" in page.inner_text("#trace .sql.before")
    assert "open=3" in address(page)
    page.keyboard.press("Escape")
    assert not page.locator("#trace").is_visible()
    page.wait_for_function("!location.hash.includes('open=')")  # a step back in the history takes its time


def test_of_many_statements_with_one_result_the_selected_one_is_shown(visit, make_run, case):
    pool = [(f"M{n}", f"SELECT {n} + {20 - n}") for n in range(20)]
    run = make_run([case("Twenty?", "SELECT 20", pool, pick=13)])
    page = visit("#open=1", page_html=render_report(summarise_run(run.tables), run.tables))
    assert page.locator("#trace .cluster.right.chosen").count() == 1
    (shown,) = [p for p in page.locator(".cluster .who").all() if p.is_visible()]
    assert shown.inner_text() == "M13/1"
    page.click("text=19 more ways to write it")
    assert page.locator(".cluster .who").last.is_visible()


def test_a_trace_opens_from_its_address_and_the_back_button_closes_it(visit):
    page = visit("#open=11")
    assert "depth ○ missing" in page.inner_text("#trace")
    page.click("#close")
    page.click("tr[data-id='1'] td:nth-child(3)")
    assert page.locator("#trace").is_visible()
    page.go_back()
    page.locator("#trace").wait_for(state="hidden")


def test_every_trace_opens(visit, run):
    page = visit()
    for question in run.questions:
        page.evaluate("id => { location.hash = 'open=' + id }", question.question_id)
        page.wait_for_function("id => document.getElementById('trace').dataset.id === id", arg=question.question_id)
        assert page.locator("#trace h2").count() >= 1


def test_hostile_text_stays_text(visit, hostile):
    page = visit("#open=8")
    assert page.title() != "pwned"
    assert page.locator("img, iframe, object").count() == 0
    assert page.locator("#trace-title").text_content() == f"Which ship is called {hostile}?"
    assert page.locator("#trace .evidence").text_content() == f"Evidence {hostile}"
    assert "49" not in page.inner_text("#trace-title")
    assert "<b>two</b> questions left out" in page.inner_text(".notes")


def test_a_hostile_name_of_a_database_stays_text(visit, make_run, case, hostile):
    run = make_run(
        [case("q", "SELECT 1", [("rules", "SELECT 1"), (hostile, "SELECT 1")], db_id=hostile, difficulty=hostile)]
    )
    summary = summarise_run(run.tables, dataset=hostile, preset=hostile, run_id=hostile, failed_tasks=[hostile])
    page = visit(page_html=render_report(summary, run.tables))
    assert page.locator("h1").text_content() == f"{hostile}, {hostile}"
    page.click("section:has(#database-title) tbody a")
    assert ids(page) == ["1"]
    assert page.input_value("#f-db") == hostile
    assert page.locator("img").count() == 0


def test_an_injected_script_would_not_run(visit, html):
    page = visit(page_html=html.replace("</main>", "<script>document.title = 'pwned'</script></main>"))
    assert page.title() != "pwned"
    (said,) = visit.troubles
    assert "Content Security Policy" in said
    visit.troubles.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 820, 1280])
def test_nothing_scrolls_sideways_and_text_is_legible(visit, scheme, width):
    page = visit(viewport={"width": width, "height": 740}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#list td.q").first.bounding_box()["width"] > 200
    assert page.evaluate(LOWEST_CONTRAST)[0] >= 4.5, page.evaluate(LOWEST_CONTRAST)
    for question in ("3", "7", "8"):
        page.evaluate("id => { location.hash = 'open=' + id }", question)
        page.wait_for_function("id => document.getElementById('trace').dataset.id === id", arg=question)
        assert page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.getElementById('trace'))") <= 0
        assert page.evaluate(LOWEST_CONTRAST)[0] >= 4.5, page.evaluate(LOWEST_CONTRAST)


def test_theme_toggle_wins_over_the_system(visit):
    page = visit(color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("#theme")
    assert page.evaluate(paper) != light
    page.click("#theme")
    assert page.evaluate(paper) == light


def test_works_with_the_keyboard_alone(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("tr[data-id='1'] a")
    page.keyboard.press("Enter")
    assert page.inner_text("#trace-title") == "How many brigs are there?"
    assert page.evaluate("document.activeElement.id") == "trace-title"


def test_prints_without_controls(visit):
    page = visit()
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    assert page.locator("#list").is_visible()


def test_without_javascript_the_figures_stand(visit):
    page = visit(java_script_enabled=False)
    assert page.inner_text(".big") == "38.5%"
    assert "need JavaScript" in page.inner_text("#questions")


def test_a_run_without_questions_has_a_page(visit):
    page = visit(page_html=render_report(summarise_run(RunTables()), RunTables()))
    assert page.inner_text(".big") == "0.0%"
    assert page.inner_text("#tally") == "0 questions"


def test_a_keyless_run_says_so(make_run, case):
    run = make_run([case("One?", "SELECT 1", [("rules", "SELECT 1")])])
    assert render_report(summarise_run(run.tables), run.tables).count("keyless rules baseline (no model)") >= 2


def test_a_large_run_stays_small_and_usable(visit, make_run, case):
    pool = [
        (f"M{n}", f"SELECT name, tonnage, {n % 4} AS n FROM ship WHERE tonnage > {n % 4} ORDER BY name")
        for n in range(11)
    ]
    large = make_run(
        [case(f"Question {n + 1000} of many about ships and their tonnage?", pool[n % 3][1], pool) for n in range(1534)]
    )
    html = render_report(summarise_run(large.tables), large.tables)
    assert len(html.encode()) < 15_000_000
    page = visit(page_html=html)
    assert len(ids(page)) == 100
    assert page.evaluate(SECONDS_TO_SEARCH, "question 1777") < 0.5
    assert ids(page) == ["778"]
    page.click("text=clear filters")
    page.click("#more")
    assert len(ids(page)) == 600


def test_writes_to_a_file_whatever_the_texts_hold(make_run, case, tmp_path):
    run = make_run([case("lone \ud800 surrogate, \x00 and \u2028", "SELECT 1", [("rules", "SELECT '\x01\u2028'")])])
    html = render_report(summarise_run(run.tables, dataset="\ud800"), run.tables)
    Path(tmp_path / "report.html").write_text(html, encoding="utf-8")


def test_both_golds_stand_side_by_side_and_their_differences_can_be_listed(visit, run):
    first = next(v for v in run.verdicts if v.system == "selected" and v.question_id == "1")
    tables = replace(run.tables, corrected=[replace(first, correct=False, reason="value")])
    page = visit("#flag=wrong+by+corrected+gold", page_html=render_report(summarise_run(tables), tables))
    assert "30.8 % by the corrected gold" in page.inner_text(".figure-main")
    assert page.locator("th", has_text="corrected").count() == 2
    assert page.locator("#list tbody tr").count() == 1
    assert "by the corrected gold" not in render_report(summarise_run(run.tables), run.tables)


@pytest.fixture(scope="module")
def model_html(model_run, model_calls) -> str:
    tables = replace(model_run.tables, model_calls=model_calls[:-9], reused_calls=model_calls[-9:])
    summary = summarise_run(tables, dataset="harbours", preset="api", degraded={"vote only": 2})
    return render_report(summary, tables)


def test_a_run_with_models_shows_where_the_money_went(visit, model_html):
    page = visit(page_html=model_html)
    money = page.inner_text("#money")
    for part in (
        "anthropic/claude-sonnet-5-5",
        "gemini/gemini-3.8-flash",
        "other/<i>model</i>",
        "Dollars per question",
    ):
        assert part in money or part.upper() in money
    assert page.locator("#money .uses tbody tr").count() == 7
    stack, pieces = page.locator(".stack").bounding_box(), page.locator(".stack i").all()
    assert sum(p.bounding_box()["width"] + 2 for p in pieces) == pytest.approx(stack["width"], abs=2)
    assert "budget took something away from 2 of 13" in page.inner_text(".notes")
    page.click("#money a.bad >> nth=0")
    assert ids(page) == ["2"]


def test_a_trace_lists_its_calls(visit, model_html):
    page = visit("#open=2", page_html=model_html)
    rows = page.eval_on_selector_all("#trace .calls tbody tr", "rows => rows.map(r => r.innerText)")
    assert len(rows) == 10
    assert any("asked again" in r and "instead of gemini/gemini-3.8-flash" in r for r in rows)
    assert any("<b>refused</b>" in r for r in rows)
    assert "4 paid before" not in page.inner_text("#trace h2")
    assert page.locator("#trace .calls b, #trace .calls i").count() == 0


def test_the_heat_map_of_many_generators_fits_its_box(visit, make_run, case):
    pool = [(f"System <b>{n}</b>", f"SELECT {n % 5}") for n in range(43)]
    run = make_run([case("One?", "SELECT 1", pool), case("Two?", "SELECT 2", pool[::-1])])
    page = visit(page_html=render_report(summarise_run(run.tables), run.tables), viewport={"width": 360, "height": 800})
    assert page.locator(".heat.dense tbody tr").count() == 43
    assert page.locator(".heat tbody td.none").count() == 43
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.inner_text(".heat tbody th >> nth=0").endswith("</b>")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 820, 1280])
def test_the_money_is_legible_and_does_not_scroll_sideways(visit, model_html, width, scheme):
    page = visit("#open=2", model_html, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("t => t.scrollWidth <= t.clientWidth", page.query_selector("#trace"))
    contrast, where = page.evaluate(LOWEST_CONTRAST)
    assert contrast >= 4.5, where


def test_a_run_without_models_has_no_word_of_money(html):
    assert 'id="money"' not in html
    assert "no model calls" in html
    assert "a right one" not in html
