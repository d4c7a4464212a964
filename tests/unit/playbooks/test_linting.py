import shutil
from pathlib import Path

import pytest

from playbooks import PlaybookLibrary
from playbooks.linting import REQUIRED_LOCALES, check, lint
from playbooks.model import NameStyle
from playbooks.personal_words import KINDS, known_languages, named_personal_data

FIXTURES = Path(__file__).parents[2] / "fixtures" / "playbooks"
WRONG = {
    "yaml": "not valid YAML",
    "unknown_key": "unknown key 'tone'; allowed: id, text",
    "unknown_topic": "'kwality'",
    "no_steps": "at least 1 item",
    "locale_of_another_file": "the two must agree",
    "variant_twice": "'a' stands twice",
    "unknown_placeholder": "unknown placeholder 'customer'; allowed: greeting",
    "unguarded_product": "'product' may be empty; use it inside {% if product %}",
    "arithmetic": "uses Mul, Const; only",
    "attribute": "uses Getattr; only",
    "loop": "For",
    "filter": "filter 'upper' is not allowed",
    "unclosed": "is not a valid template",
    "too_long_source": "at most 2000",
    "too_long_for_x": "at most 280 fit",
    "handoff_without_default": "'default' is missing",
    "greeting_without_name": "must hold {{ name }}",
    "phrase_with_foreign_placeholder": "unknown placeholder 'agent'; allowed: brand",
    "one_variant": "needs 2 variants",
    "variants_alike": "nearly the same as variant 'a'",
    "asks_for_phone_number": "names personal data in public (phone number",
    "asks_for_order_number": "names personal data in public (order or account number",
    "names_a_card": "names personal data in public (card",
    "other_script": "not in the script of 'en'",
    "double_space": "double or outer spaces",
    "space_before_mark": "a plain space before a punctuation mark",
    "space_only_when_empty": "double or outer spaces",
    "no_handoff": "must hold {{ handoff }}",
    "no_signature": "must hold {{ signature }}",
    "link": "holds a link",
    "too_long_with_name": "with a name of 12 letters",
    "one_handoff": "needs 2 sentences",
    "topic_uncovered": "no playbook answers the topic 'outage'",
    "locale_missing_in_one_playbook": "has no text in 'fr'; add late-delivery/fr.yaml",
    "text_without_phrases": "the phrases of 'fr' are missing, so this text is never used",
    "text_without_playbook": "there is no such file",
}


