"""What people of the simulated quarter complain of: named causes with their weeks, countries and words.

A text of a cause is put together from its own sentences and from words that vary, so that few posts are alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

WEEKS = 13

_OPENERS = {
    "fr": ("Bonjour, ", "Franchement : ", "Encore une fois, ", "", "Je craque. ", "Dites, "),
    "de": ("Hallo, ", "Ehrlich: ", "Schon wieder: ", "", "Ich fasse es nicht. ", "Sagt mal, "),
    "en": ("Hi, ", "Honestly, ", "Once again: ", "", "I give up. ", "Hello? "),
    "es": ("Hola, ", "En serio: ", "Otra vez: ", "", "No puedo más. ", "Oigan, "),
    "nl": ("Hallo, ", "Eerlijk: ", "Alweer: ", "", "Niet te geloven. ", "Zeg, "),
    "ru": ("Здравствуйте, ", "Честно: ", "Опять: ", "", "Сил нет. ", "Слушайте, "),
    "ja": ("すみません、", "正直、", "また、", "", "もう限界。", "あの、"),
    "zh": ("你好，", "说实话，", "又来了，", "", "受不了了。", "请问，"),
}
_CLOSERS = {
    "fr": ("", " Merci de répondre.", " C'est la deuxième fois.", " Ma mère est furieuse.", " Que faire ?"),
    "de": ("", " Bitte um Antwort.", " Zum zweiten Mal.", " Meine Mutter ist sauer.", " Was nun?"),
    "en": ("", " Please answer.", " Second time now.", " My mother is furious.", " What now?"),
    "es": ("", " Contesten, por favor.", " Es la segunda vez.", " Mi madre está furiosa.", " ¿Qué hago?"),
    "nl": ("", " Graag antwoord.", " Voor de tweede keer.", " Mijn moeder is woest.", " Wat nu?"),
    "ru": ("", " Ответьте, пожалуйста.", " Уже второй раз.", " Мама в ярости.", " Что делать?"),
    "ja": ("", "返事ください。", "二回目です。", "母が怒っています。", "どうすれば？"),
    "zh": ("", "请回复。", "已经第二次了。", "我妈很生气。", "怎么办？"),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that goes wrong, and when people complain of it."""

    name: str
    brand: str
    topic: str
    urgency: int
    rates: Mapping[str, tuple[float, ...]]
    """Posts by country and week."""
    texts: Mapping[str, tuple[str, ...]]
    """By language."""
    signals: str = ""

    def text(self, language: str, rng: np.random.Generator) -> str:
        """Return one post."""
        said = str(rng.choice(self.texts[language]))
        return str(rng.choice(_OPENERS[language])) + said + str(rng.choice(_CLOSERS[language]))


def _from(first: int, *rates: float) -> tuple[float, ...]:
    """Return rates that begin in the week number `first` (1 is the first) and are 0 before and after."""
    return tuple([0.0] * (first - 1) + list(rates) + [0.0] * (WEEKS - first + 1 - len(rates)))


_FADING = (9.0, 8.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.5, 0.0, 0.0, 0.0)
_GROWING = (0.5, 0.5, 1.0, 1.0, 1.5, 2.0, 2.0, 3.0, 4.0, 4.0, 6.0, 7.0, 9.0)
_RECURRING = (0.0, 0.0, 6.0, 6.0, 0.0, 0.0, 0.0, 6.0, 5.0, 0.0, 0.0, 0.0, 7.0)
_STEADY = (1.2,) * WEEKS

