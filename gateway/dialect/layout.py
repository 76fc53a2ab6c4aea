"""Where a number stands inside a TLV: the bit pictures of a profile, read once.

A picture has one letter a bit, in the order of the wire: ``SSSSSSSS NNNNNNNE`` is its_session_info as SMPP 3.4
§5.3.2.43 draws it. S: the session's number; N: the number of the dialogue unit; E: the end of the session; 0: unused.
Where the low bits of the session's number come first, they are written small: ``ssssssss SSSSSSSE``.
"""

from typing import NamedTuple

_LETTERS = frozenset("SsNE0")


class Layout(NamedTuple):
    """A TLV that names dialogues, compiled. `key_mask` keeps of its value what is the same in a whole dialogue.

    `goes_on` and `ends` map the last octet of a question to that of its answer: N counted up, E clear or set.
    """

    tag: int
    octets: int
    key_mask: int
    unit_mask: int
    unit_shift: int
    end_mask: int
    goes_on: tuple[bytes, ...]
    ends: tuple[bytes, ...]
    high: tuple[int, ...]
    """Bits of the session's number, as powers of two in the value, the highest first."""


def compile_layout(tag: int, picture: str) -> Layout:
    """The layout that `picture` draws. Raises ValueError with what is wrong with it."""
    bits = picture.replace(" ", "")
    if not bits or len(bits) % 8 or not _LETTERS.issuperset(bits):
        raise ValueError(f"session bits {picture!r}: write 8 letters an octet: S, s, N, E, 0")
    weights = [(letter, 1 << place) for place, letter in enumerate(reversed(bits))][::-1]
    unit_mask, end_mask = (sum(weight for one, weight in weights if one == letter) for letter in "NE")
    if (unit_mask | end_mask) > 0xFF or bits.count("E") > 1 or "N0N" in bits:
        raise ValueError(f"session bits {picture!r}: N and E stand in the last octet, N together, E once")
    unit_step = unit_mask & -unit_mask
    kept = 0xFF & ~(unit_mask | end_mask)
    goes_on = [octet & kept | (octet + unit_step) & unit_mask for octet in range(256)]
    return Layout(
        tag=tag,
        octets=len(bits) // 8,
        key_mask=~(unit_mask | end_mask),
        unit_mask=unit_mask,
        unit_shift=max(unit_step.bit_length() - 1, 0),
        end_mask=end_mask,
        goes_on=tuple(bytes((octet,)) for octet in goes_on),
        ends=tuple(bytes((octet | end_mask,)) for octet in goes_on),
        high=tuple(weight for letter in "Ss" for one, weight in weights if one == letter),
    )


def session_number(layout: Layout, value: bytes) -> int:
    """The number of the session in a TLV's value."""
    whole, number = int.from_bytes(value), 0
    for weight in layout.high:
        number = number << 1 | bool(whole & weight)
    return number


def session_value(layout: Layout, session: int, unit: int, ended: bool) -> bytes:
    """The TLV's value for a session, a number of its unit, and whether it ends; numbers wrap."""
    whole = layout.end_mask if ended else 0
    whole |= unit << layout.unit_shift & layout.unit_mask
    for place, weight in enumerate(reversed(layout.high)):
        whole |= weight if session >> place & 1 else 0
    return whole.to_bytes(layout.octets)
