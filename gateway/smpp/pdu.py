"""The PDUs of SMPP 3.4: a dataclass for each command (specification chapter 4).

Order and size of the fields are those of the specification's tables. sm_length, number_of_dests and no_unsuccess
are no fields, for they follow from what they count. C-strings are ``str`` (Latin-1), octets are ``bytes``, other
fields are integers of one octet. ``tlvs`` holds the optional parameters of any PDU, tag to octets.

    >>> frame = encode(SubmitSm(destination_addr="79260000003", short_message=b"hi", sequence_number=1))
    >>> decode(frame)
    <submit_sm 1 destination_addr='79260000003' short_message=2 octets>
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar, dataclass_transform

from gateway.smpp import codec
from gateway.smpp.codec import HEADER, HEADER_OCTETS
from gateway.smpp.errors import LocalProtocolError, RemoteProtocolError
from gateway.smpp.fields import (
    DistributionList,
    SmeAddress,
    UnsuccessfulSme,
    c_octet_string,
    destinations,
    integer,
    octet_string,
    rows,
    unsuccessful_smes,
)
from gateway.smpp.vocabulary import (
    COMMAND_IDS,
    COMMAND_NAMES,
    ESME_RINVCMDID,
    ESME_RINVCMDLEN,
    INTERFACE_VERSION,
    RESPONSE_BIT,
    TLV_NAMES,
    status_name,
)

_SHORT_TLV_OCTETS = 8


@dataclass(slots=True, kw_only=True, repr=False)
class Pdu:
    """What every PDU has: the header (§3.2) without its length, and the optional parameters."""

    command_id: ClassVar[int]
    bodiless_on_error: ClassVar[bool] = False
    """With an error in command_status the body is left out (§4.1.2, §4.1.4, §4.4.2)."""

    tlvs: dict[int, bytes] = field(default_factory=dict)
    command_status: int = 0
    sequence_number: int = 0

    @property
    def name(self) -> str:
        """The command as the specification writes it: ``submit_sm``."""
        return COMMAND_NAMES[self.command_id]

    def respond(self, status: int = 0, **values: Any) -> "Pdu":
        """The response to this request: same sequence number, ``status``, and any fields given.

        LocalProtocolError for a PDU that has none: a response, outbind, alert_notification.
        """
        response = PDU_CLASSES.get(self.command_id | RESPONSE_BIT)
        if response is None or self.command_id & RESPONSE_BIT:
            raise LocalProtocolError(f"{self.name} has no response")
        return response(command_status=status, sequence_number=self.sequence_number, **values)

    def __repr__(self) -> str:
        """For a log: what is set, but no password and nothing of a message except its length."""
        status = [status_name(self.command_status)] if self.command_status else []
        shown = [
            f"{name}={kind.show(getattr(self, name))}"
            for name, kind in rows(type(self))
            if getattr(self, name)
        ]
        tlvs = [
            f"{TLV_NAMES.get(tag, f'0x{tag:04X}')}={_show_tlv(value)}" for tag, value in self.tlvs.items()
        ]
        return f"<{' '.join([self.name, str(self.sequence_number), *status, *shown, *tlvs])}>"


def _show_tlv(value: bytes) -> str:
    return f"0x{value.hex()}" if len(value) <= _SHORT_TLV_OCTETS else f"{len(value)} octets"


PDU_CLASSES: dict[int, type[Pdu]] = {}
"""command_id to class, all of Table 5-1."""

DECODERS: dict[int, codec.Decoder] = {}
"""command_id to ``decode(frame, command_status, sequence_number)``."""

ENCODERS: dict[int, codec.Encoder] = {}
"""command_id to ``encode(pdu)``."""

_Declared = TypeVar("_Declared", bound=Pdu)


@dataclass_transform()
def _command(declaration: type[_Declared]) -> type[_Declared]:
    """Make a dataclass of a declaration and register it under the command it is named after."""
    pdu_class = dataclass(slots=True, repr=False)(declaration)
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in pdu_class.__name__)
    pdu_class.command_id = COMMAND_IDS[words.lstrip("_")]
    PDU_CLASSES[pdu_class.command_id] = pdu_class
    DECODERS[pdu_class.command_id] = codec.compile_decoder(pdu_class)
    ENCODERS[pdu_class.command_id] = codec.compile_encoder(pdu_class)
    return pdu_class


def encode(pdu: Pdu) -> bytes:
    """The octets of ``pdu``, ready for the wire. LocalProtocolError names a field that does not fit."""
    return ENCODERS[pdu.command_id](pdu)


def decode(frame: bytes) -> Pdu:
    """The PDU in ``frame``, which must be exactly one, header and all.

    RemoteProtocolError: ``fatal`` when the header's length is not that of the frame; otherwise with the status to
    answer with (Table 5-2). Nothing else is raised, whatever the octets.
    """
    if len(frame) < HEADER_OCTETS:
        raise RemoteProtocolError("no PDU header", status=ESME_RINVCMDLEN, fatal=True, octets=frame)
    length, command_id, command_status, sequence_number = HEADER.unpack_from(frame)
    decoder = DECODERS.get(command_id)
    if decoder is not None and length == len(frame):
        pdu: Pdu = decoder(frame, command_status, sequence_number)
        return pdu
    about = {"sequence_number": sequence_number, "command_id": command_id, "octets": frame}
    if length != len(frame):
        message = f"command_length {length} of {len(frame)} octets"
        raise RemoteProtocolError(message, status=ESME_RINVCMDLEN, fatal=True, **about)
    raise RemoteProtocolError(f"command 0x{command_id:08X}", status=ESME_RINVCMDID, **about)


# ------------------------------------------------------------------------- opening and closing a session


@dataclass(slots=True, repr=False)
class BindRequest(Pdu):
    """What the three binds have in common (§4.1.1, §4.1.3, §4.1.5)."""

    system_id: str = c_octet_string(16)
    password: str = c_octet_string(9, secret=True)
    system_type: str = c_octet_string(13)
    interface_version: int = integer(INTERFACE_VERSION)
    addr_ton: int = integer()
    addr_npi: int = integer()
    address_range: str = c_octet_string(41)


@_command
class BindTransmitter(BindRequest):
    """The ESME wants to send (§4.1.1)."""


@_command
class BindReceiver(BindRequest):
    """The ESME wants to receive (§4.1.3)."""


@_command
class BindTransceiver(BindRequest):
    """The ESME wants both (§4.1.5)."""


@dataclass(slots=True, repr=False)
class BindResponse(Pdu):
    """What their responses have in common (§4.1.2, §4.1.4, §4.1.6)."""

    system_id: str = c_octet_string(16)


@_command
class BindTransmitterResp(BindResponse):
    """§4.1.2."""

    bodiless_on_error: ClassVar[bool] = True


@_command
class BindReceiverResp(BindResponse):
    """§4.1.4."""

    bodiless_on_error: ClassVar[bool] = True


@_command
class BindTransceiverResp(BindResponse):
    """§4.1.6."""


@_command
class Outbind(Pdu):
    """The SMSC asks the ESME to bind as a receiver; has no response (§4.1.7)."""

    system_id: str = c_octet_string(16)
    password: str = c_octet_string(9, secret=True)


@_command
class Unbind(Pdu):
    """The end of a session, from either side (§4.2.1)."""


@_command
class UnbindResp(Pdu):
    """§4.2.2."""


@_command
class GenericNack(Pdu):
    """The answer to what is no PDU, or none that is known (§4.3, p.57)."""


# ------------------------------------------------------------------------------------------------ messages


@dataclass(slots=True, repr=False)
class _ShortMessage(Pdu):
    service_type: str = c_octet_string(6)
    source_addr_ton: int = integer()
    source_addr_npi: int = integer()
    source_addr: str = c_octet_string(21)
    dest_addr_ton: int = integer()
    dest_addr_npi: int = integer()
    destination_addr: str = c_octet_string(21)
    esm_class: int = integer()
    protocol_id: int = integer()
    priority_flag: int = integer()
    schedule_delivery_time: str = c_octet_string(17)
    validity_period: str = c_octet_string(17)
    registered_delivery: int = integer()
    replace_if_present_flag: int = integer()
    data_coding: int = integer()
    sm_default_msg_id: int = integer()
    short_message: bytes = octet_string()


@_command
class SubmitSm(_ShortMessage):
    """A message from the ESME to a handset (§4.4.1)."""


@_command
class SubmitSmResp(Pdu):
    """§4.4.2, p.67."""

    bodiless_on_error: ClassVar[bool] = True

    message_id: str = c_octet_string(65)


@_command
class SubmitMulti(Pdu):
    """A message to up to 254 recipients and distribution lists (§4.5.1)."""

    service_type: str = c_octet_string(6)
    source_addr_ton: int = integer()
    source_addr_npi: int = integer()
    source_addr: str = c_octet_string(21)
    dest_addresses: list[SmeAddress | DistributionList] = destinations()
    esm_class: int = integer()
    protocol_id: int = integer()
    priority_flag: int = integer()
    schedule_delivery_time: str = c_octet_string(17)
    validity_period: str = c_octet_string(17)
    registered_delivery: int = integer()
    replace_if_present_flag: int = integer()
    data_coding: int = integer()
    sm_default_msg_id: int = integer()
    short_message: bytes = octet_string()


@_command
class SubmitMultiResp(Pdu):
    """§4.5.2."""

    message_id: str = c_octet_string(65)
    unsuccess_smes: list[UnsuccessfulSme] = unsuccessful_smes()


@_command
class DeliverSm(_ShortMessage):
    """A message, a receipt or a USSD turn from the SMSC to the ESME (§4.6.1)."""


@_command
class DeliverSmResp(Pdu):
    """message_id is unused, a NUL (§4.6.2)."""

    message_id: str = c_octet_string(65)


@_command
class DataSm(Pdu):
    """A message in message_payload, either way (§4.7.1)."""

    service_type: str = c_octet_string(6)
    source_addr_ton: int = integer()
    source_addr_npi: int = integer()
    source_addr: str = c_octet_string(65)
    dest_addr_ton: int = integer()
    dest_addr_npi: int = integer()
    destination_addr: str = c_octet_string(65)
    esm_class: int = integer()
    registered_delivery: int = integer()
    data_coding: int = integer()


@_command
class DataSmResp(Pdu):
    """§4.7.2."""

    message_id: str = c_octet_string(65)


# ----------------------------------------------------------------- questions about messages, and the link


@_command
class QuerySm(Pdu):
    """What became of a message? (§4.8.1)."""

    message_id: str = c_octet_string(65)
    source_addr_ton: int = integer()
    source_addr_npi: int = integer()
    source_addr: str = c_octet_string(21)


@_command
class QuerySmResp(Pdu):
    """§4.8.2."""

    message_id: str = c_octet_string(65)
    final_date: str = c_octet_string(17)
    message_state: int = integer()
    error_code: int = integer()


@_command
class CancelSm(Pdu):
    """Take back a message, or all to one address (§4.9.1)."""

    service_type: str = c_octet_string(6)
    message_id: str = c_octet_string(65)
    source_addr_ton: int = integer()
    source_addr_npi: int = integer()
    source_addr: str = c_octet_string(21)
    dest_addr_ton: int = integer()
    dest_addr_npi: int = integer()
    destination_addr: str = c_octet_string(21)


@_command
class CancelSmResp(Pdu):
    """§4.9.2."""


@_command
class ReplaceSm(Pdu):
    """Another text for a message that is still waiting (§4.10.1)."""

    message_id: str = c_octet_string(65)
    source_addr_ton: int = integer()
    source_addr_npi: int = integer()
    source_addr: str = c_octet_string(21)
    schedule_delivery_time: str = c_octet_string(17)
    validity_period: str = c_octet_string(17)
    registered_delivery: int = integer()
    sm_default_msg_id: int = integer()
    short_message: bytes = octet_string()


@_command
class ReplaceSmResp(Pdu):
    """§4.10.2."""


@_command
class EnquireLink(Pdu):
    """Are you there? (§4.11.1)."""


@_command
class EnquireLinkResp(Pdu):
    """§4.11.2."""


@_command
class AlertNotification(Pdu):
    """A handset can be reached again; has no response (§4.12.1)."""

    source_addr_ton: int = integer()
    source_addr_npi: int = integer()
    source_addr: str = c_octet_string(65)
    esme_addr_ton: int = integer()
    esme_addr_npi: int = integer()
    esme_addr: str = c_octet_string(65)
