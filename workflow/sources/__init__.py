"""What a file says: exports, alerts and bounce mail become restrictions, YAML becomes a playbook.

:func:`read` takes any file that can be imported; ``ONE_LINERS`` says how to produce each.
"""

from __future__ import annotations

from workflow.domain.zones import zone
from workflow.sources.options import DateOrder, ReadOptions
from workflow.sources.reading import detect, read, whole_list
from workflow.sources.shape import ONE_LINERS, Shape

__all__ = ["ONE_LINERS", "DateOrder", "ReadOptions", "Shape", "detect", "read", "whole_list", "zone"]
