"""The catalogue of causes: complete, strict, and clear about what is wrong in it."""

from collections import Counter
from pathlib import Path

import pytest

from classifiers.cause_catalogue import LANGUAGES, catalogue, load_catalogue
from listener.errors import ConfigError
from listener.model import TOPICS

NAMES = """
  names:
    en: {0}
    fr: {0} fr
    de: {0} de
    es: {0} es
    ru: {0} ru
    zh: {0} zh
"""
POSTS = """
  posts:
    en: ["{0} is a pity"]
    fr: ["{0} est dommage"]
    ja: ["{0} は残念"]
"""


def cause(key: str) -> str:
    return f"{key}:{NAMES.format(key)[:-1]}{POSTS.format(key)}"


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_catalogue(folder)
    return [str(problem) for problem in caught.value.problems]


def test_every_cause_has_a_name_in_all_languages() -> None:
    for cause in catalogue().values():
        assert sorted(cause.names) == sorted(LANGUAGES)
        assert all(name.strip() == name and 0 < len(name) <= 70 for name in cause.names.values()), cause.key


def test_no_two_causes_have_one_name_and_none_is_an_untranslated_copy() -> None:
    for language in LANGUAGES:
        names = Counter(cause.names[language].casefold() for cause in catalogue().values())
        assert [name for name, count in names.items() if count > 1] == []
    for cause in catalogue().values():
        assert cause.names["en"] not in (cause.names["fr"], cause.names["de"], cause.names["es"]), cause.key
        assert any("\u0400" <= letter <= "\u04ff" for letter in cause.names["ru"]), cause.key
        assert any("\u4e00" <= letter <= "\u9fff" for letter in cause.names["zh"]), cause.key


def test_causes_are_many_and_stand_under_topics_of_complaints() -> None:
    causes = [cause for cause in catalogue().values() if not cause.of]
    assert len(causes) >= 150
    assert {cause.topic for cause in causes} == set(TOPICS) - {"question", "praise"}


def test_each_cause_is_known_by_sentences_in_english_and_two_more_languages() -> None:
    for cause in catalogue().values():
        if not cause.of:
            spoken = {language for language, _ in cause.posts}
            assert "en" in spoken, cause.key
            assert len(spoken) >= 3, cause.key


def test_sentences_are_in_all_languages_that_are_listened_to() -> None:
    spoken = {language for cause in catalogue().values() for language, _ in cause.posts}
    assert spoken >= set("ar de en es fr hi id it ja ko nl pl pt ru tr uk zh zh-Hant".split())


def test_a_broader_name_stands_for_causes_and_never_for_another_broader_name() -> None:
    found = catalogue()
    broader = [cause for cause in found.values() if cause.of]
    assert broader
    assert all(not found[member].of for cause in broader for member in cause.of)


def test_a_good_catalogue_is_read_with_its_broader_names(tmp_path: Path) -> None:
    (tmp_path / "delivery.yaml").write_text(cause("late") + cause("lost"), encoding="utf-8")
    broader = f"badly:\n  topic: delivery{NAMES.format('badly')}  of: [late, lost]\n"
    (tmp_path / "broader.yaml").write_text(broader, encoding="utf-8")
    found = load_catalogue(tmp_path)
    assert list(found) == ["late", "lost", "badly"]
    assert found["badly"].of == ("late", "lost")
    assert found["late"].posts[0] == ("en", "late is a pity")


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("delivery.yaml", cause("late").replace("    zh: late zh\n", ""), "late.names.zh - Field required"),
        ("delivery.yaml", cause("late").replace("    zh: late zh\n", "    zh: ''\n"), "late.names.zh"),
        ("delivery.yaml", cause("late").replace("    en: [", "    nl: ["), "needs a sentence in English"),
        ("delivery.yaml", cause("late").replace('    fr: ["late est dommage"]\n', ""), "late.posts"),
        ("delivery.yaml", cause("late") + "  colour: red\n", "late.colour"),
        ("delivery.yaml", cause("Too Late"), "Too Late"),
        ("delivery.yaml", cause("late") + cause("late"), "late"),
        ("delivery.yaml", cause("late") + cause("lost").replace("en: lost\n", "en: Late\n"), "is said of 'late' too"),
        ("weather.yaml", cause("late"), "is called after a topic"),
        ("broader.yaml", f"badly:\n  topic: delivery{NAMES.format('b')}  of: [late, gone]\n", "no cause 'gone'"),
        ("broader.yaml", f"badly:\n  topic: weather{NAMES.format('b')}  of: [late, late]\n", "badly.topic"),
        ("delivery.yaml", "late: [", "not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, file: str, text: str, problem: str) -> None:
    if file != "delivery.yaml":
        (tmp_path / "delivery.yaml").write_text(cause("late"), encoding="utf-8")
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert any(problem in one and one.startswith(str(tmp_path / file)) for one in problems(tmp_path))


def test_a_key_in_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "delivery.yaml").write_text(cause("late"), encoding="utf-8")
    (tmp_path / "booking.yaml").write_text(cause("late"), encoding="utf-8")
    assert any("stands in another file" in one for one in problems(tmp_path))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "there is no catalogue" in problems(tmp_path)[0]
