"""Settings: the environment and one TOML file, read once, refused early.

Every setting can be given as ``HOLDFAST_<NAME>`` or in ``config.toml``; the environment wins. ``HOLDFAST_HOME`` puts
the three folders (config, data, state) under one place.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from workflow.domain.addressee import ALIAS
from workflow.domain.subject import check_name, normalise, tenant_name
from workflow.domain.vocabulary import Kind
from workflow.errors import InputError, SettingsError


def _tenant(name: str) -> str:
    """Return a tenant's name in its one spelling."""
    try:
        folded = tenant_name(name)
    except InputError as error:
        raise ValueError(str(error)) from None
    if not folded:
        message = "a tenant's name is more than blanks"
        raise ValueError(message)
    return folded


MOST_BYTES = 1 << 20
"""Bytes of the settings file; a list of a thousand people stays well below."""
RoleName = Literal["analyst", "approver", "lead", "auditor"]


class Person(BaseModel):
    """One person the settings list: what they may do, and how to reach them.

    ``identities`` are the person's own accounts (UPNs): separation of duties treats them as the same human.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=120)
    roles: tuple[RoleName, ...] = ("analyst",)
    team: str = Field(default="", max_length=60)
    contact: str = Field(default="", max_length=200)
    on_call: bool = False
    identities: tuple[str, ...] = ()

    @field_validator("name")
    @classmethod
    def _is_like_no_other(cls, name: str) -> str:
        try:
            check_name(name)
            normalise(Kind.PERSON, name)
        except InputError as error:
            raise ValueError(str(error)) from None
        return name

    @field_validator("identities")
    @classmethod
    def _are_addresses(cls, identities: tuple[str, ...]) -> tuple[str, ...]:
        # An account that was passed over would let its owner approve a case about it.
        try:
            return tuple(normalise(Kind.USER, address) for address in identities)
        except InputError as error:
            raise ValueError(str(error)) from None


class Settings(BaseSettings):
    """What Holdfast was told. Immutable once read."""

    # A misspelt "people" that is passed over would let everybody do everything.
    model_config = SettingsConfigDict(env_prefix="HOLDFAST_", extra="forbid", frozen=True, populate_by_name=True)

    database_url: SecretStr = Field(default=SecretStr(""), description="SQLAlchemy URL; a file of yours by default.")
    config_file: Path = Field(default=Path(), description="The settings file itself.")
    key_file: Path = Field(default=Path(), description="The signing key, mode 0600.")
    checkpoint_file: Path = Field(default=Path(), description="Checkpoints kept outside the database.")
    tenant: str = Field(default="default", min_length=1, max_length=120, description="Tenant when a file names none.")
    tenants: dict[str, str] = Field(
        default_factory=dict, description="Your name for each tenant id (GUID) that alerts carry."
    )
    as_name: str = Field(default="", alias="HOLDFAST_AS", max_length=120, description="Your name, recorded as claimed.")
    timezone: str = Field(default="", description="IANA zone for local times; the system's by default.")
    date_order: Literal["", "dmy", "mdy", "ymd"] = Field(default="", description="How local dates in CSV are written.")
    retention: str = Field(
        default="365d", pattern=r"^[0-9]{1,5}d$", description="How long ended cases are kept from erasure, in days."
    )
    break_glass: bool = Field(
        default=False, description="Let one person approve where no second one can be had; reviewed before the close."
    )
    provider: Literal["manual", "microsoft365"] = Field(
        default="manual", description="Who acts in the tenant: people (`manual`), or Holdfast (`microsoft365`)."
    )
    m365_tenant_id: str = Field(default="", description="The tenant's id (a GUID), or one of its domains.")
    m365_client_id: str = Field(default="", description="The id of Holdfast's application in the tenant (a GUID).")
    m365_sign_in: Literal["certificate", "managed-identity", "device-code"] = Field(
        default="certificate", description="How Holdfast signs in; `device-code` asks a person each time."
    )
    m365_certificate: Path | None = Field(default=None, description="PEM file, mode 0600: private key and certificate.")
    m365_certificate_password: SecretStr = Field(
        default=SecretStr(""), description="What that private key is encrypted with; environment preferred."
    )
    m365_cloud: Literal["public", "gcc-high", "dod", "china"] = Field(
        default="public", description="Microsoft's cloud; GCC is part of the public one."
    )
    m365_url: str = Field(default="", description="One address instead of all of Microsoft's: a simulated tenant's.")
    m365_login_url: str = Field(default="", description="The address of Entra ID's sign-in, if it is another.")
    m365_graph_url: str = Field(default="", description="The address of Microsoft Graph, if it is another.")
    m365_exchange_url: str = Field(default="", description="The address of Exchange Online, if it is another.")
    m365_compliance_url: str = Field(default="", description="The address of Security & Compliance, if it is another.")
    m365_identity_url: str = Field(
        default="", description="The address of the machine's identity service (managed identity), if it is another."
    )
    m365_timeout: int = Field(default=100, ge=1, le=900, description="Seconds that one answer may let wait.")
    m365_limits: dict[Literal["directory", "reports", "policies", "audit", "trace", "exchange"], str] = Field(
        default_factory=dict,
        description='Calls per seconds of a family, of all workers together, such as `{exchange = "100/300"}`.',
    )
    alert_recipients: dict[str, SecretStr] = Field(
        default_factory=dict,
        description='Who can be alerted, by a name of yours: `soc = "mailtos://…"`. The ledger says the name only.',
    )
    alert_addresses: Literal["mail", "all", "none"] = Field(
        default="mail", description="Which alerts name the restricted mailbox or connector; the others say the case."
    )
    alert_loopback: bool = Field(
        default=False, description="Let webhooks lead to this very machine, without TLS too; for a relay on it."
    )
    worker_contains: bool = Field(
        default=False, description="Let a worker contain accounts: block sign-in, set a new password, and so on."
    )
    worker_poll: int = Field(
        default=300, ge=60, le=86_400, description="Seconds between two readings of the lists of restricted entities."
    )
    worker_steps: int = Field(default=4, ge=1, le=32, description="Cases that one worker looks at at once.")
    people: tuple[Person, ...] = Field(default=(), description="People and their roles; nobody listed: all may do all.")

    @property
    def retention_within(self) -> timedelta:
        """The retention as a length of time."""
        return days(self.retention)

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name:
            from workflow.domain.zones import zone  # noqa: PLC0415 - only a zone that is set has to be known

            try:
                zone(name)
            except InputError as error:
                raise ValueError(str(error)) from None
        return name

    @field_validator("tenant")
    @classmethod
    def _has_one_spelling(cls, name: str) -> str:
        return _tenant(name)

    @field_validator("tenants")
    @classmethod
    def _have_one_spelling(cls, tenants: dict[str, str]) -> dict[str, str]:
        return {_tenant(guid): _tenant(name) for guid, name in tenants.items()}

    @field_validator("m365_limits")
    @classmethod
    def _are_rates(cls, limits: dict[str, str]) -> dict[str, str]:
        if not all(re.fullmatch(r"[1-9][0-9]{0,5}/[1-9][0-9]{0,5}", rate) for rate in limits.values()):
            message = "expected calls and seconds, such as 100/300"
            raise ValueError(message)
        return limits

    @field_validator("alert_recipients")
    @classmethod
    def _have_names(cls, recipients: dict[str, SecretStr]) -> dict[str, SecretStr]:
        if not all(ALIAS(name) for name in recipients):
            message = "a recipient's name has 1 to 40 of a-z, 0-9, dot, hyphen and underscore"
            raise ValueError(message)
        return recipients

    @field_validator("people")
    @classmethod
    def _names_are_unique(cls, people: tuple[Person, ...]) -> tuple[Person, ...]:
        names = [normalise(Kind.PERSON, person.name) for person in people]
        if len(names) != len(set(names)):
            message = "two people have the same name"
            raise ValueError(message)
        return people

    @model_validator(mode="before")
    @classmethod
    def _fill_places(cls, values: Any) -> Any:
        places = folders()
        filled = dict(values)
        # In the file the setting has its own name; the environment's is shorter, because people type it.
        if "as_name" in filled:
            filled.setdefault("HOLDFAST_AS", filled.pop("as_name"))
        for name, path in (
            ("config_file", places["config"] / "config.toml"),
            ("key_file", places["config"] / "signing.key"),
            ("checkpoint_file", places["state"] / "checkpoints"),
        ):
            filled[name] = filled.get(name) or path
        filled["database_url"] = filled.get("database_url") or f"sqlite:///{places['data'] / 'holdfast.db'}"
        return filled

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment first, then the settings file; nothing else."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_path())


def days(text: str) -> timedelta:
    """Read a number of days as the settings write it: ``365d``."""
    return timedelta(days=int(text.removesuffix("d")))


def folders() -> dict[str, Path]:
    """Return the config, data and state folders: apart, so that one lost disk loses not all."""
    home = os.environ.get("HOLDFAST_HOME")
    if home:
        root = Path(home).expanduser()
        return {"config": root / "config", "data": root / "data", "state": root / "state"}
    return {
        "config": Path(platformdirs.user_config_dir("holdfast")),
        "data": Path(platformdirs.user_data_dir("holdfast")),
        "state": Path(platformdirs.user_state_dir("holdfast")),
    }


def config_path() -> Path:
    """Return where the settings file is looked for: ``HOLDFAST_CONFIG_FILE``, else the config folder."""
    given = os.environ.get("HOLDFAST_CONFIG_FILE")
    return Path(given).expanduser() if given else folders()["config"] / "config.toml"


def _must_be_settings(path: Path, found: os.stat_result) -> None:
    """Refuse what is no file, which would be passed over with all that it says, and what is too large to be one."""
    if not stat.S_ISREG(found.st_mode):
        message = f"The settings file {path} is a folder, a pipe or a device: put a file there, or nothing."
        raise SettingsError(message)
    if found.st_size > MOST_BYTES:
        message = f"The settings file {path} is larger than 1 MiB: that is no settings file."
        raise SettingsError(message)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings once.

    Raises:
        SettingsError: names every wrong setting, where it came from and what would be right.
    """
    if os.environ.get("HOLDFAST_CONFIG_FILE") and not config_path().is_file():
        message = f"HOLDFAST_CONFIG_FILE names {config_path()}, and there is no such file."
        raise SettingsError(message)
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            # Python 3.14 takes a file that may not be looked at for none, and would go on without what it says.
            _must_be_settings(config_path(), config_path().stat())
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        message = f"Settings (HOLDFAST_… or {config_path()}): " + "; ".join(lines)
        raise SettingsError(message) from None
    except (ValueError, OSError) as error:
        message = f"The settings file {config_path()} cannot be read: {error}"
        raise SettingsError(message) from None
