"""The service behind Kannel's smsbox: one question for any code, an answer to any SMS. `python service.py [PORT]`."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

CODE, ANSWER, ASK, END = 1, 18, 2, 17
"""Values of ussd_service_op."""


def query_of(text: str) -> dict[str, str]:
    """Octets of TLVs stand in it, so that each is read as one character."""
    return {name: values[0] for name, values in parse_qs(text, True, encoding="latin-1").items()}


class Service(BaseHTTPRequestHandler):
    """A request of smsbox."""

    def do_GET(self) -> None:
        """Answer a code, an SMS, or a receipt, which wants no text."""
        asked = query_of(urlsplit(self.path).query)
        if asked.get("service") == "USSD":
            self.answer_ussd(asked["text"], query_of(asked["meta"].removeprefix("?smpp?")))
        else:
            self.answer(f"You wrote: {asked['text']}" if "text" in asked else "")

    def answer_ussd(self, text: str, tlvs: dict[str, str]) -> None:
        """Ask, then greet."""
        operation = ord(tlvs["ussd_service_op"])
        number, unit = tlvs["its_session_info"].encode("latin-1")
        if operation == CODE:
            self.show(ASK, number, unit + 2, "What is your name?")
        elif operation == ANSWER and not unit & 1:  # the lowest bit: the subscriber has given up
            self.show(END, number, unit + 3, f"Hello, {text or 'you'}!")
        else:
            self.answer("")

    def show(self, operation: int, number: int, unit: int, text: str) -> None:
        """A screen: the text, and its two TLVs as Kannel's meta-data."""
        tlvs = {"ussd_service_op": operation, "its_session_info": bytes([number, unit])}
        self.answer(text, ("X-Kannel-BInfo", "USSD"), ("X-Kannel-Meta-Data", f"?smpp?{urlencode(tlvs)}"))

    def answer(self, text: str, *headers: tuple[str, str]) -> None:
        """The text becomes a message; no text, no message."""
        self.send_response(200)
        for name, value in (("Content-Type", "text/plain; charset=UTF-8"), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000), Service)
    print(f"answers on port {server.server_port}", flush=True)
    server.serve_forever()
