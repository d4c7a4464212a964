"""What the reply window says of numbers and addresses in what somebody types."""

import pytest

from listener.slack.replying import _numbers_and_addresses

OWN = ("care@acme.example", "0800 123 45 67")


@pytest.mark.parametrize(
    "text",
    [
        "Call 01 23 45 67 89.",
        "Call +49 (0)170-123.45.67.",
        "Card 4111 1111 1111 1111",
        "IBAN DE89 3704 0044 0532 0130 00",
        "Order 112-3345566-778",
        "電話 ０９０－１２３４－５６７８",
        "الهاتف ٠١٢٣٤٥٦٧٨",
        "Born 14.03.1985 we see",
        "Call 0800 123 45 678",  # not the brand's own: a digit more
    ],
)
def test_what_looks_like_a_number_of_somebody_is_warned_of(text: str) -> None:
    (warning,) = _numbers_and_addresses(text, OWN)
    assert warning.startswith("This holds what looks like a phone or account number")


@pytest.mark.parametrize("text", ["We write to anna.b@mail.example.", "x.care@acme.example", "anna＠mail.example"])
def test_an_e_mail_address_that_is_not_the_brands_own_is_warned_of(text: str) -> None:
    (warning,) = _numbers_and_addresses(text, OWN)
    assert warning.startswith("This holds an e-mail address")


@pytest.mark.parametrize(
    "text",
    [
        "Write to CARE@acme.example or call 0800 123 45 67.",
        "See https://acme.example/help/1234567890",
        "It was down on 14.03.2026 and on 2026-03-15.",
        "It took 24 hours, from 9:00 to 18:00.",
        "@anna@mastodon.example we wrote to you",
        "",
    ],
)
def test_the_brands_own_channels_links_and_dates_are_not(text: str) -> None:
    assert list(_numbers_and_addresses(text, OWN)) == []
