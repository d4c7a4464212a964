"""Typst, run on one folder as a process of its own. It knows no digest and imports nothing of ours.

A process of its own gives its memory back (each face of a Chinese font is tens of megabytes), can be ended when a
page takes too long, and sees none of the daemon's secrets.

    python typesetting.py FOLDER

reads digest.typ, data.json and the pictures in FOLDER and writes digest.pdf there, or problem.txt.
"""

import json
import sys
from pathlib import Path
from typing import Any

BUNDLED_FAMILY = "Libertinus Serif"
"""Typst carries it, for machines without fonts."""


def main(folder: Path) -> int:
    """Typeset one folder; return 0 where the PDF was made."""
    import typst

    data: dict[str, Any] = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    fonts = typst.Fonts(include_system_fonts=data.pop("system_fonts"))
    data["fonts"] = _installed(data["fonts"], set(fonts.families()))
    compiler = typst.Compiler(
        folder / "digest.typ",
        folder,
        font_paths=fonts,
        sys_inputs={"data": json.dumps(data)},
        package_path=folder,
        package_cache_path=folder,
    )
    try:
        made = _compiled(compiler)
    except typst.TypstError as error:
        (folder / "problem.txt").write_text(error.message, encoding="utf-8", errors="replace")
        return 1
    (folder / "digest.pdf").write_bytes(made)
    return 0


def _compiled(compiler: Any) -> bytes:
    """Return PDF/UA where every letter has a font, as that standard asks; tagged PDF where one has none."""
    import typst

    try:
        made = compiler.compile(format="pdf", pdf_standards="ua-1")
    except typst.TypstError:
        made = compiler.compile(format="pdf")
    return bytes(made)


def _installed(wanted: dict[str, list[str]], families: set[str]) -> dict[str, list[str]]:
    return {name: [one for one in chain if one in families] or [BUNDLED_FAMILY] for name, chain in wanted.items()}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
