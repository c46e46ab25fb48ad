"""Ask editors to keep their assistants silent in a folder of lessons.

A request, which whoever opens the folder can take back. `teach/ai.md` says which platform hears what.
"""

import json
from pathlib import Path
from typing import Any

from oraledu.app import workspace
from oraledu.app.errors import UserError

#: Hides the built-in assistant of VS Code, and switches Copilot off, where the folder is opened as a workspace.
VSCODE = {"chat.disableAIFeatures": True}


def ask(folder: Path) -> Path:
    """Write the request into a folder of lessons; return the file that holds it.

    Raises:
        UserError: it is no folder of lessons, or its settings are no plain JSON.
        OSError: the folder cannot be written.
    """
    target = workspace.existing(folder) / ".vscode" / "settings.json"
    stored: Any = {}
    if target.exists():
        try:
            stored = json.loads(target.read_text("utf-8"))
        except ValueError:
            stored = None
        if not isinstance(stored, dict):
            raise UserError(f'{target} is no plain JSON; add "chat.disableAIFeatures": true to it by hand')
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(stored | VSCODE, indent=2) + "\n", encoding="utf-8")
    return target
