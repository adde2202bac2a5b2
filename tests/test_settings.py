"""Settings: the environment, one file, and what is refused before anything begins."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from workflow.errors import SettingsError
from workflow.settings import config_path, folders, load_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for all of the user's, and an environment that says nothing else."""
    for name in [name for name in os.environ if name.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, text: str) -> Path:
    """Write the settings file."""
    path = home / "config" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_nothing_needs_to_be_set(home: Path) -> None:
    """Three folders, a database file of one's own, nobody listed."""
    settings = load_settings()
    assert (home / "config/config.toml", home / "config/signing.key", home / "state/checkpoints") == (
        settings.config_file,
        settings.key_file,
        settings.checkpoint_file,
    )
    assert f"sqlite:///{home / 'data/holdfast.db'}" == settings.database_url.get_secret_value()
    assert ("default", {}, (), "", "", "") == (
        settings.tenant,
        settings.tenants,
        settings.people,
        settings.as_name,
        settings.timezone,
        settings.date_order,
    )


def test_without_a_home_the_platform_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Key, database and checkpoints do not lie in one folder."""
    monkeypatch.delenv("HOLDFAST_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = folders()
    assert ["config", "data", "state"] == list(found)
    assert all("holdfast" in str(path) for path in found.values())


def test_the_environment_wins_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what a face says wins over both; None says nothing."""
    write(home, 'tenant = "file"\ntimezone = "Europe/Vienna"\nas_name = "ann"\n')
    assert ("file", "Europe/Vienna", "ann") == (
        load_settings().tenant,
        load_settings().timezone,
        load_settings(tenant=None).as_name,
    )
    monkeypatch.setenv("HOLDFAST_TENANT", "environment")
    monkeypatch.setenv("HOLDFAST_AS", "bob")
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", "postgresql://u:secret@host/db")
    settings = load_settings()
    assert ("environment", "bob") == (settings.tenant, settings.as_name)
    assert ("face", "cat") == (load_settings(tenant="face").tenant, load_settings(as_name="cat").as_name)
    assert "secret" not in repr(settings)


def test_a_tenants_name_has_one_spelling(home: Path) -> None:
    """In capitals it would be another tenant, and a mailbox would have two cases; blanks are no name."""
    write(home, 'tenant = " Contoso "\n[tenants]\n"72F988BF-86F1-41AF-91AB-2D7CD011DB47" = "Fabrikam"\n')
    settings = load_settings()
    assert ("contoso", {"72f988bf-86f1-41af-91ab-2d7cd011db47": "fabrikam"}) == (settings.tenant, settings.tenants)
    with pytest.raises(SettingsError, match="more than blanks"):
        load_settings(tenant="  ")
    for tenants in ({" ": "contoso"}, {"72f988bf": "  "}, {"72f988bf": "con\u200btoso"}):
        with pytest.raises(SettingsError, match="tenants"):
            load_settings(tenants=tenants)
    with pytest.raises(SettingsError, match="invisible"):
        load_settings(tenant="con\u200btoso")


def test_people_and_tenants_are_read_from_the_file(home: Path) -> None:
    """Accounts of one's own are kept in the spelling in which subjects are compared."""
    write(
        home,
        """
        [tenants]
        72f988bf-86f1-41af-91ab-2d7cd011db47 = "contoso"

        [[people]]
        name = "Ada"
        roles = ["approver", "lead"]
        identities = ["ADA@Contoso.example"]
        """,
    )
    settings = load_settings()
    assert {"72f988bf-86f1-41af-91ab-2d7cd011db47": "contoso"} == settings.tenants
    assert [("Ada", ("approver", "lead"), ("ada@contoso.example",))] == [
        (person.name, person.roles, person.identities) for person in settings.people
    ]


def test_the_file_names_who_acts_as_it_names_every_other_setting(home: Path) -> None:
    """``as_name`` in the file is HOLDFAST_AS in the environment."""
    write(home, 'as_name = "ada"')

    assert "ada" == load_settings().as_name


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tenant = ", "cannot be read"),
        ("\x00", "cannot be read"),
        ('tenant = ""', "tenant"),
        ('[[peoples]]\nname = "Ada"', "peoples"),
        ('[[people]]\nname = "Ada"\nrole = ["lead"]', "role"),
        ('[[people]]\nname = "Ada"\nroles = ["boss"]', "roles"),
        ('[[people]]\nname = ""', "name"),
        ('[[people]]\nname = "Ada"\n[[people]]\nname = "ADA"', "same name"),
        ('[[people]]\nname = "Ada"\n[[people]]\nname = " ada "', "same name"),
        ('[[people]]\nname = "Jos\u00e9"\n[[people]]\nname = "Jose\u0301"', "same name"),
        ('[[people]]\nname = "Ada\u3164"', "cannot be seen"),
        ('[[people]]\nname = "\uff21da"', "write 'Ada'"),
        ('[[people]]\nname = "b\u0435n"', "mixes Cyrillic and Latin"),
        ('[[people]]\nname = "SYSTEM"', "stands for Holdfast itself"),
        ('[[people]]\nname = " "', "name"),
        ('[[people]]\nname = "Ada"\nidentities = ["Ada Lovelace"]', "not an address"),
        ('date_order = "dym"', "date_order"),
        ('provider = "somebody"', "provider"),
        ('m365_sign_in = "secret"', "m365_sign_in"),
        ('m365_limits = {exchange = "fast"}', "calls and seconds"),
        ('m365_limits = {exchange = "0/1"}', "calls and seconds"),
        ('m365_limits = {mail = "1/1"}', "m365_limits"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(home: Path, text: str, named: str) -> None:
    """A misspelt setting is no setting: nobody listed would mean that everybody may do everything."""
    write(home, text)
    with pytest.raises(SettingsError, match=named):
        load_settings()


def test_a_file_that_is_named_has_to_be_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its people and their roles would be missing without a word."""
    path = write(home, 'tenant = "file"')
    monkeypatch.setenv("HOLDFAST_CONFIG_FILE", str(path))
    assert ("file", path) == (load_settings().tenant, config_path())
    monkeypatch.setenv("HOLDFAST_CONFIG_FILE", str(path.with_name("none.toml")))
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load_settings()


def test_what_is_no_settings_file_is_refused(home: Path) -> None:
    """A folder or a pipe would be passed over with all that it should say; what is too large is not read."""
    path = write(home, "")
    with path.open("wb") as file:
        file.truncate(3 << 30)
    with pytest.raises(SettingsError, match="larger than 1 MiB"):
        load_settings()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="a folder, a pipe or a device"):
        load_settings()


def test_a_file_that_is_no_text_is_refused(home: Path) -> None:
    """Bytes that are no UTF-8 are named with their file."""
    write(home, "").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings()


def test_settings_do_not_change() -> None:
    """What was read once is what holds."""
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.tenant = "another"