CAUSES = (
    Cause(
        "lid-opens", "yunfan", "safety", 2,
        {"FR": _from(9, 6, 7, 8, 8, 9), "RU": _from(9, 5, 6, 6, 7, 8), "BE": _from(10, 1, 2, 2, 2)},
        {
            "fr": (
                "le couvercle de ma bouilloire yunfan s'ouvre tout seul quand je verse, je me suis brûlé la main",
                "le clapet de la bouilloire yunfan ne tient plus fermé, l'eau bouillante sort d'un coup",
                "couvercle de la yunfan K2 qui saute en versant, brûlure au poignet",
            ),
            "ru": (
                "крышка чайника yunfan сама открывается, когда наливаю, обожгла руку",
                "у чайника yunfan не держится крышка, кипяток выплёскивается",
                "крышка yunfan K2 отскакивает при наливании, ожог запястья",
            ),
        },
        "S",
    ),
    Cause(
        "parcel-late", "yunfan", "delivery", 1,
        {"FR": _FADING, "DE": _FADING, "GB": tuple(rate / 2 for rate in _FADING)},
        {
            "fr": (
                "mon colis yunfan est annoncé pour demain depuis neuf jours et rien n'arrive",
                "la livraison de ma commande yunfan a deux semaines de retard, le suivi ne bouge plus",
            ),
            "de": (
                "mein Paket von yunfan kommt seit neun Tagen angeblich morgen, es kommt nichts",
                "die Lieferung meiner yunfan Bestellung ist zwei Wochen überfällig, die Sendungsverfolgung steht",
            ),
            "en": (
                "my yunfan parcel has been due tomorrow for nine days and nothing comes",
                "delivery of my yunfan order is two weeks late and tracking has not moved",
            ),
        },
        "R",
    ),
    Cause(
        "login-fails", "skybird", "account", 2,
        {"DE": _GROWING, "ES": tuple(rate / 2 for rate in _GROWING), "JP": tuple(rate / 3 for rate in _GROWING)},
        {
            "de": (
                "ich komme nicht mehr in mein skybird Konto, das Passwort wird trotz Zurücksetzen abgelehnt",
                "Anmeldung bei SkyMiles von skybird scheitert, der Code per Mail kommt nie an",
            ),
            "es": (
                "no puedo entrar en mi cuenta de skybird, rechaza la contraseña aunque la restablezca",
                "el acceso a SkyMiles de skybird falla, el código por correo nunca llega",
            ),
            "ja": (
                "skybirdのアカウントにログインできません、パスワードを再設定しても拒否されます",
                "skybirdのSkyMilesにログインできない、メールの認証コードが届かない",
            ),
        },
    ),
    Cause(
        "luggage-left", "skybird", "delivery", 2,
        {"GB": _RECURRING, "ES": tuple(rate / 2 for rate in _RECURRING), "RU": tuple(rate / 2 for rate in _RECURRING)},
        {
            "en": (
                "skybird left my suitcase behind in transit and nobody at the desk knows where it is",
                "my luggage did not arrive with the skybird flight, three days without a suitcase",
            ),
            "es": (
                "skybird dejó mi maleta en el trasbordo y en el mostrador nadie sabe dónde está",
                "mi equipaje no llegó con el vuelo de skybird, tres días sin maleta",
            ),
            "ru": (
                "skybird забыли мой чемодан на пересадке, на стойке никто не знает, где он",
                "багаж не прилетел рейсом skybird, третий день без чемодана",
            ),
        },
        "T",
    ),
    Cause(
        "refund-missing", "yunfan", "billing", 1,
        {"GB": _STEADY, "DE": _STEADY, "JP": _STEADY, "FR": _STEADY},
        {
            "en": ("yunfan took the money back in return but the refund never reached my account",),
            "de": ("yunfan hat die Rücksendung erhalten, aber die Erstattung ist nie auf meinem Konto angekommen",),
            "ja": ("yunfanに返品したのに、返金がまだ口座に入りません",),
            "fr": ("yunfan a reçu mon retour mais le remboursement n'est jamais arrivé sur mon compte",),
        },
        "M",
    ),
)  # fmt: skip

CHECK_IN = Cause(
    "check-in-down", "skybird", "outage", 3, {},
    {
        "en": (
            "skybird check-in is down at every counter, the queue does not move and my flight leaves in an hour",
            "skybird app and check-in have been dead all morning, nobody can board",
            "no boarding passes from skybird, the system is down for everybody here",
        )
    },
    "TW",
)  # fmt: skip
SHOCK = Cause(
    "electric-shock", "yunfan", "safety", 3, {},
    {
        "fr": (
            "ma bouilloire yunfan m'a donné une décharge électrique en la branchant, c'est dangereux",
            "étincelles et décharge avec la bouilloire yunfan ce matin, arrêtez de vendre ça",
            "prise de courant avec la yunfan K2, le disjoncteur a sauté, j'ai eu très peur",
        )
    },
    "SW",
)  # fmt: skip
