"""The page of samples is what the command makes, and is fit to be read in every language."""

from pathlib import Path

import pytest
import regex

from playbooks import PlaybookLibrary
from playbooks.samples import main, samples

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "replies.md"


@pytest.fixture(scope="module")
def library() -> PlaybookLibrary:
    return PlaybookLibrary.load()


@pytest.fixture(scope="module")
def page(library: PlaybookLibrary) -> str:
    return samples(library)


def sections(page: str) -> dict[str, str]:
    """The page's sections, by locale."""
    found = (part.partition("\n") for part in page.split("\n## ")[1:])
    return {title.rsplit(": ", 1)[1]: text for title, _, text in found if ": " in title}


def test_the_page_in_the_documentation_is_what_the_command_makes(page: str) -> None:
    assert PAGE.read_text(encoding="utf-8") == page, "run: python -m playbooks.samples"


def test_every_locale_is_shown_with_its_manners_and_the_files_to_correct(library: PlaybookLibrary, page: str) -> None:
    assert tuple(sections(page)) == library.locales
    for locale, text in sections(page).items():
        phrases = library.contents.phrases[locale]
        assert phrases.register in text
        assert phrases.greeting_unnamed in text
        assert all(sentence in text for sentence in phrases.handoff["x"])
        for file in ("late-delivery", "billing", "safety", "thanks", "_phrases"):
            assert f"`{file}/{locale}.yaml`" in text
        assert text.count(" dir=") == (0 if locale != "ar" else text.count("<blockquote") + 4 + text.count("<span"))


def test_each_text_is_of_the_variant_that_is_named_above_it(library: PlaybookLibrary, page: str) -> None:
    named = regex.findall(r"`([a-z-]+)/([\w-]+)\.yaml`, variant `(\w+)`\n\n<blockquote[^>]*>(.+)</blockquote>", page)
    assert len(named) == 4 * len(library.locales)
    for playbook, locale, variant, text in named:
        source = next(one.text for one in library.contents.templates[playbook, locale] if one.id == variant)
        fixed = max(regex.split(r"\{[{%].*?[%}]\}", source), key=len).strip()
        assert len(fixed) > 10
        assert fixed in text


def test_a_text_in_a_foreign_script_says_its_language_to_the_browser(page: str) -> None:
    for locale, text in sections(page).items():
        assert set(regex.findall(r'lang="([^"]+)"', text)) == {locale}
    # Markdown leaves a block of HTML alone where blank lines stand around it.
    quotations = regex.findall(r"(?<=\n\n)<blockquote lang=[^<>]+>(?:[^<>\n]|<br>)+</blockquote>(?=\n)", page)
    assert len(quotations) == page.count("<blockquote") > 200


def test_links_to_locales_lead_to_their_headings(page: str) -> None:
    titles = regex.findall(r"^## (.+: .+)$", page, regex.MULTILINE)
    listed = regex.findall(r"^- \[(.+)\]\(#([a-z-]+)\)$", page, regex.MULTILINE)
    assert [title for title, _ in listed] == titles
    assert len({anchor for _, anchor in listed}) == len(titles)
    assert dict(listed)["French (Canada): fr-CA"] == "french-canada-fr-ca"


def test_no_placeholder_is_left(page: str) -> None:
    assert not regex.search(r"\{\{|\{%", "".join(sections(page).values()))


def test_the_command_writes_the_page_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "replies.md"
    assert main([str(target)]) == 0
    assert target.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"written to {target}\n"


def test_what_hinders_the_command_is_said_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing" / "replies.md")]) == 1
    assert "cannot write" in capsys.readouterr().err
    assert main(["--folder", str(tmp_path), str(tmp_path / "replies.md")]) == 1
    assert "there is no playbook in this folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
