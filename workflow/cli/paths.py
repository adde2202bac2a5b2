"""Files as they are named on the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class FileName(click.Path):
    """The file of an option. What begins with a hyphen is refused: mostly it is an option, and the file was forgotten.

    Args:
        stream: whether ``-`` stands for standard input or output.
        options: as ``click.Path`` takes them.
    """

    def __init__(self, *, stream: bool = False, **options: Any) -> None:
        """Take what may be typed."""
        super().__init__(**options)
        self._stream = stream

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what looks like an option; an argument is no such thing, click has told them apart already."""
        text = os.fspath(value)
        if isinstance(param, click.Option) and text.startswith("-") and not (self._stream and text == "-"):
            self.fail(f"{text!r} looks like an option. Name a file; one of that name is './{text}'.", param, ctx)
        return super().convert(value, param, ctx)


FILE = FileName(path_type=Path)
STREAM = FileName(stream=True)
"""As text: ``-`` is no path."""
