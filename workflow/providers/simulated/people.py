"""Who works in a simulated tenant: invented accounts and mailboxes, the same for the same seed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from workflow.providers.simulated.state import Account, Lagged, Mailbox, Method, Role, Rule

if TYPE_CHECKING:
    from workflow.providers.simulated.dice import Dice
    from workflow.providers.simulated.scenario import Scenario

DOMAIN = "contoso.example"
ADMIN = f"admin@{DOMAIN}"
"""The administrator who works in the portal."""
ROLES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
}
"""Microsoft's template ids of the built-in directory roles used here."""
_FIRST = ("Ada", "Ben", "Chen", "Dana", "Eli", "Fatima", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lena", "Mio", "Nour",
          "Ola", "Pia", "Quin", "Rosa", "Sami", "Tova", "Uma", "Vera", "Wim", "Yara", "Zeno")  # fmt: skip
_LAST = ("Adler", "Brandt", "Castro", "Duarte", "Ekström", "Farouk", "Grant", "Holm", "Ito", "Jansen", "Kaya", "Lopez",
         "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Sato", "Tamm")  # fmt: skip
_EVERY_SHARED, _EVERY_SYNCED, _EVERY_ALIAS, _EVERY_ROLE = 17, 11, 7, 23


def population(scenario: Scenario, dice: Dice, now: datetime) -> list[Account]:
    """Return the accounts, the administrator first. Some are shared mailboxes, synchronised, or administrators.

    The mail address of some differs from the user principal name, as it does in real tenants.
    """
    accounts = [_account(dice, now, "admin", "Morgan Admin", 0)]
    accounts[0].roles.append(Role(dice.guid(), ROLES["Global Administrator"]))
    for number in range(1, max(scenario.users, 1)):
        first, last = dice.pick(_FIRST), dice.pick(_LAST)
        plain = last.casefold().replace("ö", "o")
        account = _account(dice, now, f"{first.casefold()}.{plain}{number}", f"{first} {last}", number)
        if scenario.mfa == "per-user":
            account.per_user_mfa = "enforced"
        accounts.append(account)
    return accounts


def _account(dice: Dice, now: datetime, local: str, name: str, number: int) -> Account:
    made_at = now - timedelta(days=dice.whole(200, 2000))
    password_at = now - timedelta(days=dice.whole(20, 190))
    address = f"{local}@mail.{DOMAIN}" if number and number % _EVERY_ALIAS == 0 else f"{local}@{DOMAIN}"
    mailbox = Mailbox(address, shared=bool(number) and number % _EVERY_SHARED == 0)
    mailbox.rules.append(Rule(1, "Junk E-mail Rule", hidden=True, system=True))
    if dice.chance(0.4):
        folder = dice.pick(("Newsletters", "Projects", "Invoices"))
        mailbox.rules.append(Rule(2, f"Sort {folder.casefold()}", move_to=folder))
    account = Account(
        id=dice.guid(),
        upn=f"{local}@{DOMAIN}",
        name=name,
        made_at=made_at,
        enabled=Lagged(not mailbox.shared),
        password_at=Lagged(password_at),
        sessions_from=Lagged(password_at),
        methods=Lagged(_methods(dice, made_at)),
        mailbox=mailbox,
        synced=bool(number) and number % _EVERY_SYNCED == 0,
        report_at=now - timedelta(hours=dice.whole(2, 30)),
    )
    if number and number % _EVERY_ROLE == 0:
        account.roles.append(Role(dice.guid(), ROLES[dice.pick(("Helpdesk Administrator", "Exchange Administrator"))]))
    return account


def _methods(dice: Dice, made_at: datetime) -> tuple[Method, ...]:
    at = made_at + timedelta(days=dice.whole(0, 100))
    phone = f"+44 7700 900{dice.whole(0, 999):03d}"
    found = [
        Method("28c10230-6103-485e-b985-444c60001490", "password", "", made_at),
        Method(dice.guid(), "microsoftAuthenticator", "Phone of the owner", at, default=True),
    ]
    if dice.chance(0.5):
        found.append(Method("3179e48a-750b-4051-897c-87b9720928f7", "phone", phone, at))
    if dice.chance(0.1):
        found.append(Method(dice.token(16), "fido2", "Security key", at))
    return tuple(found)
