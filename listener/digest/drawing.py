"""A sheet to draw a chart on: lengths in CSS pixels from the top left, texts measured, wrapped and made harmless.

It knows how to place words and shapes and nothing of what they say.
"""

from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any, Literal

import regex

from listener.digest import fonts
from listener.digest.document import Picture

Align = Literal["left", "center", "right"]

INK, QUIET, PALE, FAINT, PAPER = "#1d1c1d", "#56626b", "#b4bec6", "#e4e8eb", "#ffffff"
"""Words and marks; lesser words; lesser bars; rules; the ground."""
STRONG, CALM = "#86190f", "#929ea7"
"""Bars that the chart is about, and the others: far apart in grey and to every kind of eye."""
OURS = "#173f66"
TITLE, TEXT, SMALL, SMALLEST = 16.0, 13.0, 11.5, 8.0
"""Sizes of letters in CSS pixels."""
LINE = 1.38
"""Height of a line in letters' sizes: Arabic and Devanagari reach further up and down than Latin."""
_SCALE = 2
_DPI = 100
_COLOURS = 64
_HYPHENATED = regex.compile(r"\p{Script=Latin}{3}$|\p{Script=Cyrillic}{3}$|\p{Script=Greek}{3}$")
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
        pixels = Image.frombytes("RGBA", size, bytes(self._canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]
        few = pixels.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        out = BytesIO()
        few.save(out, "png", compress_level=6)
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

    def narrowest(self, text: str, size: float = TEXT, *, bold: bool = False) -> float:
        """Return the width below which lines of this text would break a word."""
        return max((self._length(one.strip(" "), size, bold=bold) for one in _pieces(fonts.clean(text))), default=0.0)

    def lines(self, text: str, width: float, size: float = TEXT, *, bold: bool = False, most: int = 2) -> list[str]:
        """Return a hostile text as at most `most` harmless lines of `width`; the last ends in … where more follows."""
        whole = fonts.clean(text, 60 * most)
        pieces = [part for piece in _pieces(whole) for part in self._parts(piece, width, size, bold=bold)]
        rows = self._filled(pieces, width, size, bold=bold)
        if len(rows) > most:
            joint = "" if _wide(rows[most][0]) or rows[most - 1].endswith("-") else " "
            last = self._cut(rows[most - 1] + joint + rows[most], width, size, bold=bold)
            return _directed([*rows[: most - 1], last], fonts.direction(whole))
        return _directed(self._even(rows, pieces, width, size, bold=bold), fonts.direction(whole))

    def _even(self, rows: list[str], pieces: list[str], width: float, size: float, *, bold: bool) -> list[str]:
        """Return lines of about one length, as many as `rows`: no single word is left for the last."""
        widest = max((self._length(piece.strip(" "), size, bold=bold) for piece in pieces), default=0)
        short = len(rows) > 1 and self._length(rows[-1], size, bold=bold) < width / 2
        for share in (0.6, 0.7, 0.8, 0.9) if short else ():
            if widest <= width * share and len(even := self._filled(pieces, width * share, size, bold=bold)) == len(
                rows
            ):
                return even
        return rows

    def _filled(self, pieces: list[str], width: float, size: float, *, bold: bool) -> list[str]:
        rows, reached = [""], 0.0
        for piece in pieces:
            wide = size * len(piece) if _wide(piece[0]) else self._length(piece.strip(" "), size, bold=bold)
            # The sum of the pieces tells enough, save near the end of a line.
            fits = reached + wide <= width * 0.8
            if not fits and reached + wide <= width * 1.15:
                fits = self._length((rows[-1] + piece).strip(" "), size, bold=bold) <= width
            if not fits and rows[-1]:
                rows, reached = [*rows, ""], 0.0
            rows[-1] += piece
            reached += wide + (size * 0.3 if piece.endswith(" ") else 0)
        return [row.strip(" ") for row in rows if row.strip(" ")]

    def _parts(self, piece: str, width: float, size: float, *, bold: bool) -> list[str]:
        """Return a word that is too long for a line in parts that are not, with hyphens where its script has them."""
        if self._length(piece.rstrip(" "), size, bold=bold) <= width:
            return [piece]
        clusters = regex.findall(r"\X", piece)
        for many in range(2, len(clusters) + 1):
            ends = [round(len(clusters) * place / many) for place in range(many + 1)]
            parts = _hyphenated(["".join(clusters[begin:end]) for begin, end in pairwise(ends)])
            if all(self._length(part.rstrip(" "), size, bold=bold) <= width for part in parts):
                return parts
        return clusters

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
                self._axes.text(x, baseline, row, va="baseline", parse_math=False, zorder=6, **look)
        return y + size * LINE * len(rows)

    def block(self, rows: Sequence[str], x: float, y: float, size: float = TEXT, *, bold: bool = False) -> None:
        """Write harmless lines from `x`; those of a text that runs from right to left end where its longest ends."""
        leftwards = bool(rows) and fonts.direction(rows[0]) == "\u200f"
        x += self.width_of(rows, size, bold=bold) if leftwards else 0
        self.write(rows, x, y, size, bold=bold, align="right" if leftwards else "left")

    def word(
        self, text: str, x: float, middle: float, size: float = TEXT, *,
        colour: str = INK, bold: bool = False, align: Align = "left", width: float = 10_000,
    ) -> float:  # fmt: skip
        """Write one line about `middle`, smaller or cut where it is wider than `width`; return its length."""
        row, size = self.fitting(text, width, size, bold=bold)
        self.write([row], x, middle - size * LINE / 2, size, colour=colour, bold=bold, align=align)
        return self._length(row, size, bold=bold)

    def bar(
        self, x: float, y: float, width: float, height: float, colour: str, *,
        edge: float = 0, layer: Literal["under", "bars", "over"] = "bars",
    ) -> None:  # fmt: skip
        """Draw a filled rectangle, with a white edge `edge` wide where it lies beside others."""
        from matplotlib.patches import Rectangle

        if width > 0 and height > 0:
            line = {"linewidth": _points(edge), "edgecolor": PAPER} if edge else {"linewidth": 0}
            above = {"under": 0, "bars": 2, "over": 5}[layer]
            self._axes.add_artist(Rectangle((x, y), width, height, facecolor=colour, zorder=above, **line))

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
            drawn.set_path_effects([Stroke(linewidth=_points(width + 2), foreground=PAPER), Normal()])
        self._axes.add_artist(drawn)

    def dot(self, x: float, y: float, colour: str, size: float = 10, *, hollow: bool = False) -> None:
        """Draw a dot `size` across; a hollow one is white inside."""
        from matplotlib.lines import Line2D

        look: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": _points(size), "zorder": 5}
        look |= {"markerfacecolor": PAPER if hollow else colour, "markeredgecolor": colour}
        self._axes.add_artist(Line2D([x], [y], markeredgewidth=_points(1.8 if hollow else 0), **look))

    def _font(self, text: str, size: float, *, bold: bool) -> Any:
        from matplotlib.font_manager import FontProperties

        names = list(fonts.families(self._language, text))
        return FontProperties(family=names, size=_points(size), weight="bold" if bold else "normal")


def _points(pixels: float) -> float:
    return pixels * 72 / _DPI


def _hyphenated(parts: list[str]) -> list[str]:
    """Return the parts of a word with hyphens where they were parted, in scripts that have them."""
    shown = [part + "-" if _HYPHENATED.search(part) and after[0].isalpha() else part for part, after in pairwise(parts)]
    return [*shown, parts[-1]]


def _pieces(text: str) -> list[str]:
    """Return a text in the pieces between which a line may end."""
    pieces: list[str] = []
    for word in regex.findall(r"[^ ]+ *", text):
        for cluster in regex.findall(r"\X", word):
            start = not pieces or pieces[-1].endswith(" ") or _breaks(pieces[-1], cluster[0])
            pieces[len(pieces) :] = [cluster] if start and cluster != " " else []
            if not start or cluster == " ":
                pieces[-1] += cluster
    return pieces


def _breaks(piece: str, after: str) -> bool:
    """Return whether a line may end between a piece and the next character of the same word."""
    before = piece[-1]
    if before == "-" and after.isdigit():  # a reference, such as I-962
        return False
    if after in _NO_START or before in "（「『【〈《“‘([{":
        return False
    return before in "-/–" or any(_wide(char) for char in (before, after))


def _wide(char: str) -> bool:
    return "\u3040" <= char <= "\u9fff" or "\u0e00" <= char <= "\u0e7f" or "\uff00" <= char <= "\uffef"


def _directed(rows: list[str], mark: str) -> list[str]:
    """Return lines that keep the whole text's direction, each with its own isolates closed."""
    needed = mark == "\u200f" or any(fonts.direction(row) != mark for row in rows)
    return [(mark if needed else "") + fonts.balanced(row) for row in rows]
