"""Lists that come in pages: all of one or none of it, because a part that passes for the whole says *nothing more*."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workflow.errors import ProviderError
from workflow.providers.microsoft365.values import Row, rows, text, texts
from workflow.providers.microsoft365.wire import next_page

if TYPE_CHECKING:
    from workflow.providers.microsoft365.wire import Reply

_WARNINGS = "@adminapi.warnings"
_CUT = re.compile(r"(?i)\bmore results\b|\bResultSize\b|\btruncated\b")
"""How a cmdlet warns of having left something out, though its answer looks like any other."""
_MOST = 1_000
_MOST_BYTES = 256 * 1024 * 1024


class Pages:
    """The pages of one list, taken in one after the other; ``rows`` is whole when none follows."""

    def __init__(self, name: str, home: str) -> None:
        """Begin with no page of the list that this call gives; ``home`` is where its pages are."""
        self._name = name
        self._home = home
        self._taken = 0
        self._bytes = 0
        self.rows: list[Row] = []

    def take(self, reply: Reply) -> str:
        """Take a page in, and return where the next one is, "" after the last.

        Raises:
            ProviderError: it is no page of a list, it is one too many, or the next one is said to be elsewhere.
        """
        self._bytes += len(reply.body)
        if self._bytes > _MOST_BYTES:
            raise ProviderError(f"{self._name}: the list is too long, and a part is not given for the whole.")
        page = Row(self._name, reply.data)
        if _CUT.search("; ".join([*texts(page, _WARNINGS), reply.headers.get("x-warnings", "")])):
            raise ProviderError(f"{self._name}: the service says that this is not the whole list.")
        if page.get("value") is None:
            raise ProviderError(f"{self._name}: the answer holds no list.")
        self.rows += rows(page, "value")
        self._taken += 1
        following = text(page, "@odata.nextLink")
        if following and self._taken >= _MOST:
            raise ProviderError(f"{self._name}: the list does not end.")
        return next_page(self._name, following, self._home) if following else ""