def library_with(overlay: str, tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    shutil.copytree(FIXTURES / "good", folder)
    shutil.copytree(FIXTURES / overlay, folder, dirs_exist_ok=True)
    return folder


def test_the_good_fixture_has_no_problem() -> None:
    assert check(FIXTURES / "good", ["en"]) == []


def test_every_bad_fixture_is_expected_to_be_wrong_in_one_way() -> None:
    assert {path.name.removeprefix("bad_") for path in FIXTURES.glob("bad_*")} == set(WRONG)


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_library_is_told_what_is_wrong_and_where(name: str, tmp_path: Path) -> None:
    locales = ["en", "fr"] if "missing" in name else ["en"]
    problems = check(library_with(f"bad_{name}", tmp_path), locales)
    assert problems
    assert all(WRONG[name] in problem.text for problem in problems), problems
    assert all(problem.line >= 1 and Path(problem.file).parent.exists() for problem in problems)


def test_a_problem_points_at_the_sentence_in_the_file(tmp_path: Path) -> None:
    (problem,) = check(library_with("bad_asks_for_order_number", tmp_path), ["en"])
    line = Path(problem.file).read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert problem.path == "handoff.x[0]"
    assert line[problem.column - 1 :].startswith('"Send us your order number."')


def test_all_problems_of_all_files_are_reported_together(tmp_path: Path) -> None:
    folder = library_with("bad_arithmetic", tmp_path)
    shutil.copy(FIXTURES / "bad_greeting_without_name" / "_phrases" / "en.yaml", folder / "_phrases" / "en.yaml")
    texts = [problem.text for problem in check(folder, ["en"])]
    assert any("Mul" in text for text in texts)
    assert any("must hold {{ name }}" in text for text in texts)


def test_missing_locales_are_named(tmp_path: Path) -> None:
    library = PlaybookLibrary.load(FIXTURES / "good")
    found = [problem.text for problem in lint(library)]
    for locale in set(REQUIRED_LOCALES) - {"en"}:
        assert f"the phrases of '{locale}' are missing; add _phrases/{locale}.yaml" in found


def test_a_private_message_that_greets_again_is_found(tmp_path: Path) -> None:
    shutil.copytree(PlaybookLibrary.load().contents.folder, tmp_path / "library")
    file = tmp_path / "library" / "_phrases" / "es.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("Somos {{", "Hola, somos {{"), encoding="utf-8")
    (problem,) = check(tmp_path / "library")
    assert problem.path == "private[0]"
    assert "begins with a greeting" in problem.text


def test_the_shipped_library_has_no_problem() -> None:
    assert [str(problem) for problem in check()] == []


def test_every_locale_has_words_for_every_kind_of_personal_data() -> None:
    assert {locale.split("-")[0] for locale in REQUIRED_LOCALES} == known_languages()


@pytest.mark.parametrize(
    ("locale", "text", "kind"),
    [
        ("fr", "Quel est votre numéro de commande", "order or account number"),
        ("de", "Nennen Sie uns Ihre Kundennummer", "order or account number"),
        ("nl-BE", "Bezorg ons uw gsm-nummer", "phone number"),
        ("es", "Déjanos tu dirección", "address"),
        ("pt", "Envie o número da encomenda", "order or account number"),
        ("it", "Ci scriva il suo indirizzo", "address"),
        ("pl", "Proszę podać numer zamówienia", "order or account number"),
        ("ru", "Пришлите номер заказа", "order or account number"),
        ("uk", "Надішліть номер телефону", "phone number"),
        ("tr", "Sipariş numaranızı yazın", "order or account number"),
        ("id", "Kirim nomor pesanan Anda", "order or account number"),
        ("ar", "أرسل رقم الطلب هنا", "order or account number"),
        ("hi", "अपना ऑर्डर नंबर लिखें", "order or account number"),
        ("zh", "请回复您的订单号", "order or account number"),
        ("zh-Hant", "請留下您的手機號碼", "phone number"),
        ("ja", "ご注文番号をお知らせください", "order or account number"),
        ("ko", "주문 번호를 남겨 주세요", "order or account number"),
        ("ja", "Please send your date of birth", "birth date"),
    ],
)
def test_requests_for_personal_data_are_found_in_every_language(locale: str, text: str, kind: str) -> None:
    assert kind in KINDS
    assert kind in [found for found, _ in named_personal_data(text, locale)]


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("fr", "Ce n’est pas normal, écrivez-nous en privé"),
        ("zh-Hant", "請到我們的官方帳號留言"),
        ("en", "We want to address this"),
        ("id", "Ini pertanyaan yang pas"),
    ],
)
def test_innocent_words_are_not_taken_for_personal_data(locale: str, text: str) -> None:
    assert named_personal_data(text, locale) == []


def test_french_no_break_space_before_marks_is_allowed(tmp_path: Path) -> None:
    folder = library_with("bad_locale_missing_in_one_playbook", tmp_path)
    text = "locale: fr\nvariants:\n" + "".join(
        f'  - id: {name}\n    text: "{{{{ greeting }}}} {words}\u00a0! {{{{ handoff }}}} {{{{ signature }}}}"\n'
        for name, words in (("a", "votre commande tarde"), ("b", "nous cherchons ce colis avec vous"))
    )
    (folder / "late-delivery" / "fr.yaml").write_text(text, encoding="utf-8")
    assert check(folder, ["en", "fr"]) == []


def test_the_name_style_is_first_or_full() -> None:
    library = PlaybookLibrary.load()
    styles: set[NameStyle] = {phrases.name for phrases in library.contents.phrases.values()}
    assert styles == {"first", "full"}
