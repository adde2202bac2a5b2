"""The one answer to bytes that are not what they claim to be."""

from workflow.errors import InputError


class Malformed(InputError):  # noqa: N818 - it is a verdict on bytes, and reads as one: `except Malformed`
    """These bytes are not well formed.

    ``why`` is one sentence that names the first fault found; it never repeats more than a few characters of
    the bytes themselves, which are untrusted.
    """

    code = "malformed"

    def __init__(self, why: str) -> None:
        """Keep the reason for whoever turns it into a finding."""
        super().__init__(why)
        self.why = why
