"""Which codes are languages', by the registered ones that CLDR knows. Knows nothing of what is configured."""

from functools import cache


def is_language(code: str) -> bool:
    """Tell whether a code such as fr or yue is a registered primary language, in the form to be written."""
    return code in _names() or (code in _registered() and code not in _aliases())


def nearest_language(code: str) -> str | None:
    """Return what was probably meant by a code that is none: another form, or a country's; None without a guess."""
    from babel.languages import get_official_languages

    if alias := _aliases().get(code):
        return alias.partition("_")[0]
    spoken = get_official_languages(code.upper(), de_facto=True)
    return str(spoken[0]).partition("_")[0] if spoken else None


@cache
def _names() -> frozenset[str]:
    from babel import Locale

    return frozenset(Locale("en").languages)


@cache
def _registered() -> frozenset[str]:
    from babel.core import get_global

    return frozenset(get_global("likely_subtags"))


@cache
def _aliases() -> dict[str, str]:
    from babel.core import get_global

    return dict(get_global("language_aliases"))
