"""Every error Holdfast raises on purpose, in one tree.

::

    HoldfastError
    ├── RuleRefusedError              a rule of the product says no
    │   ├── GateClosedError           prerequisites are missing (.missing)
    │   ├── OldReadingsError          the tenant was read too long ago to decide on it (.prerequisites)
    │   ├── WrongStateError           the state machine has no such step from here (.possible)
    │   ├── EvidenceRefusedError      what was offered cannot count as evidence
    │   ├── SamePersonError           separation of duties (.roles)
    │   ├── ReviewOwedError           a broken glass is to be reviewed first (.roles)
    │   └── RestoreOwedError          what containment removed is to be given back or left out first
    ├── NotPermittedError             the actor's roles do not include this (.roles)
    ├── NotFoundError                 no such case, playbook, person…
    ├── ConflictError                 somebody else moved the case first
    ├── PendingError                  already under way, nothing changed
    │   └── ErasurePendingError       erased, but somebody's reading keeps the last bytes in the file
    ├── InputError                    what was typed or read cannot be understood
    │   ├── PlaybookError             a playbook file is faulty (.faults: path, line, cure)
    │   └── SourceError               an import file cannot be read at all
    ├── SettingsError                 the environment or settings file is wrong
    ├── StorageError                  the database refused, is missing, or is not ours
    │   ├── DatabaseBusyError         another writer held the lock for too long
    │   └── SchemaError               tables, columns or triggers differ from the expected ones
    ├── KeyMissingError               the signing key is not there: reads work, writes do not
    ├── ProviderError                 the tenant
    │   ├── ProviderBusyError         throttled (.retry_after, seconds)
    │   ├── ProviderRefusedError      refused for good
    │   │   └── UnblockLimitError     unblocked too often: only Microsoft Support helps
    │   ├── NotReadableError          the tenant cannot tell (licence, permission, nothing connected)
    │   ├── NotReachedError           no answer came to a reading: network, proxy, or the service is away
    │   └── OutcomeUnknownError       a change was sent and no answer came: read before anything else
    ├── DeliveryError                 a message did not get to its recipient
    └── VerificationError             the ledger does not verify

An error's docstring says what happened and its arguments carry the particulars and the cure. Each face
translates the tree once, in one table, to an exit code or a status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class HoldfastError(Exception):
    """Holdfast could not do that.

    ``str(error)`` is one sentence or more for people; ``code`` is stable for programs; ``next_step`` says what to do
    next where that is not the same for every error of its kind. ``step`` is the case's id and the action where a
    case's rules refused it: whoever wants to know who else could take it asks them again.
    """

    code = "error"

    def __init__(self, message: str = "", *, next_step: str = "") -> None:
        """Keep the message and the next step; without a message the class's own docstring is it."""
        super().__init__(message or (type(self).__doc__ or "").split("\n", 1)[0])
        self.next_step = next_step
        self.step: tuple[str, Any] | None = None

    def details(self) -> Mapping[str, Any]:
        """Particulars for ``--json``: plain JSON values only."""
        return {}


class RuleRefusedError(HoldfastError):
    """A rule refuses this step.

    ``roles`` names those whose holders can take the step instead; empty where another person would not help.
    """

    code = "refused"

    def __init__(self, message: str = "", roles: Sequence[str] = (), *, next_step: str = "") -> None:
        """Keep the roles beside the message."""
        super().__init__(message, next_step=next_step)
        self.roles = tuple(roles)

    def details(self) -> Mapping[str, Any]:
        """Return the roles, where there are any."""
        return {"roles": list(self.roles)} if self.roles else {}


class GateClosedError(RuleRefusedError):
    """Prerequisites are still missing.

    ``missing`` holds :class:`workflow.domain.gate.Missing` values in playbook order.
    """

    code = "gate_closed"

    def __init__(self, message: str = "", missing: Sequence[Any] = ()) -> None:
        """Keep what is missing beside the message."""
        super().__init__(message)
        self.missing = tuple(missing)

    def details(self) -> Mapping[str, Any]:
        """Return the missing prerequisites as plain values."""
        return {"missing": [item.to_data() for item in self.missing]}


class OldReadingsError(RuleRefusedError):
    """A provider's readings are older than the five minutes within which an unblock is decided on them.

    ``prerequisites`` holds their ids in playbook order.
    """

    code = "readings_old"

    def __init__(self, message: str = "", prerequisites: Sequence[str] = ()) -> None:
        """Keep what to read again beside the message."""
        super().__init__(message)
        self.prerequisites = tuple(prerequisites)

    def details(self) -> Mapping[str, Any]:
        """Return the prerequisites."""
        return {"prerequisites": list(self.prerequisites)}


