"""Who looks at a page, and what they may see and do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from listener.config import Config
from listener.config.models import ROLES
from listener.desk import Actor
from listener.store.accounts import Account, By


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in."""

    account_id: int
    name: str
    full_name: str
    """As people know them; hostile."""
    role: str
    countries: tuple[str, ...] | None
    """None is all of them."""
    language: str
    """Empty for what the browser asks for."""
    timezone: str
    slack: str = ""
    has_password: bool = False
    must_change: bool = False

    @classmethod
    def of(cls, account: Account) -> "Visitor":
        """Return the visitor that an account is."""
        return cls(
            account.id,
            account.name,
            account.full_name,
            account.role,
            account.countries,
            account.language,
            account.timezone,
            account.slack or "",
            account.password is not None,
            account.must_change,
        )

    def may(self, role: str) -> bool:
        """Say whether the visitor has a role, or one that includes it."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def sees(self, country: str | None) -> bool:
        """Say whether the visitor may see a country; None is what concerns all of them."""
        return self.countries is None or country in self.countries

    def sees_setting(self, path: str) -> bool:
        """Say whether the visitor may see a setting by its path, as `countries.FR.team`: of their countries alone."""
        section, country = (*re.split(r"[.\[]", path, maxsplit=2), "", "")[:2]
        return self.countries is None or (section == "countries" and self.sees(country))

    @property
    def rules_all(self) -> bool:
        """Whether the visitor is an admin of all countries: they alone change defaults, routes and people."""
        return self.may("admin") and self.countries is None

    def countries_of(self, config: Config) -> list[str]:
        """Return the configured countries that the visitor sees."""
        return self.seen_of(config.countries)

    def seen_of(self, countries: Iterable[str]) -> list[str]:
        """Return those of some countries that the visitor sees, in their order."""
        return [country for country in countries if self.sees(country)]

    @property
    def actor(self) -> Actor:
        """Who acts on alerts when the visitor does: known by the account, for two people may have one name."""
        address = f"slack:{self.slack}" if self.slack else f"console:{self.account_id}"
        return Actor(self.full_name, address, origin="console")

    @property
    def by(self) -> By:
        """Who changes accounts when the visitor does."""
        return By(self.full_name, "console", self.account_id)
