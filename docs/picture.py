"""Draw docs/page.png, the picture in the README: the page of `penstock serve`, reading a review.

    penstock demo && python docs/picture.py demo-output/sentiment

Needs Chromium, as the page's tests do.
"""

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "server" / "page"))

from browser import Browser, Tab, find_chromium  # noqa: E402

REVIEW = "I love this little place, the food is great"
PORT = 8765


def main(model: str) -> None:
    """Serve the model, type the review, keep what the page shows."""
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("Chromium is needed: apt-get install chromium, or name yours in CHROMIUM")
    server = subprocess.Popen([sys.executable, "-m", "penstock", "serve", f"sentiment={model}", "--port", str(PORT)])
    try:
        with Browser(chromium) as browser:
            tab = browser.tab("about:blank")
            tab.look(width=1000, height=760)
            _open(tab)
            tab.click("#text")
            tab.write(REVIEW)
            tab.wait("document.querySelectorAll('.strip button[data-change]').length >= 9")
            tab.picture(ROOT / "docs" / "page.png", until=".view > section:nth-of-type(2)")
    finally:
        server.terminate()
        server.wait()


def _open(tab: Tab) -> None:
    """The page, once the server is there."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", PORT), timeout=1):
            break
        time.sleep(0.1)
    tab.open(f"http://127.0.0.1:{PORT}/")
    tab.wait("document.querySelector('#text')")


if __name__ == "__main__":
    main(*sys.argv[1:])
