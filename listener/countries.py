"""Countries as people name them to a command."""

from collections.abc import Collection, Iterable

from listener.starting.places import UnknownCountryError, country_code, country_name
from listener.terminal import usage_error


def country_asked(text: str, known: Collection[str]) -> str:
    """Return the code of a country that somebody asks for, in capitals; one that is not known stays as it is.

    Raises:
        BadParameter: a name stands where a code is needed; the message says which.
    """
    bare = text.strip()
    if bare.upper() in known:
        return bare.upper()
    try:
        code = country_code(bare)
    except UnknownCountryError:
        return text
    if code in known and len(bare) > 2:
        raise usage_error(f"a country is named by its code: write --country {code} for {country_name(code)}")
    return text


def countries_asked(texts: Iterable[str] | None, known: Collection[str]) -> list[str]:
    """Return the codes of the countries that somebody asks for, each once; none where none is named.

    Raises:
        BadParameter: a name stands where a code is needed; the message says which.
    """
    return list(dict.fromkeys(country_asked(text, known) for text in texts or ()))
