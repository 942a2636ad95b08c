"""Where the library's records are shown: plain lines, JSON, a terminal; and who else gets them."""

import io
import json
import logging
import os
import pty
import subprocess
import sys
import threading
import time

import pytest

from penstock.console import JsonLines, Lines, Terminal, output, shown
from penstock.events import Steps, duration, say

LOGGER = logging.getLogger("penstock.some.room")


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves: `clock[0] += 1.0`."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_plain_lines_have_no_control_characters():
    stream = io.StringIO()
    with shown(Lines(stream), logging.DEBUG):
        LOGGER.info("reading text from %r", "review")
        LOGGER.info("reading \x1b[31mred\n.csv")
        LOGGER.debug("for developers")
        LOGGER.warning("two\nlines")
        LOGGER.error("it failed")
    assert stream.getvalue() == (
        "reading text from 'review'\nreading \\x1b[31mred\\n.csv\npenstock: warning: two lines\npenstock: it failed\n"
    )


def test_json_has_an_object_a_line():
    stream = io.StringIO()
    with shown(output(stream, as_json=True), logging.DEBUG):
        LOGGER.info("reading %s", "数据.csv")
        say(LOGGER, "epoch", "epoch 1/2", epoch=1, loss=0.5)
        LOGGER.warning("too\nfew")
    info, epoch, warning = map(json.loads, stream.getvalue().splitlines())
    assert (info["event"], info["message"]) == ("info", "reading 数据.csv")
    assert (epoch["event"], epoch["epoch"], epoch["loss"]) == ("epoch", 1, 0.5)
    assert (warning["event"], warning["message"]) == ("warning", "too\nfew")
    assert info["time"].endswith("+00:00")


def test_quiet_leaves_warnings_and_errors():
    stream = io.StringIO()
    with shown(Lines(stream), logging.WARNING):
        LOGGER.info("reading")
        LOGGER.warning("too few")
    assert stream.getvalue() == "penstock: warning: too few\n"


def test_a_closed_standard_error_is_not_an_error():
    with shown(output(None), logging.DEBUG):
        LOGGER.info("reading")


def test_long_work_is_reported_every_ten_seconds_in_a_pipe(clock):
    stream = io.StringIO()
    with shown(output(stream), logging.DEBUG), Steps(LOGGER, "predicting", 300, "rows") as steps:
        for _ in range(25):
            clock[0] += 1.0
            steps.advance(10)
    assert stream.getvalue() == (
        "predicting: 110 of 300 rows, about 19 s left\npredicting: 210 of 300 rows, about 9 s left\n"
    )


def test_json_tells_of_long_work_every_second(clock):
    stream = io.StringIO()
    with shown(JsonLines(stream), logging.DEBUG), Steps(LOGGER, "testing", 10, "rows") as steps:
        for _ in range(8):
            clock[0] += 0.5
            steps.advance()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["done"], line["total"]) for line in lines] == [
        ("progress", 3, 10),
        ("progress", 5, 10),
        ("progress", 7, 10),
    ]
    assert [line["seconds_left"] for line in lines] == [3.5, 2.5, 1.5]


def test_short_work_is_not_told_of(clock):
    told = []
    handler = logging.Handler()
    handler.emit = told.append
    with shown(handler, logging.DEBUG), Steps(LOGGER, "predicting", 5, "rows") as steps:
        for _ in range(5):
            clock[0] += 0.04
            steps.advance()
    assert told == []


def test_a_bar_below_lines_that_stay(clock, capsys):
    screen = io.StringIO()
    terminal = Terminal(screen)
    terminal.stream.isatty = lambda: True
    with shown(terminal, logging.DEBUG), Steps(LOGGER, "predicting", 30, "rows") as steps:
        LOGGER.info("a line before")
        clock[0] += 1.0
        steps.advance(10)
        LOGGER.info("a line [above] the bar")
        print("a result")
    assert capsys.readouterr().out == "a result\n"
    text = screen.getvalue()
    assert text.startswith("a line before\n")
    assert "10 of 30 rows about 2 s left" in text
    assert "a line [above] the bar\n" in text
    assert text.endswith("\x1b[2K")  # the bar is gone


@pytest.mark.parametrize(("term", "moves"), [("xterm", True), ("dumb", False)])
def test_a_terminal_gets_a_bar_unless_it_is_dumb(term, moves):
    code = (
        "import logging, sys, time\n"
        "from penstock.console import output, shown\n"
        "from penstock.events import Steps\n"
        "with shown(output(sys.stderr), logging.DEBUG), Steps(logging.getLogger('penstock.x'), 'testing', 2, 'rows') "
        "as s:\n"
        "    time.sleep(0.3); s.advance()\n"
        "    logging.getLogger('penstock.x').info('a line')"
    )
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": term}
    subprocess.run([sys.executable, "-c", code], stderr=slave, env=environment, check=True)
    os.close(slave)
    text = os.read(master, 100_000).decode()
    os.close(master)
    assert "a line\r\n" in text
    assert ("\x1b[" in text) == ("1 of 2 rows" in text) == moves


def test_others_get_what_they_would_get_without(caplog):
    with caplog.at_level(logging.WARNING), shown(Lines(io.StringIO()), logging.DEBUG):
        LOGGER.info("not for them")
        LOGGER.warning("for them")
    assert caplog.messages == ["for them"]
    caplog.clear()
    with caplog.at_level(logging.INFO), shown(Lines(io.StringIO()), logging.WARNING):
        LOGGER.info("for them")
    assert caplog.messages == ["for them"]


def test_the_logger_is_afterwards_as_before():
    logger = logging.getLogger("penstock")
    before = (logger.level, logger.propagate, list(logger.handlers))
    first, second = shown(Lines(None), logging.INFO), shown(Lines(None), logging.DEBUG)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert logger.level == logging.DEBUG
    second.__exit__(None, None, None)
    assert (logger.level, logger.propagate, list(logger.handlers)) == before


def test_a_thread_of_its_own_sees_its_own_work():
    mine, other = io.StringIO(), io.StringIO()

    def work():
        with shown(Lines(other), logging.INFO, own_thread=True):
            LOGGER.info("theirs")

    with shown(Lines(mine), logging.INFO, own_thread=True):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        LOGGER.info("mine")
    assert (mine.getvalue(), other.getvalue()) == ("mine\n", "theirs\n")


def test_nothing_is_printed_where_nobody_asked():
    code = "import logging, penstock; logging.getLogger('penstock.x').warning('w')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words
