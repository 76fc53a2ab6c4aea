"""The SMPP 3.4 core: octets in, events out, and back again. No I/O, no clock, no randomness.

From the wire upwards:

``vocabulary``   the numbers of the specification and their names
``fields``       what the body of a PDU is made of
``codec``        turns the field table of a PDU into one encoder and one decoder
``pdu``          a dataclass for each command; ``encode`` and ``decode``
``answers``      responses that hold nothing but a status
``framing``      cuts a stream of octets into PDUs, names protocols that are not SMPP; the digest that tells PDUs apart
``states``       Table 2-1 as data: who may issue what, and when
``window``       requests that wait for their response
``older_peers``  what a peer of SMPP 3.3 can read
``settings``     the numbers of a session
``events``       what a session tells the program that runs it
``sending``      the half of a session that sends: what may go out, and what is registered before it does
``session``      one connection, either role: what comes in, binds, timers, the close
``credentials``  the SMSC's check of system_id and password
``gsm7``         GSM 03.38, unpacked and packed
``national``     its national language tables
``text``         alphabets, data_coding, lengths
``graphemes``    between which characters a text may be cut
``user_data_header``, ``long_messages``  parts of long messages, out and in
``receipts``     delivery receipts in text and in TLV form
``errors``       one small tree

"The specification" throughout is *Short Message Peer to Peer Protocol Specification v3.4*, 12-Oct-1999, Issue 1.2,
and page numbers are its own. "Case F3" and the like are the numbered cases of docs/reference/conformance.md.
"""
