"""Writes what of the documents is made from the program: `python -m listener.documents`, in the project's folder."""

from pathlib import Path

from listener.config.reference import written
from listener.manual import document
from listener.plugins import plugin_options

DOCUMENTS = Path("docs")


def main(folder: Path = DOCUMENTS) -> None:
    """Write the commands anew, and the tables of the configuration's reference."""
    from listener.cli import app

    (folder / "commands.md").write_text(document(app), encoding="utf-8")
    reference = folder / "configuration.md"
    reference.write_text(written(reference.read_text(encoding="utf-8"), plugin_options()), encoding="utf-8")


if __name__ == "__main__":
    main()
