"""A sheet to draw a chart on: lengths in CSS pixels from the top left, texts measured, wrapped and made harmless.

It knows how to place words and shapes and nothing of what they say.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Literal

import regex

from listener.digest import fonts
from listener.digest.document import Picture

Align = Literal["left", "center", "right"]

INK, QUIET, PALE, FAINT, PAPER = "#1d1c1d", "#56626b", "#b4bec6", "#e4e8eb", "#ffffff"
"""Words and marks; lesser words; lesser bars; rules; the ground."""
STRONG, CALM = "#a8281c", "#b4bec6"
"""Bars that the chart is about, and the others: far apart in grey and to every kind of eye."""
OURS = "#1f4e79"
TITLE, TEXT, SMALL, SMALLEST = 16.0, 13.0, 11.5, 8.0
"""Sizes of letters in CSS pixels."""
LINE = 1.38
"""Height of a line in letters' sizes: Arabic and Devanagari reach further up and down than Latin."""
_SCALE = 2
_DPI = 100
_COLOURS = 96
_NO_START = frozenset("、。，．！？；：）」』】〉》…ー々”’)]}!?,.;:%")


class Sheet:
    """A white sheet of fixed width whose height is known when everything on it was placed."""

    def __init__(self, width: int, language: str) -> None:
        """Prepare the sheet for readers of `language` (BCP 47)."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
        from matplotlib.figure import Figure

        self.width, self.height, self._language = width, width, language
        self.figure = Figure(figsize=(width / _DPI, width / _DPI), dpi=_DPI * _SCALE, facecolor=PAPER)
        self._canvas = FigureCanvasAgg(self.figure)
        self._ruler = RendererAgg(1, 1, _DPI * _SCALE)  # type: ignore[no-untyped-call]
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set_xlim(0, width)
        self._axes.set_ylim(width, 0)
        self._lengths: dict[tuple[str, float, bool], float] = {}

    def crop(self, height: float) -> "Sheet":
        """Give the sheet its height."""
        self.height = max(1, round(height))
        self.figure.set_size_inches(self.width / _DPI, self.height / _DPI)
        self._axes.set_ylim(self.height, 0)
        return self

    def picture(self) -> Picture:
        """Return the sheet as a PNG of twice its size, the same for the same sheet."""
        from PIL import Image

        self._canvas.draw()  # type: ignore[no-untyped-call]
        size = (self.width * _SCALE, self.height * _SCALE)
        pixels = Image.frombytes("RGBA", size, bytes(self._canvas.buffer_rgba())).convert("RGB")
        few = pixels.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        out = BytesIO()
        few.save(out, "png", optimize=True)
        return Picture(out.getvalue(), self.width, self.height)

    def length(self, text: str, size: float = TEXT, *, bold: bool = False) -> float:
        """Return how wide a text is drawn."""
        return self._length(fonts.clean(text), size, bold=bold)

    def _length(self, text: str, size: float, *, bold: bool) -> float:
        key = (text, size, bold)
        if text and key not in self._lengths:
            font = self._font(text, size, bold=bold)
            ruled = self._ruler.get_text_width_height_descent(text, font, False)  # type: ignore[no-untyped-call]
            self._lengths[key] = float(ruled[0]) / _SCALE
        return self._lengths.get(key, 0.0)

    def width_of(self, rows: Sequence[str], size: float, *, bold: bool = False) -> float:
        """Return how wide the widest of harmless lines is drawn."""
        return max((self._length(row, size, bold=bold) for row in rows), default=0.0)

    def lines(self, text: str, width: float, size: float = TEXT, *, bold: bool = False, most: int = 2) -> list[str]:
        """Return a hostile text as at most `most` harmless lines of `width`; the last ends in … where more follows."""
        whole = fonts.clean(text, 60 * most)
        rows: list[str] = []
        for piece in _pieces(whole):
            for part in self._parts(piece, width, size, bold=bold):
                if rows and self._length((rows[-1] + part).rstrip(" "), size, bold=bold) <= width:
                    rows[-1] += part
                elif part.strip(" "):
                    rows.append(part)
        rows = [row.strip(" ") for row in rows]
        if len(rows) > most:
            joint = "" if _wide(rows[most][0]) else " "
            last = rows[most - 1] + joint + rows[most]
            rows = [*rows[: most - 1], self._cut(last, width, size, bold=bold)]
        return _directed(rows, fonts.direction(whole))

    def _parts(self, piece: str, width: float, size: float, *, bold: bool) -> list[str]:
        """Return a word that is too long for a line in parts that are not."""
        if self._length(piece.rstrip(" "), size, bold=bold) <= width:
            return [piece]
        parts = [""]
        for cluster in regex.findall(r"\X", piece):
            if parts[-1] and self._length((parts[-1] + cluster).rstrip(" "), size, bold=bold) > width:
                parts.append("")
            parts[-1] += cluster
        return parts

    def _cut(self, text: str, width: float, size: float, *, bold: bool) -> str:
        clusters = regex.findall(r"\X", text.rstrip("… "))
        while clusters and self._length("".join(clusters).rstrip(" ") + "…", size, bold=bold) > width:
            clusters.pop()
        return "".join(clusters).rstrip(" ") + "…"

    def fitting(self, text: str, width: float, size: float = TEXT, *, bold: bool = False) -> tuple[str, float]:
        """Return a text on one line of `width`, with the size it needs for it; cut where the smallest is too wide."""
        whole = fonts.clean(text)
        needed = self._length(whole, size, bold=bold)
        if needed <= width:
            return _directed([whole], fonts.direction(whole))[0], size
        smaller = max(SMALLEST, min(size, TEXT) * 0.8, size * width / needed * 0.98)
        short = (
            whole if self._length(whole, smaller, bold=bold) <= width else self._cut(whole, width, smaller, bold=bold)
        )
        return _directed([short], fonts.direction(whole))[0], smaller

    def write(
        self, rows: Sequence[str], x: float, y: float, size: float = TEXT, *,
        colour: str = INK, bold: bool = False, align: Align = "left",
    ) -> float:  # fmt: skip
        """Write harmless lines downwards from `y`, aligned at `x`; return where they end."""
        for place, row in enumerate(rows):
            if row:
                baseline = y + size * (LINE * place + LINE * 0.5 + 0.36)
                look = {"fontproperties": self._font(row, size, bold=bold), "color": colour, "ha": align}
                self._axes.text(x, baseline, row, va="baseline", parse_math=False, **look)
        return y + size * LINE * len(rows)

    def word(
        self, text: str, x: float, middle: float, size: float = TEXT, *,
        colour: str = INK, bold: bool = False, align: Align = "left", width: float = 10_000,
    ) -> float:  # fmt: skip
        """Write one line about `middle`, smaller or cut where it is wider than `width`; return its length."""
        row, size = self.fitting(text, width, size, bold=bold)
        self.write([row], x, middle - size * LINE / 2, size, colour=colour, bold=bold, align=align)
        return self._length(row, size, bold=bold)

    def bar(
        self, x: float, y: float, width: float, height: float, colour: str, *, edge: float = 0, under: bool = False
    ) -> None:
        """Draw a filled rectangle, with a white edge `edge` wide where it lies on others."""
        from matplotlib.patches import Rectangle

        if width > 0 and height > 0:
            line = {"linewidth": _points(edge), "edgecolor": PAPER} if edge else {"linewidth": 0}
            self._axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, zorder=0 if under else 2, **line))

    def line(
        self, xs: Sequence[float], ys: Sequence[float], colour: str = INK, width: float = 1.0, *,
        halo: bool = False, dashed: bool = False, over: int = 3,
    ) -> None:  # fmt: skip
        """Draw a line through points, with a white halo where it must show on a bar."""
        from matplotlib.lines import Line2D
        from matplotlib.patheffects import Normal, Stroke

        look: dict[str, Any] = {"color": colour, "linewidth": _points(width), "zorder": over}
        look |= {"solid_capstyle": "butt", "linestyle": (0, (4, 3)) if dashed else "-"}
        drawn = Line2D(list(xs), list(ys), **look)
        if halo:
            drawn.set_path_effects([Stroke(linewidth=_points(width + 3), foreground=PAPER), Normal()])
        self._axes.add_line(drawn)

    def dot(self, x: float, y: float, colour: str, size: float = 10, *, hollow: bool = False) -> None:
        """Draw a dot `size` across; a hollow one is white inside."""
        from matplotlib.lines import Line2D

        look: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": _points(size), "zorder": 5}
        look |= {"markerfacecolor": PAPER if hollow else colour, "markeredgecolor": colour}
        self._axes.add_line(Line2D([x], [y], markeredgewidth=_points(1.8 if hollow else 0), **look))

    def _font(self, text: str, size: float, *, bold: bool) -> Any:
        from matplotlib.font_manager import FontProperties

        names = list(fonts.families(self._language, text))
        return FontProperties(family=names, size=_points(size), weight="bold" if bold else "normal")


def _points(pixels: float) -> float:
    return pixels * 72 / _DPI


def _pieces(text: str) -> list[str]:
    """Return a text in the pieces between which a line may end."""
    pieces: list[str] = []
    for word in regex.findall(r"[^ ]+ *", text):
        for cluster in regex.findall(r"\X", word):
            start = not pieces or pieces[-1].endswith(" ") or _breaks(pieces[-1][-1], cluster[0])
            pieces[len(pieces) :] = [cluster] if start and cluster != " " else []
            if not start or cluster == " ":
                pieces[-1] += cluster
    return pieces


def _breaks(before: str, after: str) -> bool:
    """Return whether a line may end between two characters of one word."""
    if after in _NO_START or before in "（「『【〈《“‘([{":
        return False
    return before in "-/–" or any(_wide(char) for char in (before, after))


def _wide(char: str) -> bool:
    return "\u3040" <= char <= "\u9fff" or "\u0e00" <= char <= "\u0e7f" or "\uff00" <= char <= "\uffef"


def _directed(rows: list[str], mark: str) -> list[str]:
    """Return lines that keep the whole text's direction, each with its own isolates closed."""
    needed = mark == "\u200f" or any(fonts.direction(row) != mark for row in rows)
    return [(mark if needed else "") + fonts.balanced(row) for row in rows]
