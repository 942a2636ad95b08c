"""The page as such: small, in two languages, for eyes, ears, keyboards and phones; with and without its server."""

import re
from importlib.resources import files

import pytest

PAGE = files("penstock.server") / "page"
TYPES = (".html", ".css", ".js", ".svg")


def source(name):
    return (PAGE / name).read_text(encoding="utf-8")


def names():
    return sorted(entry.name for entry in PAGE.iterdir())


TABLES = [name for name in names() if name.endswith("-words.js")]


def write(tab, text):
    tab.wait("document.querySelector('#text')")
    tab.click("#text")
    tab.write(text)
    tab.wait(f"document.querySelectorAll('.strip button[data-change]').length === {len(text.split())}")


def test_all_files_together_are_small():
    assert sum(len((PAGE / name).read_bytes()) for name in names()) < 260_000
    assert {name[name.rindex(".") :] for name in names()} <= set(TYPES)


def test_nothing_comes_from_elsewhere_and_nothing_is_inline():
    for name in names():
        addresses = re.findall(
            r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+", re.sub(r"http://www\.w3\.org/2000/svg", "", source(name))
        )
        assert addresses == [], name
    assert not re.search(r"<style|style=|<script(?![^>]*src=)| on[a-z]+=", source("index.html"))


def test_every_text_is_there_in_both_languages():
    keys = []
    for name in TABLES:
        rows = re.findall(r'^  (\w+): \{ en: "(.+)", zh: "(.+)" \},$', source(name), re.M)
        assert len(rows) == source(name).count("\n") - 4, name  # besides the comment, and the lines around the rows
        for key, english, chinese in rows:
            assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", chinese)), key
            for text, expected in ((english, False), (chinese, True)):
                bare = re.sub(r"\{\w+\}|[\W\d]", "", text)
                assert not bare or bool(re.search(r"[\u4e00-\u9fff]", bare)) == expected, key
        keys += [key for key, *_ in rows]
    assert len(keys) == len(set(keys))
    merged = re.findall(r'^import (\w+) from "\./(.+)";$', source("words.js"), re.M)
    assert [file for _, file in merged] == TABLES
    assert {f"...{table}" for table, _ in merged} == set(
        re.findall(r"\.\.\.\w+", source("words.js").split("LANGUAGES")[0])
    )


def test_every_text_is_used():
    rest = "".join(source(name) for name in names() if name not in TABLES and not name.endswith(".css"))
    keys = {key for name in TABLES for key in re.findall(r"^  (\w+):", source(name), re.M)}
    spoken_by_rule = {"input", "forget", "output", "reset", "update", "candidate", "h", "c"}  # gates and states
    spoken_by_rule |= {key for key in keys if re.search("(Title|Lead)$", key)}
    assert {key for key in keys if not re.search(rf"\b{key}\b", rest)} - spoken_by_rule == set()


CHART = """import("/page/chart.js").then(({ Chart }) => {
  const host = document.querySelector("main").appendChild(document.createElement("div"));
  const lines = [1, 0, 0, 0, 0, 0].map((end, n) => ({ values: [0.5, end], class: "s0", name: `class ${n}` }));
  new Chart(host, { height: 144 }).set({ x: [0, 1], y: [0, 1], lines, label: "" });
  return [...host.querySelectorAll("text.name")].map((name) => Number(name.getAttribute("y")));
})"""


@pytest.mark.slow
def test_names_make_way_at_the_bottom_and_stay_at_their_lines_at_the_top(server, opened):
    with opened(f"{server.url}/#words") as tab:
        tab.wait("document.querySelector('#text')")
        assert tab.value(CHART) == [14, *range(60, 121, 15)]


@pytest.mark.slow
def test_a_word_without_end_hides_nothing(server, opened):
    with opened(f"{server.url}/#words", width=360) as tab:
        write(tab, f"w1 {'x' * 300} w2")
        inside = (
            "[...document.querySelectorAll('.strip small')].map((e) => e.getBoundingClientRect().right < innerWidth)"
        )
        assert tab.value(inside) == [True] * 3
        options = "document.querySelector('.controls select').options[0].text = 'a label '.repeat(20)"
        tab.value(options)
        assert tab.value("document.documentElement.scrollWidth") <= 360


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "dark", "language"),
    [(360, True, "zh-CN"), (360, False, "en-GB"), (1180, False, "zh-CN"), (1180, True, "en-GB")],
)
def test_is_readable(server, opened, picture, width, dark, language):
    look = {"width": width, "height": 740, "dark": dark, "language": language}
    with opened(f"{server.url}/#words", **look) as tab:
        write(tab, "w1 w2 w3 w4 w5 w6 w7 w8")
        assert tab.value("document.documentElement.lang") == ("zh-CN" if language == "zh-CN" else "en")
        assert tab.value("document.documentElement.scrollWidth") <= width
        style = "getComputedStyle(document.querySelector('{}')).{}"
        ground = tab.value(style.format(".card", "backgroundColor"))
        ink, quiet = (tab.value(style.format(of, "color")) for of in ("h1", ".quiet"))
        assert _light(ground) < 0.1 if dark else _light(ground) > 0.8
        assert _contrast(ink, ground) > 7
        assert _contrast(quiet, ground) > 4.5  # WCAG 2.2, AA
        cut = tab.value(
            "[...document.querySelectorAll('button, select, h1, h2, h3, p, li')].filter((e) => e.checkVisibility() && "
            "!e.closest('.unseen') && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML)"
        )
        assert cut == []
        picture(tab, f"text-{language[:2]}-{'dark' if dark else 'light'}-{width}")


