"""`listener check` answers at once because it imports no model and no network client."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
HEAVY = ("torch", "transformers", "tokenizers", "tweepy", "vk_api", "slack_sdk", "sqlalchemy", "apscheduler")


def test_check_passes_on_the_shipped_configuration_without_loading_anything_heavy() -> None:
    program = (
        "import sys; from listener.cli import app\n"
        "try:\n    app(['check'])\nexcept SystemExit as stop:\n    code = stop.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert "all is well" in done.stdout
