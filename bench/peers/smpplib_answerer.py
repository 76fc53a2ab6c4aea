"""The smpplib ESME of the benchmark: binds to the load generator, answers every SMS with a fixed text.

    python smpplib_answerer.py PORT

SMS only. smpplib 2.2.4 knows ussd_service_op by name but not as a parameter of deliver_sm, so that a USSD
turn ends its read loop with a KeyError, also with ``allow_unknown_opt_params``. Nothing of it is patched
here: the load sends it plain SMS turns instead. To show it at its best: TCP_NODELAY is set on its socket
(it has no setting for that), its logger is off, receipts are not asked for.
"""

import logging
import socket
import sys

import smpplib.client
import smpplib.consts
from smpplib.exceptions import ConnectionError as LinkLost

TEXT = b"Balance: 123.45 rub"


def main() -> None:
    """Bind, answer until the SMSC closes."""
    logging.disable(logging.CRITICAL)
    client = smpplib.client.Client("127.0.0.1", int(sys.argv[1]), timeout=60, allow_unknown_opt_params=True)
    client.connect()
    client._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.bind_transceiver(system_id="smpplib", password="secret")

    def answer(pdu: object) -> None:
        client.send_message(
            source_addr_ton=pdu.dest_addr_ton,
            source_addr_npi=pdu.dest_addr_npi,
            source_addr=pdu.destination_addr.decode(),
            dest_addr_ton=pdu.source_addr_ton,
            dest_addr_npi=pdu.source_addr_npi,
            destination_addr=pdu.source_addr.decode(),
            short_message=TEXT,
        )

    client.set_message_received_handler(answer)
    client.set_message_sent_handler(lambda pdu: None)
    try:
        client.listen()
    except LinkLost:
        client.disconnect()


if __name__ == "__main__":
    main()
