"""An application of forty lines: answers every SMS to 000777, on smpplib. `python shop.py HOST PORT`."""

import sys

from smpplib import client, consts

ANSWERS = {"HOURS": "We are open 9 to 18.", "": "Send HOURS or ORDER and a number."}


def answer_to(text: str) -> str:
    word, _, rest = text.strip().upper().partition(" ")
    if word == "ORDER" and rest.isdigit():
        return f"Order {rest} is on its way."
    return ANSWERS.get(word, ANSWERS[""])


def main(host: str, port: int) -> None:
    esme = client.Client(host, port, timeout=60, allow_unknown_opt_params=True)

    def on_message(pdu) -> int:
        text = (pdu.short_message or b"").decode("ascii", "replace")
        esme.send_message(
            source_addr="000777",
            dest_addr_ton=consts.SMPP_TON_INTL,
            dest_addr_npi=consts.SMPP_NPI_ISDN,
            destination_addr=pdu.source_addr.decode(),
            short_message=answer_to(text).encode(),
        )
        return consts.SMPP_ESME_ROK

    esme.set_message_received_handler(on_message)
    esme.set_message_sent_handler(lambda pdu: None)
    esme.connect()
    esme.bind_transceiver(system_id="shop", password="secret")
    esme.listen()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
