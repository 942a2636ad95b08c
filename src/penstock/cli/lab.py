"""`penstock lab`: a page that teaches how recurrent networks remember."""

import webbrowser
from pathlib import Path

import click

from penstock.cli.answers import written_whole
from penstock.cli.command import command, option
from penstock.cli.paths import check_new_file
from penstock.cli.values import PATH
from penstock.report import LANGUAGES, chosen_language


@command("lab", example="penstock lab")
@option("--out", type=PATH, default="lab.html", help="The file to write; an existing one is replaced.")
@option("--language", type=click.Choice(list(LANGUAGES)), help="Language of the page; by default that of the locale.")
@option("--no-open", is_flag=True, help="Only write the file, without opening it in a browser.")
def lab(out: Path, language: str | None, no_open: bool) -> None:
    """Learn how recurrent networks remember, from live figures in the browser.

    Writes one HTML page that needs no network: unrolling, gates, vanishing and exploding gradients, the forget gate's
    bias, orthogonal start, clipping, peepholes and truncated backpropagation, in English and Chinese.
    """
    from penstock.lab import page

    check_new_file(out)
    text = page(chosen_language(language))
    out.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(out) as new:
        new.write_text(text, encoding="utf-8")
    print(out.absolute())
    if not no_open:
        webbrowser.open(out.absolute().as_uri())