def _light(colour):
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one, other):
    high, low = sorted((_light(one), _light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.slow
def test_the_language_can_be_changed_and_is_kept(server, opened):
    with opened(f"{server.url}/#words") as tab:
        write(tab, "w1 w2")
        tab.click("button[data-language=zh]")
        assert tab.text("h1") == "看它如何阅读"
        assert tab.text(".verdict + p") == "读完第 2 个词“w2”之后"
        latin = tab.value("[...document.querySelectorAll('[data-say]')].map((e) => e.textContent)")
        assert all(re.search(r"[\u4e00-\u9fff]", text) for text in latin)
        tab.open(f"{server.url}/#words")
        tab.value("location.reload()")
        tab.wait("document.querySelector('h1')?.textContent === '看它如何阅读'")


def test_a_screen_reader_finds_a_name_for_everything(server, opened):
    with opened(f"{server.url}/#words") as tab:
        write(tab, "w1 w2 w3")
        tab.wait("document.querySelector('#announcer').textContent !== ''")
        told = tab.value("document.querySelector('#announcer').textContent")
        assert re.fullmatch(r"(bad|good), \d+\.\d %", told)
        found = tab.tree()
        roles = {
            "button",
            "combobox",
            "textbox",
            "radio",
            "radiogroup",
            "image",
            "application",
            "region",
            "link",
            "slider",
        }
        named = [(node["role"], node["name"]) for node in found if node["role"] in roles]
        assert {"button", "combobox", "textbox", "radio", "application", "region"} <= {role for role, _ in named}
        assert [entry for entry in named if not entry[1].strip()] == []
        assert sum(node["role"] == "heading" for node in found) >= 4


@pytest.mark.slow
def test_everything_can_be_reached_and_done_by_keyboard(server, opened):
    with opened(f"{server.url}/#words") as tab:
        write(tab, "w1 w2 w3")
        tab.value("document.activeElement.blur()")
        reached = []
        for _ in range(25):
            tab.press("Tab")
            reached.append(
                tab.value("document.activeElement.closest('textarea, .strip, .zooms, .segmented, .inside')?.className")
            )
        assert {"", "strip", "zooms", "segmented", "inside"} <= set(reached)  # the text's field has no class
        tab.value("document.querySelector('.strip [aria-current]').focus()")
        tab.press("ArrowLeft")
        assert tab.text(".verdict + p") == "after “w2”, word 2"
        assert tab.value("document.activeElement.innerText").startswith("w2")
        tab.press("Home")
        assert tab.text(".verdict + p") == "after “w1”, word 1"


@pytest.mark.slow
def test_another_model_can_be_chosen(server, opened):
    with opened(f"{server.url}/") as tab:
        tab.wait("document.querySelector('#text')")
        assert tab.text(".facts").startswith("words · LSTM, 1 × 16 units")
        tab.choose("#models", "other")
        tab.wait("document.querySelector('.facts')?.textContent.startsWith('other · GRU')")
        assert tab.value("location.hash") == "#other"
        write(tab, "w1 w2")
        shown = tab.value("[...document.querySelectorAll('.inside select option')].map((o) => o.textContent)")
        assert {"Reset gate", "Update gate", "Candidate", "Output h"} <= set(shown)


@pytest.mark.slow
def test_asks_for_the_token(folders, running, opened, picture):
    with (
        running(folders["words"], "--token", "open-sesame") as guarded,
        opened(f"{guarded.url}/", expected=("401",), width=360, height=740) as tab,
    ):
        tab.wait("document.querySelector('#token-dialog')?.open")
        tab.click("#token")
        tab.write("wrong")
        tab.press("Enter")
        tab.wait("document.querySelector('#token-wrong').textContent !== ''")
        picture(tab, "token")
        tab.value("document.querySelector('#token').select()")
        tab.write("open-sesame")
        tab.click("#token-dialog button")
        write(tab, "w1 w2")
        assert not tab.value("document.querySelector('#token-dialog').open")
        tab.value("location.reload()")
        tab.wait("document.querySelector('#text') && !document.querySelector('#token-dialog').open")


@pytest.mark.slow
def test_continues_when_the_server_is_back(folders, running, opened, picture):
    with running(folders["words"]) as first, opened(f"{first.url}/", expected=("net::ERR_", "WebSocket")) as tab:
        write(tab, "w1 w2 w3")
        before = tab.value("[...document.querySelectorAll('.strip button')].map((b) => b.dataset.change)")
        first.kill()
        tab.wait("document.querySelector('#status').dataset.state === 'lost'")
        picture(tab, "disconnected")
        tab.click("#text")
        tab.write(" w4")
        with running(folders["words"], port=first.port):
            tab.wait("document.querySelector('#status').dataset.state === 'ready'", seconds=20)
            tab.wait("document.querySelectorAll('.strip button[data-change]').length === 4")
            after = tab.value("[...document.querySelectorAll('.strip button')].map((b) => b.dataset.change)")
            assert after[:3] == before
