import hashlib
import re
from pathlib import Path

import pytest

from listener.console.drawing import STATIC, static
from tests.console_room import ConsoleRoom

ROOT = Path(__file__).parents[3]
HTMX_VERSION = "2.0.11"
HTMX_SHA256 = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"


def test_htmx_is_the_release_that_it_is_said_to_be() -> None:
    script = (STATIC / "htmx.min.js").read_bytes()
    assert hashlib.sha256(script).hexdigest() == HTMX_SHA256
    assert f'version:"{HTMX_VERSION}"'.encode() in script
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE.txt").read_text(encoding="utf-8")
    documented = (ROOT / "docs" / "console.md").read_text(encoding="utf-8")
    assert HTMX_VERSION in documented
    assert HTMX_SHA256 in documented


def test_htmx_runs_no_text_as_code_and_asks_this_server_alone(room: ConsoleRoom) -> None:
    page = room.client().get("/").text
    for setting in ('"allowEval":false', '"includeIndicatorStyles":false', '"selfRequestsOnly":true'):
        assert setting in page


@pytest.mark.parametrize("file", sorted(path.name for path in STATIC.iterdir()))
def test_static_files_are_kept_as_long_as_their_content_is_the_same(room: ConsoleRoom, file: str) -> None:
    answer = room.browser().get(static(file))
    assert answer.status_code == 200
    assert answer.content == (STATIC / file).read_bytes()
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert room.browser().get(f"/static/000000000000/{file}").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["x/missing.css", "x/../app.py", "x/..%2fapp.py", "x/%2e%2e%2fapp.py", "x/", "x/htmx", "x/.css", "x/a%00.css"],
)
def test_nothing_else_is_given_out(room: ConsoleRoom, path: str) -> None:
    answer = room.browser().get(f"/static/{path}")
    assert answer.status_code == 404
    assert "import " not in answer.text


def test_pages_load_nothing_from_elsewhere() -> None:
    for path in (*(STATIC.parent / "pages").rglob("*.html"), STATIC / "console.css", STATIC / "desk.css"):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"(?:src|action)=[\"']?(?:https?:)?//|@import|url\(", text) is None, path.name


def test_no_template_holds_script_or_style() -> None:
    wrong = re.compile(
        r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|\|\s*safe\b", re.IGNORECASE
    )
    for path in (STATIC.parent / "pages").rglob("*.html"):
        assert wrong.search(path.read_text(encoding="utf-8")) is None, path.name
