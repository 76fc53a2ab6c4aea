"""What a turn has to know of the link that it came by, or that its answer will leave by."""

from dataclasses import dataclass, field

from gateway.dialect import DialectError, Profile, load_profile
from gateway.numbers import Numbering
from gateway.settings import LinkSettings
from gateway.smpp.pdu import DeliverSm, SubmitSm
from gateway.smpp.text import data_coding_table, sending_table
from gateway.turns.receipts import ReceiptIds
from gateway.turns.repeats import Repeats
from gateway.turns.sms import Carrier, SmsStyle

_CARRIERS: dict[str, Carrier] = {"esme": SubmitSm, "smsc": DeliverSm}


@dataclass(frozen=True, slots=True)
class Station:
    """One link for those who know nothing of connections. `station_of` makes it from the settings."""

    name: str
    profile: Profile
    sms: SmsStyle
    carrier: Carrier
    numbering: Numbering
    """Whose number an address is."""
    receipt_ids: ReceiptIds = field(default_factory=ReceiptIds)
    """What is known of the ids in receipts."""
    repeats: Repeats = field(default_factory=Repeats)
    """What the centre may deliver again."""


def station_of(settings: LinkSettings) -> Station:
    """What a turn has to know of the link. Raises `DialectError`."""
    try:
        profile = load_profile(settings.dialect)
    except DialectError as error:
        raise DialectError(f"links.{settings.name}.dialect: {error}") from None
    text = settings.text
    style = SmsStyle(
        data_coding_table(text.data_coding, text.data_codings),
        sending_table(text.send_as),
        text.long_messages,
        settings.sms_validity_s,
        settings.receipts,
    )
    return Station(settings.name, profile, style, _CARRIERS[settings.role], Numbering(settings.numbers))
