"""Phone numbers as people and systems write them, compared as what they are (libphonenumber's rules)."""

from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

SHORTEST = 5  # digits; less is an extension or a service code, which is nobody's number


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """One number. `country`: the ISO 3166 code by which numbers without a country code are read."""

    e164: str
    country: str

    @property
    def spellings(self) -> tuple[str, ...]:
        """How it may be stored, the likeliest first: E.164, its digits, the national forms."""
        number = phonenumbers.parse(self.e164)
        national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        digits = "".join(char for char in national if char.isdigit())
        return tuple(dict.fromkeys((self.e164, self.e164.removeprefix("+"), digits, national)))

    @property
    def is_whole(self) -> bool:
        """Whether its area is named where it has to be: without it, the number is somebody's in every area."""
        reason: int = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(self.e164))
        return reason == ValidationResult.IS_POSSIBLE

    def matches(self, text: str) -> bool:
        """Whether the text is this number, however it is written; an extension behind it does not count."""
        other = read_phone_number(text, country=self.country)
        return other is not None and other.e164 == self.e164


def read_phone_number(text: str, *, country: str) -> PhoneNumber | None:
    """The number behind a text, or None for what is none: withheld, an extension, words."""
    try:
        number = phonenumbers.parse(text.strip().removeprefix("tel:").removeprefix("sip:"), country or None)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or len(str(number.national_number)) < SHORTEST:
        return None
    return PhoneNumber(phonenumbers.format_number(number, PhoneNumberFormat.E164), country)


def is_country(code: str) -> bool:
    """Whether numbers can be read as of this country."""
    return code in phonenumbers.SUPPORTED_REGIONS
