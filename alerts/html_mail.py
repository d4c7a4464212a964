"""A message as one HTML page for mail clients: no remote content, no script, everything others wrote escaped.

Styles stand on the elements, as several clients drop style sheets; the sheet holds nothing but the dark colours.
"""

from collections.abc import Iterator
from html import escape

from alerts.outline import Look, Outline, Part, Tone

CURVE_ID = "curve"
"""Content id, before the "@", of the picture that the page refers to."""

_COLOURS: dict[Tone, str] = {
    "urgent": "#b3261e",
    "important": "#9a5b00",
    "attention": "#0b6a82",
    "closed": "#2b6e3f",
    "note": "#5b4b8a",
}
_FONT = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans','Noto Sans CJK JP',sans-serif"
_BAR = "border-inline-start:4px solid #c9ced6;background:#f4f5f7;"
_BOXES: dict[Look, tuple[str, str]] = {
    "quote": ("quote", f"{_BAR}padding:10px 14px;font-size:17px;line-height:1.5;border-radius:4px;"),
    "draft": ("draft", "border:1px solid #b9d7c3;background:#f1f8f3;padding:10px 14px;border-radius:6px;"),
    "alarm": ("alarm", "color:#b3261e;"),
    "quiet": ("quiet", "color:#5f6672;font-size:13px;"),
    "curve": ("curve", "color:#5f6672;font-size:13px;"),
}
_DARK = """
@media (prefers-color-scheme: dark) {
  .page { background: #16181c !important; }
  .sheet { background: #1f2228 !important; color: #e7e9ee !important; border-color: #343943 !important; }
  .label, .quiet, .footer, .where, .curve { color: #a7aebb !important; }
  .quote { background: #2a2e36 !important; border-color: #555d6b !important; }
  .draft { background: #1d2b22 !important; border-color: #3f6b4e !important; }
  .alarm { color: #ff9a92 !important; }
  .link { color: #8ab8ff !important; }
  .button { background: #2f5fa8 !important; }
}
"""


def html_page(shown: Outline, *, picture: str | None = None) -> str:
    """Return an outline as a page.

    Args:
        shown: what to say.
        picture: content id of the incident's curve; None draws it with characters.
    """
    body = "\n".join(_body(shown, picture))
    return f"""<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{escape(shown.title)}</title>
<style>:root {{ color-scheme: light dark; }}{_DARK}</style>
</head>
<body class="page" style="margin:0;padding:16px 8px;background:#eceef1;font-family:{_FONT};">
<div class="sheet" style="max-width:640px;margin:0 auto;background:#ffffff;color:#1c1f24;border:1px solid #dde1e6;\
border-radius:8px;overflow:hidden;font-size:15px;line-height:1.45;">
{body}
</div>
</body>
</html>
"""


def _body(shown: Outline, picture: str | None) -> Iterator[str]:
    where = _div("where-on", escape(shown.where), "font-size:14px;opacity:0.92;margin-top:2px;") if shown.where else ""
    title = f'<div style="font-size:18px;font-weight:700;">{escape(shown.title)}</div>'
    yield f'<div style="background:{_COLOURS[shown.tone]};color:#ffffff;padding:14px 20px;">{title}{where}</div>'
    yield '<div style="padding:6px 20px 16px;">'
    yield from _parts(shown.parts, picture)
    yield "</div>"
    if shown.footer:
        style = "padding:10px 20px 14px;border-top:1px solid #dde1e6;color:#5f6672;font-size:13px;"
        yield _div("footer sheet", escape(shown.footer), style)


def _parts(parts: tuple[Part, ...], picture: str | None) -> Iterator[str]:
    buttons: list[str] = []
    for part in parts:
        if part.look == "link":
            buttons.append(_button(part))
        else:
            yield from _buttons(buttons)
            buttons.clear()
            yield _heading(part) + _content(part, picture)
    yield from _buttons(buttons)


def _heading(part: Part) -> str:
    if not part.label:
        return ""
    detail = f' <span style="font-weight:400;text-transform:none;letter-spacing:0;">{escape(part.detail)}</span>'
    style = (
        "margin:16px 0 5px;font-size:12px;font-weight:700;letter-spacing:0.04em;text-transform:uppercase;color:#5f6672;"
    )
    return _div("label", escape(part.label) + (detail if part.detail else ""), style)


def _content(part: Part, picture: str | None) -> str:
    if part.look == "curve" and picture:
        return _picture(part, picture)
    box, style = _BOXES.get(part.look, ("", ""))
    inner = (
        _list(part) if part.look in ("steps", "list", "alarm") else "".join(_line(part, line) for line in part.lines)
    )
    language = f' lang="{escape(part.language)}"' if part.language else ""
    link = _link(part.url) if part.url else ""
    return f'<div class="{box}"{_direction(part)}{language} style="margin:4px 0;{style}">{inner}{link}</div>'


def _list(part: Part) -> str:
    tag = "ol" if part.look == "steps" else "ul"
    items = "".join(f'<li{_direction(part)} style="margin:2px 0;">{escape(line)}</li>' for line in part.lines)
    return f'<{tag} style="margin:4px 0;padding-inline-start:24px;">{items}</{tag}>' if items else ""


def _direction(part: Part) -> str:
    """Let what others wrote choose its own direction; our own sentences, with names isolated in them, run one way."""
    theirs = part.look in ("quote", "draft", "steps", "alarm") or not part.label
    return ' dir="auto"' if theirs else ""


def _line(part: Part, line: str) -> str:
    return f'<div{_direction(part)} style="overflow-wrap:anywhere;">{escape(line) or "&nbsp;"}</div>'


def _picture(part: Part, picture: str) -> str:
    words = escape(part.lines[-1]) if part.lines else ""
    image = (
        f'<img src="cid:{escape(picture)}" alt="{words}" width="598" '
        'style="display:block;width:100%;max-width:598px;height:auto;border:0;border-radius:4px;background:#ffffff;">'
    )
    return _div("curve", image + _line(part, part.lines[-1]), _BOXES["curve"][1])


def _button(part: Part) -> str:
    if not part.url:
        return _div("quiet", f"{escape(part.label)}: {escape(part.lines[0])}", _BOXES["quiet"][1])
    style = (
        "display:inline-block;margin:4px 8px 4px 0;padding:8px 16px;border-radius:6px;background:#1f4e96;"
        "color:#ffffff;text-decoration:none;font-weight:600;font-size:14px;"
    )
    return f'<a class="button" href="{escape(part.url)}" rel="noreferrer" style="{style}">{escape(part.label)}</a>'


def _buttons(buttons: list[str]) -> Iterator[str]:
    if buttons:
        yield f'<div style="margin:12px 0 2px;">{"".join(buttons)}</div>'


def _link(url: str) -> str:
    style = "font-size:13px;color:#1f4e96;"
    return f'<div><a class="link" href="{escape(url)}" rel="noreferrer" style="{style}">Open the post</a></div>'


def _div(name: str, inner: str, style: str) -> str:
    return f'<div class="{name}" style="{style}">{inner}</div>'
