"""Passwords: hashing by argon2, and which ones are too easily guessed. Never keeps nor tells one."""

import re
import threading
import unicodedata
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from listener.console.words import marked

SHORTEST = 12
LONGEST = 256
_LEAST_DIFFERENT = 5
_LEAST_UNGUESSED = 5
"""Characters that must be left when everything that guessers try first is taken away."""
_AT_ONCE = 2
"""One hash takes 64 MiB: this many at a time, the others wait."""
_ROWS = (
    "0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm",
    "wxcvbn", "qwertzuiop", "yxcvbnm", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "1qaz2wsx3edc4rfv5tgb6yhn",
    "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю", "абвгдежзийклмнопрстуфхцчшщ",
)  # fmt: skip
_LONGEST_OTHER_STEPS = 3
_GUESSED_FIRST = """
    password passwort passwords motdepasse contrasena contraseña senha wachtwoord пароль 密码 口令 mima secret geheim
    welcome willkommen bienvenue bienvenido bienvenida добропожаловать letmein entrez changeme change default standard
    admin administrator administrateur administrador root user username guest test tester testing temp temporary
    login signin logon access enter master manager superuser system server console listener listening
    iloveyou teamo jetaime ichliebedich monkey dragon football fussball futbol baseball basketball hockey soccer
    superman batman spiderman princess sunshine shadow flower summer winter spring autumn sommer herbst hiver
    january february march april june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday trustno one hello hallo bonjour hola привет nihao starwars pokemon liverpool
    chelsea arsenal barcelona realmadrid bayern juventus freedom whatever computer internet google facebook twitter
    company business office home family mother father love money correct horse battery staple security qwerty azerty
    qwertz abc abcd asdf zxcv pass word mot de passe my mein mon mi the is new neu
""".split()
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})


class Passwords:
    """Hashes passwords, and compares one with a hash; takes as long where there is none."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._nobodys: str | None = None

    def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        with self._room:
            return self._hasher.hash(normal(password))

    def is_right(self, kept: str | None, password: str) -> bool:
        """Say whether a password is the one that was hashed; False, after the same work, where nothing was kept."""
        if self._nobodys is None:
            self._nobodys = self.hash("nobody has this one")
        if len(password) > LONGEST:
            kept, password = None, password[:LONGEST]
        with self._room:
            try:
                self._hasher.verify(kept or self._nobodys, normal(password))
            except (Argon2Error, InvalidHashError):
                return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Say whether a hash was made with other parameters than are used now."""
        return self._hasher.check_needs_rehash(kept)


def normal(password: str) -> str:
    """Return a password as it is hashed: the same whichever keyboard wrote its accents."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()


def weakness(password: str, names: Iterable[str]) -> str | None:
    """Return what is wrong with a new password, marked for translation; None where it will do.

    `names` are what anybody would try first: the account's own.
    """
    text = normal(password)
    if len(text) < SHORTEST:
        return marked("The password needs at least {least} characters.")
    if len(text) > LONGEST:
        return marked("The password may have at most {most} characters.")
    if len(set(text)) < _LEAST_DIFFERENT or _is_repeated(text):
        return marked("The password repeats itself; take one with more different characters.")
    parts = [part for name in names for part in re.split(r"[\W_]+", name.casefold()) if len(part) >= 3]
    if _unguessed(text.casefold(), [*parts, *(name.casefold() for name in names)]) < _LEAST_UNGUESSED:
        return marked("The password is too easily guessed; several words that have nothing to do with each other are better.")  # fmt: skip  # noqa: E501
    return None


def _is_repeated(text: str) -> bool:
    """Say whether a text is one piece again and again: its third and more."""
    return any(text == (text[:size] * (len(text) // size + 1))[: len(text)] for size in range(1, len(text) // 3 + 1))


def _unguessed(text: str, names: Iterable[str]) -> int:
    """Return how many characters are neither names, nor words, runs, figures or marks that are tried first."""
    rest = _without_runs(text)
    for spelling in {text, text.translate(_LEET)}:
        left = spelling
        for word in sorted({*names, *_GUESSED_FIRST}, key=len, reverse=True):
            if len(word) >= 3:
                left = left.replace(word, " ")
        rest = min((rest, _without_runs(left)), key=_letters)
    return _letters(rest)


def _letters(text: str) -> int:
    """Count what is left; figures and marks, which are put before and after, count for little."""
    letters = sum(character.isalpha() for character in text)
    others = sum(not character.isalpha() and not character.isspace() for character in text)
    return letters + others // 3


def _without_runs(text: str) -> str:
    """Return a text without pieces of four and more that follow the alphabet, figures, or a row of keys."""
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    kept, at = [], 0
    while at < len(text):
        length = max((_run(text, at, row) for row in rows), default=0)
        if length > _LONGEST_OTHER_STEPS:
            kept.append(" ")
            at += length
        else:
            kept.append(text[at])
            at += 1
    return "".join(kept)


def _run(text: str, at: int, row: str) -> int:
    start = row.find(text[at])
    length = 0
    while start >= 0 and start + length < len(row) and text[at + length : at + length + 1] == row[start + length]:
        length += 1
    return length