class WrongStateError(RuleRefusedError):
    """The case cannot take this step from the state it is in."""

    code = "wrong_state"

    def __init__(self, message: str = "", possible: Sequence[str] = (), missing: Sequence[Any] = ()) -> None:
        """Keep the names of the actions that are possible instead, and what keeps the case in its state."""
        super().__init__(message)
        self.possible = tuple(possible)
        self.missing = tuple(missing)

    def details(self) -> Mapping[str, Any]:
        """Return the possible actions, and the missing prerequisites where they are known."""
        missing = [item.to_data() for item in self.missing]
        return {"possible": list(self.possible)} | ({"missing": missing} if missing else {})


class EvidenceRefusedError(RuleRefusedError):
    """What was offered cannot count as evidence."""

    code = "evidence_refused"


class SamePersonError(RuleRefusedError):
    """Separation of duties: this step needs a different person."""

    code = "same_person"


class ReviewOwedError(RuleRefusedError):
    """An approval broke the glass, and nobody else has reviewed it yet."""

    code = "review_owed"


class RestoreOwedError(RuleRefusedError):
    """Containment removed something that was neither given back nor deliberately left out."""

    code = "restore_owed"


class NotPermittedError(HoldfastError):
    """Your roles do not include this.

    ``roles`` names those that do.
    """

    code = "not_permitted"

    def __init__(self, message: str = "", roles: Sequence[str] = ()) -> None:
        """Keep the roles beside the message."""
        super().__init__(message)
        self.roles = tuple(roles)

    def details(self) -> Mapping[str, Any]:
        """Return the roles, where there are any."""
        return {"roles": list(self.roles)} if self.roles else {}


class NotFoundError(HoldfastError):
    """There is no such thing here."""

    code = "not_found"


class ConflictError(HoldfastError):
    """Somebody else moved the case since you looked."""

    code = "conflict"


class PendingError(HoldfastError):
    """This is already under way; nothing was changed."""

    code = "pending"


class ErasurePendingError(PendingError):
    """The rows are erased, but somebody reads the database at this moment and keeps their last bytes in its log."""

    code = "erasure_pending"


class InputError(HoldfastError):
    """The input cannot be understood."""

    code = "input"


class PlaybookError(InputError):
    """The playbook file is faulty.

    ``faults`` holds values with ``path``, ``line`` (1-based), ``message`` and ``cure``.
    """

    code = "playbook"

    def __init__(self, message: str = "", faults: Sequence[Any] = ()) -> None:
        """Keep every fault found, not only the first."""
        super().__init__(message)
        self.faults = tuple(faults)

    def details(self) -> Mapping[str, Any]:
        """Return the faults as plain values."""
        return {"faults": [fault.to_data() for fault in self.faults]}


class SourceError(InputError):
    """The file cannot be read as any of the known exports."""

    code = "source"


class SettingsError(HoldfastError):
    """A setting is wrong."""

    code = "settings"


class StorageError(HoldfastError):
    """The database refused."""

    code = "storage"


class DatabaseBusyError(StorageError):
    """Another process held the database for too long; nothing was changed, try again."""

    code = "busy"


class SchemaError(StorageError):
    """The database's tables, columns or triggers are not the expected ones."""

    code = "schema"


class KeyMissingError(HoldfastError):
    """The signing key is missing: reading works, writing does not."""

    code = "key_missing"


class ProviderError(HoldfastError):
    """The tenant could not be asked."""

    code = "provider"


class ProviderBusyError(ProviderError):
    """The tenant is throttling."""

    code = "provider_busy"

    def __init__(self, message: str = "", retry_after: float = 0.0) -> None:
        """Keep how many seconds to wait before asking again."""
        super().__init__(message)
        self.retry_after = retry_after


class ProviderRefusedError(ProviderError):
    """The tenant refused for good."""

    code = "provider_refused"


class UnblockLimitError(ProviderRefusedError):
    """Microsoft does not unblock this account any more; only Microsoft Support can."""

    code = "unblock_limit"


class NotReadableError(ProviderError):
    """The tenant cannot tell."""

    code = "not_readable"


class NotReachedError(ProviderError):
    """The tenant was not reached, so nothing is known of it."""

    code = "not_reached"


class OutcomeUnknownError(ProviderError):
    """A change was sent to the tenant and no answer came."""

    code = "outcome_unknown"


class DeliveryError(HoldfastError):
    """The message was not delivered."""

    code = "delivery"


class VerificationError(HoldfastError):
    """The ledger does not verify."""

    code = "verification"
