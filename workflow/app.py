"""The app: settings, database, playbooks, key and clock, built once and handed to every service."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from workflow.domain.playbook import Playbook, from_data
from workflow.errors import KeyMissingError, StorageError
from workflow.ledger import origin
from workflow.providers.manual import Manual
from workflow.providers.microsoft365.connection import Cloud, Connection, Family, Limit, Service
from workflow.providers.ways import Way
from workflow.storage import keyfile, outside, playbooks, tree
from workflow.storage.cases import FoldCache
from workflow.storage.database import Database
from workflow.storage.files import is_there
from workflow.storage.journal import Journal
from workflow.storage.schema import check

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from workflow.providers.port import Provider
    from workflow.settings import Settings
    from workflow.storage.transaction import Tx


TENANT_WIDE = timedelta(seconds=30)
"""How long a reading of the tenant as a whole serves every case; Microsoft lets its policies be read once a second."""


def utc_now() -> datetime:
    """Return the present, aware, in UTC."""
    return datetime.now(UTC)


def connection_of(settings: Settings) -> Connection:
    """Return how the settings say the tenant is reached.

    Raises:
        SettingsError: something is missing, or cannot work.
    """
    own = {
        Service.LOGIN: settings.m365_login_url,
        Service.GRAPH: settings.m365_graph_url,
        Service.EXCHANGE: settings.m365_exchange_url,
        Service.COMPLIANCE: settings.m365_compliance_url,
    }
    rates = {Family(name): [int(part) for part in rate.split("/")] for name, rate in settings.m365_limits.items()}
    return Connection(
        tenant=settings.m365_tenant_id,
        client=settings.m365_client_id,
        way=Way(settings.m365_sign_in),
        certificate=settings.m365_certificate,
        certificate_password=settings.m365_certificate_password.get_secret_value(),
        cloud=Cloud(settings.m365_cloud),
        addresses={service: address or settings.m365_url for service, address in own.items()},
        identity=settings.m365_identity_url,
        timeout=settings.m365_timeout,
        limits={family: Limit(calls, seconds) for family, (calls, seconds) in rates.items()},
    )


class App:
    """What the services work with.

    Args:
        settings: what was read at the start.
        clock: returns the present as an aware time; tests and the demo bring their own.
        provider: the tenant; the one that the settings name by default. Whoever hands one in closes it: apps of many
            threads share one connection.

    Opening the database, reading the key and connecting to the tenant wait until they are needed: reads never need the
    key. ``tell`` shows a person what to type where, when they sign in to the tenant with a code.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], datetime] = utc_now, provider: Provider | None = None
    ) -> None:
        """Bind settings and clock; nothing is opened yet."""
        self.settings = settings
        self.now = clock
        self._provider = provider
        self._is_mine = provider is None
        self.cache = FoldCache()
        self.warnings: list[str] = []
        self.tell: Callable[[str], None] | None = None
        self.prepared = False
        self.log_read = 0
        self.adopted: dict[str, str] = {}
        self._database: Database | None = None
        self._journal: Journal | None = None
        self._playbooks: dict[str, Playbook] = {}
        self._tenant_wide: tuple[datetime, dict[Any, Any]] | None = None

    @property
    def database(self) -> Database:
        """The database, opened and checked on first use.

        Raises:
            StorageError: it is not there, or it is another version's.
        """
        if self._database is None:
            database = Database(self.settings.database_url.get_secret_value())
            if database.path is not None and not is_there(database.path):
                message = f"There is no ledger at {database.path} yet. Begin with: holdfast init"
                kept = self.settings.checkpoint_file
                if is_there(kept):
                    message = (
                        f"The database {database.path} is gone: {kept} holds checkpoints of it. Restore it from a "
                        "backup (holdfast ledger restore BACKUP), or correct the setting database_url."
                    )
                raise StorageError(message)
            try:
                check(database)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    def tenant_wide(self) -> dict[Any, Any]:
        """Return what was read of the tenant as a whole, to be added to: it serves every case for half a minute."""
        now = self.now()
        if self._tenant_wide is None or not self._tenant_wide[0] <= now < self._tenant_wide[0] + TENANT_WIDE:
            self._tenant_wide = (now, {})
        return self._tenant_wide[1]

    @property
    def journal(self) -> Journal:
        """The pen: the signing key, and the checkpoint file that outlives the database.

        Before the first write the database is held against that file.

        Raises:
            KeyMissingError: there is no key; reading still works.
            VerificationError: the database does not continue the checkpoints kept outside it.
        """
        if self._journal is None:
            signer = keyfile.read(self.settings.key_file)
            begun = is_there(self.settings.checkpoint_file)
            with self.database.reading() as tx:
                if not begun and tree.newest(tx) is not None:
                    self.warnings.append(
                        f"There was no checkpoint file at {self.settings.checkpoint_file}: it begins anew, and proves "
                        "nothing about what came before. Verify against a checkpoint kept elsewhere."
                    )
                outside.reconcile(tx, self.settings.checkpoint_file, (signer.verifier,))
                signer = signer.under(origin.current(tree.newest(tx), signer.name))
            self._journal = Journal(signer.name, signer, publish=self.keep_checkpoint)
        return self._journal

    def continue_as(self, name: str) -> None:
        """Write from now on under another of the log's names, as only a declared restore does.

        The checkpoint file is not asked, and hears of nothing: it knows more than a database that was put back.

        Raises:
            KeyMissingError: there is no key.
        """
        signer = keyfile.read(self.settings.key_file)
        with self.database.reading() as tx:
            before = signer.verifier.under(origin.current(tree.newest(tx), signer.name))
        self._journal = Journal(name, signer.under(name), (before,))

    def has_key(self) -> bool:
        """Say whether the signing key can be read."""
        try:
            keyfile.read(self.settings.key_file)
        except KeyMissingError:
            return False
        return True

    def keep_checkpoint(self, note: str) -> None:
        """Append a checkpoint to the file outside the database; the step it seals stands even if that fails."""
        try:
            outside.append(self.settings.checkpoint_file, note)
        except StorageError as error:
            self.warnings.append(str(error))

    def playbook(self, tx: Tx, digest: str) -> Playbook:
        """Return an adopted playbook version.

        Raises:
            NotFoundError: nobody adopted it here.
        """
        if digest not in self._playbooks:
            adopted = playbooks.get(tx, digest)
            self._playbooks[digest] = from_data(json.loads(adopted.body), digest)
        return self._playbooks[digest]

    @property
    def provider(self) -> Provider:
        """The tenant: read it and act in it outside any transaction only.

        Nothing is called until something is asked.

        Raises:
            SettingsError: the settings of the connection are missing or wrong.
        """
        if self._provider is None:
            self._provider = self._connect()
        return self._provider

    def _connect(self) -> Provider:
        if self.settings.provider == "manual":
            return Manual()
        # The client and its libraries take a while to load, and only a connected tenant needs them.
        from workflow.providers.microsoft365.tenant import Microsoft365  # noqa: PLC0415

        return Microsoft365(connection_of(self.settings), self.now, tell=self.tell)

    def close(self) -> None:
        """Close the database's connections, and the provider's where this app made it."""
        if self._database is not None:
            self._database.close()
        if self._provider is not None and self._is_mine:
            self._provider.close()

    def __enter__(self) -> Self:
        """Use the app for a while."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
