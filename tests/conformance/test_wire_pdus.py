"""Each PDU of SMPP 3.4, well formed and in its state, sent to each of our programs: it is answered, and the link stays.

What the answer is goes into the table of docs/reference/conformance.md.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.smpp.states import TABLE_2_1, WITHOUT_RESPONSE, Role
from gateway.smpp.vocabulary import COMMAND_IDS, status_name
from tests.conformance.ends import ESME, ROLES, staged
from tests.conformance.octets import (
    ALERT_NOTIFICATION,
    CANCEL_SM,
    DATA_SM,
    DELIVER_SM,
    ENQUIRE_LINK,
    GENERIC_NACK,
    MESSAGE_PAYLOAD,
    OUTBIND,
    QUERY_SM,
    REPLACE_SM,
    RESPONSE,
    SUBMIT_MULTI,
    SUBMIT_SM,
    UNBIND,
    bind,
    c_string,
    frame,
    message,
    tlv,
)
from tests.conformance.peer import Peer

_PHONE = b"\1\1" + c_string("79260000003")
_NUMBER = b"\1\1" + c_string("105")
_SMS = message("79260000003", "105", b"hello")
_DATA = c_string("") + _PHONE + _NUMBER + b"\0\0\0" + tlv(MESSAGE_PAYLOAD, b"hello")
BODIES: dict[int, bytes] = {
    SUBMIT_SM: message("105", "79260000003", b"hello"),
    DELIVER_SM: _SMS,
    DATA_SM: _DATA,
    SUBMIT_MULTI: c_string("") + _NUMBER + b"\1\1" + _PHONE + b"\0" * 9 + b"\x05hello",
    QUERY_SM: c_string("1") + _NUMBER,
    CANCEL_SM: c_string("") + c_string("1") + _NUMBER + _PHONE,
    REPLACE_SM: c_string("1") + _NUMBER + b"\0\0\0\0" + b"\x05hello",
    ALERT_NOTIFICATION: _PHONE + _NUMBER,
    OUTBIND: c_string("SMSC") + c_string("secret"),
    ENQUIRE_LINK: b"",
}


@pytest.mark.parametrize("role", ROLES)
async def test_every_pdu_is_answered(
    role: str, tmp_path: Path, record_property: Callable[[str, object], None]
):
    """Each request has its own response, those that we do not offer as well, and those out of place."""
    async with staged(role, tmp_path) as end:
        peer = await end.bound()
        for name in TABLE_2_1:
            if name.startswith("bind_") and end.listens:
                answer = await (await end.connect()).ask(COMMAND_IDS[name], bind())
                record_property(name, status_name(answer.status))
            elif name != "unbind":
                record_property(name, await _answer(peer, role, COMMAND_IDS[name]))
                await peer.is_alive()
        answer = await peer.ask(UNBIND)
        record_property("unbind", f"{status_name(answer.status)}, then the close")
        await peer.is_closed()


async def _answer(peer: Peer, role: str, command_id: int) -> str:
    """What it is answered with, in the words of the table."""
    issuer = Role.SMSC if role in ESME else Role.ESME
    if command_id == ALERT_NOTIFICATION and issuer is Role.SMSC:
        peer.write(frame(command_id, 0x300, BODIES[command_id]))
        return "noted; it has no response"
    answer = await peer.ask(command_id, BODIES.get(command_id, bind()))
    own = command_id not in WITHOUT_RESPONSE
    assert answer.command_id == (command_id | RESPONSE if own else GENERIC_NACK), answer
    return ("" if own else "generic_nack ") + status_name(answer.status)
