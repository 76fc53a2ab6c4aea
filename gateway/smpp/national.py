"""National language tables of GSM 03.38: TS 23.038 §6.2.1.2 and Annex A.

A user data header names them (elements 0x24 and 0x25, see `gateway.smpp.user_data_header`). A locking shift table
stands in for the default alphabet, a single shift table for the extension table behind the escape. Turkish, Spanish
and Portuguese are here; a text that names another language is read with the usual tables, as §6.2.1.2.4 has it
for a receiver that does not know it.
"""

import codecs
from functools import lru_cache
from types import MappingProxyType

from gateway.smpp import gsm7
from gateway.smpp.user_data_header import National

TURKISH, SPANISH, PORTUGUESE = 1, 2, 3
"""National language identifiers (§6.2.1.2.4)."""

SINGLE_SHIFT = MappingProxyType(
    {
        language: MappingProxyType(gsm7.EXTENSION | dict(zip(bytes.fromhex(codes), characters, strict=True)))
        for language, codes, characters in (
            (TURKISH, "47 49 53 63 67 69 73", "ĞİŞçğış"),  # A.2.1
            (SPANISH, "09 41 49 4f 55 61 69 6f 75", "çÁÍÓÚáíóú"),  # A.2.2
            (
                PORTUGUESE,  # A.2.3
                "05 09 0b 0c 0e 0f 12 13 15 16 17 18 19 1f 41 49 4f 55 5b 5c 61 69 6f 75 7b 7c 7f",
                "êçÔôÁáΦΓΩΠΨΣΘÊÀÍÓÚÃÕÂíóúãõâ",
            ),
        )
    }
)
"""Language to septet to character, for a septet behind an escape. Each table has the usual extension, too."""

LOCKING_SHIFT = MappingProxyType(
    {
        TURKISH: (  # A.3.1
            "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
            "İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§çabcdefghijklmnopqrstuvwxyzäöñüà"
        ),
        PORTUGUESE: (  # A.3.3
            "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?"
            "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà"
        ),
    }
)
"""Language to the character of each septet; 0x1B stays the escape. Spanish has none (A.3.2)."""


def decode_national(septets: bytes, national: National) -> str:
    """The characters of ``septets``, one an octet, in the tables that ``national`` names."""
    table = LOCKING_SHIFT.get(national.locking_shift)
    extension = SINGLE_SHIFT.get(national.single_shift, gsm7.EXTENSION)
    if table is None:
        return gsm7.decode_gsm7(septets, extension=extension)
    return gsm7.decode_gsm7(septets, gsm7.charmap(table), extension)


def encode_national(text: str, national: National) -> bytes:
    """The septets of ``text``, one an octet. UnicodeEncodeError: those tables lack a character."""
    return codecs.charmap_encode(text, "strict", _codes(national))[0]


@lru_cache
def _codes(national: National) -> dict[int, bytes]:
    extension = SINGLE_SHIFT.get(national.single_shift, gsm7.EXTENSION)
    table = LOCKING_SHIFT.get(national.locking_shift, gsm7.BASIC)
    escaped = {ord(char): bytes([gsm7.ESCAPE, code]) for code, char in extension.items()}
    return escaped | {ord(char): bytes([code]) for code, char in enumerate(table) if code != gsm7.ESCAPE}
