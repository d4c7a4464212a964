import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.names import MAX_NAME_CHARACTERS, addressee


@pytest.mark.parametrize(
    ("name", "first", "full"),
    [
        ("Camille Martin", "Camille", "Camille Martin"),
        ("Anne-Marie O’Neil", "Anne-Marie", "Anne-Marie O’Neil"),
        ("JEAN DUPONT", "Jean", "Jean Dupont"),
        ("Dr. Ludwig van Beethoven", "Ludwig", "Ludwig van Beethoven"),
        ("Ronan McDonald", "Ronan", "Ronan McDonald"),
        ("Иван Петров", "Иван", "Иван Петров"),
        ("محمد علي", "محمد", "محمد علي"),
        ("प्रिया शर्मा", "प्रिया", "प्रिया शर्मा"),
        ("山田 太郎", "山田太郎", "山田太郎"),
        ("田中 はなこ", "田中はなこ", "田中はなこ"),
        ("サム ジョーンズ", "サム ジョーンズ", "サム ジョーンズ"),
        ("李明", "李明", "李明"),
        ("김민준", "김민준", "김민준"),
        ("Jürgen", "Jürgen", ""),  # half a name is too familiar where names are given whole
        ("Beat Z", "Beat", ""),
        ("Annika R.", "Annika", ""),
        ("Анна К.", "Анна", ""),
        ("Anna Weber M.", "Anna", "Anna Weber"),
        ("John F. Kennedy", "John", "John F. Kennedy"),
        ("Prof. Dr. Anna Weber", "Anna", "Anna Weber"),
        ("Anna Weber 🌸", "Anna", "Anna Weber"),
        ("✨Ana Díaz✨", "Ana", "Ana Díaz"),
        ("👩🏽\u200d💻 Ana Díaz 🇪🇸", "Ana", "Ana Díaz"),
        ("❤️ Ana ❤️", "Ana", ""),
        ("~ Ana Díaz ~", "Ana", "Ana Díaz"),
        ("张伟 🔥", "张伟", "张伟"),
        ("İpek Şahin", "İpek", "İpek Şahin"),
        ("Nguyễn Thị Hồng", "Nguyễn", "Nguyễn Thị Hồng"),
        ("Du Bois", "Du", "Du Bois"),
        ("Tu Nguyen", "Tu", "Tu Nguyen"),
        ("Dick Fuchs", "Dick", "Dick Fuchs"),
    ],
)
def test_a_persons_name_is_used_as_the_locale_wants(name: str, first: str, full: str) -> None:
    assert addressee(name, "user12", "first") == first
    assert addressee(name, "user12", "full") == full


@pytest.mark.parametrize(
    "name",
    [
        "",
        "sunshine",
        "Anna2",
        "@anna",
        "anna.example.com",
        "https://x.com/anna",
        "DarkKnight",
        "BTS",
        "The Real Anna",
        "Skybird Fan",
        "Yunfan Support",
        "云帆粉丝",
        "微信用户",
        "Facebook User",
        "DELETED",
        "Аноним",
        "𝓐𝓷𝓷𝓪",
        "Аnna",  # a Cyrillic A
        "Anna Maria Luisa Rossi Bianchi",
        "A",
        "Bartholomäus-Maximilian von Hohenstein",
        "今天又被气到了",
        "{{ brand }}",
        "Anna\u202egnp.exe",
        "X Æ",
        "J. Müller",
        "Dr. Müller",
        "Mme",
        "Mme Dupont",
        "Herr",
        "Herr Schmidt",
        "Prof",
        "Г-н Петров",
        "田中さん",
        "김민준님",
        "🔥🔥",
        "Acme™",
        "Yunfan 🔥",
        "✨@anna✨",
        "Fuck You",
        "FUCK YOU",
        "Fück Ýou",
        "Fuuuck Off",
        "Fuck-You Anna",
        "Stupid Idiots",
        "Your Mother",
        "Deine Mutter",
        "Ta Mère",
        "Tu Madre",
        "Твоя Мать",
        "Salak Herif",
        "चोर कंपनी",
        "كلب كبير",
        "你妈妈",
        "垃圾公司",
        "バカ野郎",
        "씨발",
        "Ⓑⓞⓑ Smith",
        "🅱ob Smith",
        "B\u0336o\u0336b Smith",
        "Bo\u0316\u0317\u0318b Smith",
        "B\u0316o\u0317b\u0318b\u0319y Smith",
        "Bᴏb Smith",
    ],
)
def test_anything_else_gets_the_greeting_without_a_name(name: str) -> None:
    assert addressee(name, "user12", "first", ["Skybird Air", "Yunfan", "云帆"]) == ""


def test_a_handle_is_not_a_name() -> None:
    assert addressee("Camillem", "camille_m", "first") == ""
    assert addressee("Camille Martin", "camillemartin", "first") == "Camille"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_no_display_name_brings_more_than_letters(name: str) -> None:
    called = addressee(name, None, "full")
    assert len(called) <= MAX_NAME_CHARACTERS
    assert not set(called) & set("@#{}<>/\\\n\r\t0123456789!*_`")
