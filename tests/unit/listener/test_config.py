import re
from contextlib import suppress
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.config import Config, Holidays, load_config
from listener.config.document import parse_yaml
from listener.errors import ConfigError, MissingSecretError
from listener.plugins import missing_secrets, plugin_options, status_lines

FIXTURES = Path(__file__).parents[2] / "fixtures" / "config"
RESTART = "a daemon that runs takes what is set now at its next start"
BAD = sorted(FIXTURES.glob("bad_*.yaml"))


def load(text: str, tmp_path: Path) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, plugin_options())


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem.removeprefix("bad_"))
def test_a_wrong_file_is_refused_with_place_path_and_what_is_allowed(path: Path) -> None:
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# expect: ")
    with pytest.raises(ConfigError) as caught:
        load_config(path, plugin_options())
    assert expected in str(caught.value)
    problem = caught.value.problems[0]
    assert str(problem).startswith(f"{path}:{problem.line}:{problem.column} ")
    assert "hunter2" not in str(caught.value)


def test_each_wrong_file_is_wrong_in_one_way() -> None:
    assert len(BAD) > 35
    for path in BAD:
        with pytest.raises(ConfigError) as caught:
            load_config(path, plugin_options())
        assert len(caught.value.problems) == 1, caught.value


def test_all_problems_are_reported_together_in_the_files_order(tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    text = text.replace("team: desk", "team: nobody").replace("every: 30s", "every: 30").replace("terminal", "pager")
    with pytest.raises(ConfigError) as caught:
        load(text, tmp_path)
    lines = [problem.line for problem in caught.value.problems]
    assert len(lines) == 3
    assert lines == sorted(lines)


def test_norway_stays_norway() -> None:
    config = load_config(FIXTURES / "good.yaml", plugin_options())
    assert list(config.countries) == ["NO"]
    assert config.countries["NO"].timezone == "Europe/Oslo"


def test_a_country_inherits_key_by_key_and_replaces_lists(tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    text = text.replace("  team: desk\n", "  team: desk\n  thresholds: {urgent: 0.7, complaint: 0.6}\n")
    text += "    thresholds: {urgent: 0.2}\n    languages: [nb, nn]\n"
    country = load(text, tmp_path).countries["NO"]
    assert (country.thresholds.urgent, country.thresholds.complaint) == (0.2, 0.6)
    assert country.languages == ["nb", "nn"]


LINKS = """
    playbook: {links: {crisis: "https://wiki.example/no/krise?v=2#steps", outage: "http://127.0.0.1:8080/outage"}}
"""


def test_a_countrys_links_lie_on_those_of_the_defaults(tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    common = '  playbook: {links: {crisis: "https://wiki.example/crisis", safety: "https://wiki.example/safety"}}'
    text = text.replace("  team: desk\n", f"  team: desk\n{common}\n")
    assert load(text + LINKS, tmp_path).countries["NO"].playbook.links == {
        "crisis": "https://wiki.example/no/krise?v=2#steps",
        "outage": "http://127.0.0.1:8080/outage",
        "safety": "https://wiki.example/safety",
    }


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("https://", "write an address"),
        ("https://wiki.example:0/", "write an address"),
        ("https://wiki.example:x/", "write an address"),
        ("https://[::1/", "write an address"),
        ("https://wiki.example/a b", "write an address"),
        ("https://wiki.example/a|b", "write an address"),
        ("https://wiki.example/\\u202Egnp", "write an address"),
        ("wiki.example/crisis", "write an address"),
        ("ftp://wiki.example/crisis", "write an address"),
        ("http://10.0.0.1/crisis", "write https://"),
        ("https://wiki.example@evil.example/", "no user name"),
        ("https://wiki.example/" + "a" * 480, "at most 500 characters"),
        ("", "write an address"),
    ],
)
def test_a_link_that_no_receiver_would_show_is_refused(address: str, problem: str, tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match=problem) as caught:
        load(text + LINKS.replace("https://wiki.example/no/krise?v=2#steps", address), tmp_path)
    assert [one.path for one in caught.value.problems] == ["countries.NO.playbook.links.crisis"]


def test_watches_are_one_a_brand_and_country_and_false_turns_a_source_off(tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    text = text.replace("  team: desk\n", "  team: desk\n  sources: {x: {}}\n")
    text += "  SE:\n    sources: {x: false}\n"
    config = load(text, tmp_path)
    assert [watch.id for watch in config.watches] == ["x/NO/acme", "file/NO/acme"]


def test_a_missing_token_is_named_and_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    config = load(text.replace("      file:", "      x: {}\n      file:"), tmp_path)
    monkeypatch.delenv("TEST_X_TOKEN", raising=False)
    assert missing_secrets(config) == {"source x": "set the environment variable TEST_X_TOKEN"}
    monkeypatch.setenv("TEST_X_TOKEN", "s3cr3t-value")
    assert missing_secrets(config) == {}
    assert "s3cr3t-value" not in repr(config)
    assert "s3cr3t-value" not in config.model_dump_json(exclude={"watches"})


def test_all_that_the_slack_app_misses_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app = 'slack: {token: "${env:TEST_BOT_TOKEN}", app_token: "${env:TEST_APP_TOKEN}"}\n'
    config = load((FIXTURES / "good.yaml").read_text(encoding="utf-8") + app, tmp_path)
    for name in ("TEST_BOT_TOKEN", "TEST_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    off = missing_secrets(config)
    both = "set the environment variable TEST_BOT_TOKEN; set the environment variable TEST_APP_TOKEN"
    assert off == {"slack app": both}
    lines = status_lines(config, off)
    assert lines[lines.index(f"slack app is off: {both}") + 1] == RESTART
    monkeypatch.setenv("TEST_BOT_TOKEN", "xoxb-1")
    assert missing_secrets(config) == {"slack app": "set the environment variable TEST_APP_TOKEN"}


def test_a_secret_can_stand_in_a_file(tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    config = load(text.replace("${env:TEST_X_TOKEN}", f"${{file:{tmp_path}/token}}"), tmp_path)
    secret = dict(config.sources["x"])["bearer_token"]
    with pytest.raises(MissingSecretError, match="put the secret into the file"):
        secret.get()
    (tmp_path / "token").write_text("from-a-file\n", encoding="utf-8")
    assert secret.get() == "from-a-file"


def test_hours_read_several_spans_a_day_and_spans_over_the_weekend(tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    text = text.replace('{mon-fri: "09:00-18:00"}', '{fri-mon: "08:00-12:00 14:00-18:00"}')
    assert repr(load(text, tmp_path).countries["NO"].hours).startswith("mon 08:00-12:00, mon 14:00-18:00, fri 08:00")


def test_a_countrys_hours_replace_the_default_ones_as_a_whole(tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    own = text.replace(
        "    timezone: Europe/Oslo\n", '    timezone: Europe/Oslo\n    hours: {mon-sun: "10:00-12:00"}\n'
    )
    hours = load(own, tmp_path).countries["NO"].hours
    assert list(hours.spans.values()) == [[(time(10), time(12))]] * 7


def test_hours_may_end_with_the_day(tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    hours = load(text.replace("09:00-18:00", "20:00-24:00"), tmp_path).countries["NO"].hours
    assert hours.spans["mon"] == [(time(20), time.max)]


@pytest.mark.parametrize(
    ("written", "holidays"),
    [
        ("false", Holidays(country=None)),
        ("DE", Holidays(country="DE")),
        ("{country: DE, subdivision: BY, work: [2026-01-06]}", None),
        ("{add: [2026-12-24]}", Holidays(add=[date(2026, 12, 24)])),
    ],
)
def test_holidays_are_a_code_a_mapping_or_false(written: str, holidays: Holidays | None, tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    read = load(f"{text}    holidays: {written}\n", tmp_path).countries["NO"].holidays
    assert read == (holidays or Holidays(country="DE", subdivision="BY", work=[date(2026, 1, 6)]))


def test_a_country_without_known_public_holidays_is_warned_of_and_works(tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    config = load(text + "  BV: {}\n  HM: {holidays: false}\n  IO: {holidays: {add: [2026-12-24]}}\n", tmp_path)
    assert config.warnings == (
        "no public holidays are known for BV this year: name its days off under `holidays: {add: [...]}`",
    )


@given(st.text(max_size=300))
def test_no_text_makes_the_reader_raise_anything_else(text: str) -> None:
    with suppress(ConfigError):
        parse_yaml(text, "any.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 50_000,
        "a: &a [1,1]\nb: &b [*a,*a]\n"
        + "".join(f"{chr(99 + i)}: &{chr(99 + i)} [*{chr(98 + i)},*{chr(98 + i)}]\n" for i in range(23)),
    ],
)
def test_deep_nesting_and_growing_aliases_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_yaml(text, "any.yaml")


def test_a_wrong_reference_is_reported_beside_a_wrong_value(tmp_path: Path) -> None:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8").replace("team: desk", "team: nobody")
    with pytest.raises(ConfigError) as caught:
        load(text + "    thresholds: {urgent: 7}\n", tmp_path)
    assert [problem.path for problem in caught.value.problems] == ["defaults.team", "countries.NO.thresholds.urgent"]


VOICE = """\
acme:
  signature: Acme Care
  phrase: Made to last.
  promises: [That a person answers.]
  never: {en: [cheap], fr: [ressort]}
  tone: {emoji: true, exclamation_marks: 2, notes: [Short and warm.]}
  contacts:
    default: {channel: care@acme.example}
    NO: {channel: "900 000 000", hours: {mon-fri: "09:00-18:00"}}
"""


def with_voice(tmp_path: Path, voice: str, name: str = "brand.yaml") -> Path:
    text = (FIXTURES / "good.yaml").read_text(encoding="utf-8")
    (tmp_path / "config.yaml").write_text(f"{text}\nvoice: {name}\n", encoding="utf-8")
    (tmp_path / "brand.yaml").write_text(voice, encoding="utf-8")
    return tmp_path / "config.yaml"


def test_a_brands_voice_is_read_from_its_own_file(tmp_path: Path) -> None:
    voice = load_config(with_voice(tmp_path, VOICE), plugin_options()).voices["acme"]
    assert (voice.signature, voice.phrase, voice.tone.exclamation_marks) == ("Acme Care", "Made to last.", 2)
    norway, elsewhere = voice.contact("NO"), voice.contact("FR")
    assert norway is not None
    assert elsewhere is not None
    assert (norway.channel, elsewhere.channel) == ("900 000 000", "care@acme.example")
    assert repr(norway.hours).startswith("mon 09:00-18:00")


def test_without_a_voice_a_brand_signs_with_its_own_name() -> None:
    config = load_config(FIXTURES / "good.yaml", plugin_options())
    assert {name: voice.signature for name, voice in config.voices.items()} == {
        name: brand.name for name, brand in config.brands.items()
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("acme:", "acne:", "brand.yaml:1:1 acne - unknown key 'acne' (did you mean 'acme'?)"),
        ("signature: Acme Care", "slogan: Acme", "unknown key 'slogan'"),
        ("    NO:", "    XX:", "acme.contacts.XX - unknown key 'XX'"),
        ("en: [cheap]", "english: [cheap]", "write a BCP 47 tag"),
        ("exclamation_marks: 2", "exclamation_marks: 99", "less than or equal to 5"),
        ("Acme Care", "[", "not valid YAML"),
        ("en: [cheap]", 'en: ["*"]', "acme.never.en[0] - a word has at least one letter"),
        ("en: [cheap]", 'en: [" *"]', "a word has at least one letter"),
        ("en: [cheap]", 'en: [" "]', "must not be empty"),
        ("Acme Care", '"\\u200b"', "invisible character"),
        ("Acme Care", '"\\u3164"', "invisible character"),
        ("Acme Care", '" "', "acme.signature - must not be empty"),
        ("Acme Care", "a" * 41, "at most 40"),
        ("Made to last.", '"Made\\u202e to last."', "acme.phrase - holds a mark that turns the direction of writing"),
        ("Made to last.", '"\\u200d "', "acme.phrase - must not be empty"),
        ("care@acme.example", '" "', "acme.contacts.default.channel - must not be empty"),
        ("care@acme.example", '"care\\u200b@acme.example"', "invisible character"),
    ],
)
def test_a_wrong_voice_is_refused_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(with_voice(tmp_path, VOICE.replace(old, new, 1)), plugin_options())
    assert said in str(caught.value)
    assert f"{tmp_path}/brand.yaml:" in str(caught.value)


def test_a_voice_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml:\d+:1 voice - '.*voice\.yaml': there is no such file"):
        load_config(with_voice(tmp_path, VOICE, "voice.yaml"), plugin_options())


@pytest.mark.parametrize(("name", "said"), [('"a\\0b"', "voice - .*null byte"), (".", "is no plain file")])
def test_a_voice_whose_name_can_be_no_file_is_refused(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(with_voice(tmp_path, VOICE, name), plugin_options())


def test_a_brand_whose_name_cannot_sign_replies_needs_a_signature(tmp_path: Path) -> None:
    file = with_voice(tmp_path, VOICE)
    long = "The Acme Company of Everything That Is Worth Having"
    text = re.sub(r"(acme:\s+name: )[^\n]+", rf"\g<1>{long}", file.read_text(encoding="utf-8"), count=1)
    assert long in text
    file.write_text(text, encoding="utf-8")
    assert load_config(file, plugin_options()).voices["acme"].signature == "Acme Care"
    file.write_text(text.replace("voice: brand.yaml", ""), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"brands\.acme\.name - cannot sign replies .*at most 40"):
        load_config(file, plugin_options())
