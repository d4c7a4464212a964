import pytest
from argon2 import PasswordHasher

from listener.console.passwords import Passwords, weakness

NAMES = ["ana.garcia", "Ana García"]
LIGHT = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.mark.parametrize(
    "password",
    [
        "short", "elevenchars", "password1234", "Passw0rd2026!", "passwordpassword", "qwertyuiop12", "123456789012",
        "abcdefghijkl", "aaaaaaaaaaaaaa", "abcabcabcabcabc", "ana.garcia2026", "AnaGarcia!2026", "letmein-letmein",
        "motdepasse2026", "Willkommen2026!", "contraseña1234", "пароль123456", "1q2w3e4r5t6y", "1qaz2wsx3edc",
        "iloveyou123456", "administrator", "Admin@123456", "summer2026!!", "zxcvbnm12345", "correcthorsebatterystaple",
        "йцукенгшщзхъ", "x" * 257, "welcome to listener",
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert weakness(password, NAMES)


@pytest.mark.parametrize(
    "password",
    ["grün lampe achtzig boot", "k7fd-w9qm-2xnp-hj4t", "tortuga violeta 41 saltos", "四只绿色的乌龟在月亮上唱歌跳舞",
     "крокодил ест жёлтый зонт", "Zq8#vL2!pW9x", "Der Hut hat drei Ecken?"],
)  # fmt: skip
def test_what_is_hard_to_guess_is_taken(password: str) -> None:
    assert weakness(password, NAMES) is None


def test_a_password_is_the_one_it_was_whichever_keyboard_wrote_it() -> None:
    kept = LIGHT.hash("caf\N{LATIN SMALL LETTER E WITH ACUTE} au lait 27")
    assert LIGHT.is_right(kept, "cafe\N{COMBINING ACUTE ACCENT} au lait 27")
    assert not LIGHT.is_right(kept, "cafe au lait 27")


def test_nothing_kept_lets_nobody_in() -> None:
    assert not LIGHT.is_right(None, "nobody has this one")
    assert not LIGHT.is_right("", "")
    assert not LIGHT.is_right("$argon2id$broken", "x" * 12)
    assert not LIGHT.is_right(LIGHT.hash("x" * 256), "x" * 257)


def test_hashes_are_argon2id_at_full_strength() -> None:
    kept = Passwords().hash("grün lampe achtzig boot")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Passwords().is_outdated(LIGHT.hash("grün lampe achtzig boot"))
    assert not Passwords().is_outdated(kept)
