"""What a PDU says, octet by octet: for the command line, the quarantine, the log and web pages.

``explaining`` walks the PDU and names every octet, with the words of ``tables``, ``tlvs`` and ``text``; ``advice`` says
what each side should do next; ``render`` makes text of it.
"""

from gateway.smpp.explain.explaining import MAX_PDU_OCTETS, Table, explain, explain_all, one_line
from gateway.smpp.explain.model import Explanation, Row, as_json, escaped
from gateway.smpp.explain.render import render

__all__ = [
    "MAX_PDU_OCTETS",
    "Explanation",
    "Row",
    "Table",
    "as_json",
    "escaped",
    "explain",
    "explain_all",
    "one_line",
    "render",
]
