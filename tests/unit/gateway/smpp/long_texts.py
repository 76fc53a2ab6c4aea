"""Texts in every alphabet, and the messages that carry them in every form."""

from hypothesis import strategies as st

from gateway.smpp import pdu
from gateway.smpp.long_messages import LongForm, sms_parts

FORMS: tuple[LongForm, ...] = ("udh8", "udh16", "sar", "payload")
IN_PARTS = FORMS[:3]
ALPHABETS = ("gsm7", "gsm7-packed", "ucs2", "latin1", "iso8859-5", "ascii")
SAMPLES = {
    "gsm7": "abc {€}@\n",
    "gsm7-packed": "abc {€}@",
    "ucs2": "абв 😀e\u0301",
    "latin1": "aé ÿ",
    "iso8859-5": "абв x",
    "ascii": "abc *#",
}
texts = st.sampled_from(ALPHABETS).flatmap(
    lambda alphabet: st.tuples(
        st.just(alphabet), st.text(st.sampled_from(SAMPLES[alphabet]), min_size=100, max_size=700)
    )
)


def messages(text: str, alphabet: str, reference: int, form: LongForm) -> list[pdu.DeliverSm]:
    return [
        pdu.DeliverSm(short_message=part.short_message, esm_class=part.esm_class, tlvs=part.tlvs)
        for part in sms_parts(text, alphabet, reference, form)
    ]


def joined(alphabet: str) -> str:
    return "gsm7" if alphabet == "gsm7-packed" else alphabet
