"""JSON Schemas of the library's files, for editors that complete and check YAML."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from listener.config import Strict
from listener.errors import ListenerError
from playbooks.loading import SCHEMA_FOLDER, PhrasesFile, PlaybookFile, RepliesFile, RulesFile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Schema:
    """One kind of file."""

    model: type[Strict]
    title: str

    @property
    def file(self) -> str:
        """The schema's file name."""
        return f"{self.title}.schema.json"

    def json(self) -> str:
        """Return the schema as JSON text."""
        found: dict[str, Any] = self.model.model_json_schema(by_alias=True)
        return json.dumps({"$schema": _DIALECT, **found, "title": self.title}, indent=2, ensure_ascii=False) + "\n"


SCHEMAS = {
    schema.title: schema
    for schema in (
        Schema(PlaybookFile, "playbook"),
        Schema(RepliesFile, "replies"),
        Schema(PhrasesFile, "phrases"),
        Schema(RulesFile, "rules"),
    )
}


def write_schemas(folder: Path) -> list[Path]:
    """Write all schemas into the library's own folder for them; return the files.

    Raises:
        ListenerError: the folder cannot be written to.
    """
    target = folder / SCHEMA_FOLDER
    try:
        target.mkdir(parents=True, exist_ok=True)
        for schema in SCHEMAS.values():
            (target / schema.file).write_text(schema.json(), encoding="utf-8")
    except OSError as error:
        raise ListenerError(f"cannot write {error.filename}: {error.strerror}") from error
    return [target / schema.file for schema in SCHEMAS.values()]
