from time import process_time

import pytest

from alerts.rising import rising_words, wording, words_of

USUAL = {
    "fr": [
        "Mon colis est en retard et personne ne répond",
        "Le vendeur était désagréable, je suis déçu",
        "Facture fausse",
    ],
    "ru": ["Посылка не пришла, я жду неделю", "Продавец нагрубил, я в шоке", "Счёт неверный, верните деньги"],
    "hi": ["मेरा पार्सल अभी तक नहीं आया", "दुकानदार ने बदतमीजी की", "बिल गलत है"],
    "ar": ["الطلب تأخر ولا أحد يرد", "البائع كان غير مهذب", "الفاتورة خاطئة"],
    "ko": ["택배가 아직 안 왔어요", "직원이 불친절해요", "요금이 잘못 나왔어요"],
    "zh": ["快递还没有到，客服不理人", "店员态度很差", "账单有问题"],
    "ja": ["荷物がまだ届きません", "店員の態度が悪い", "請求が間違っています"],
}
BURST = {
    "fr": ("Panne générale, paiement refusé", "panne"),
    "ru": ("Приложение упало, оплата не проходит", "оплата"),
    "hi": ("ऐप बंद है, भुगतान नहीं हो रहा", "भुगतान"),
    "ar": ("التطبيق معطل ولا يمكن الدفع", "التطبيق"),
    "ko": ("앱이 먹통이라 결제가 안 돼요", "결제가"),
    "zh": ("系统崩溃，无法退款", "退款"),
    "ja": ("アプリが障害で決済できない", "決済"),
}


def risen(burst: list[str], usual: list[str], own: tuple[str, ...] = (), most: int = 8) -> list[str]:
    return rising_words(wording(burst, own), wording(usual, own), most)


@pytest.mark.parametrize("language", BURST)
def test_what_a_burst_is_about_rises_in_every_script(language: str) -> None:
    text, word = BURST[language]
    found = risen([f"{text} {number}" for number in range(20)] + USUAL[language], USUAL[language] * 60)
    assert any(word in one or one in word for one in found)
    assert not set(found) & set(wording(USUAL[language]).words)


def test_words_as_usual_do_not_rise() -> None:
    assert risen(USUAL["fr"] * 10, USUAL["fr"] * 60) == []


def test_how_people_talk_does_not_rise_however_often() -> None:
    usual = ["je suis déçu"] * 30 + ["facture fausse"] * 70
    assert "suis" not in risen(["je suis bloqué par la panne"] * 50, usual)


def test_one_who_repeats_a_word_does_not_raise_it() -> None:
    assert "scam" not in risen(["scam " * 200, "late parcel", "late parcel again"] * 1 + ["late"] * 9, ["late"] * 100)


def test_brand_handles_links_and_numbers_are_no_words() -> None:
    text = "@AcmeCare acme's Acmes #acme https://evil.example/panne www.acme.com [id1|Acme] 12345 panne"
    found = risen([text] * 20, ["colis"] * 100, ("Acme", "@AcmeCare"))
    assert found == ["panne"]


def test_names_that_a_language_bends_are_the_brands_own() -> None:
    assert risen(["Юньфаня взломали, у Юньфанем утечка"] * 20, ["посылка"] * 100, ("Юньфань", "Юньфан")) == [
        "взломали", "утечка",
    ]  # fmt: skip


def test_a_brand_inside_another_word_of_an_unspaced_script_is_left_out() -> None:
    assert all("云帆" not in word for word in risen(["云帆退款太慢"] * 20, ["快递"] * 100, ("云帆",)))


def test_pieces_of_one_word_are_one_word() -> None:
    found = risen(["请马上退款给我们" for _ in range(10)] + ["怎么退款啊" for _ in range(10)], ["快递还没有到"] * 100)
    assert "退款" in found
    assert not any(word != "退款" and ("退款" in word or word[0] == "款" or word[-1] == "退") for word in found)


def test_hostile_words_are_cut_out() -> None:
    evil = "a" * 400 + " ‮evil‬ \x1b[31mred <!channel> *bold* " + "é" * 30
    found = words_of(evil)
    assert all(len(word) <= 30 for word in found)
    assert all(character.isalpha() for word in found for character in word)


def test_elided_articles_do_not_part_words() -> None:
    assert words_of("l'application, d’accord, don't") >= {"application", "accord", "don't"}


def test_a_long_text_that_many_share_takes_no_time_worth_telling() -> None:
    text = "".join(chr(0x4E00 + number) for number in range(2_000))
    began = process_time()
    assert len(risen([text] * 30, ["快递"] * 100)) == 8
    assert process_time() - began < 5


def test_without_anything_to_compare_with_nothing_rises() -> None:
    assert risen([], []) == []
    assert risen(["panne"] * 10, []) == []
    assert rising_words(wording(["panne"] * 10), wording([]), 0) == []
