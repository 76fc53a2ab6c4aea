"""The SMPP 3.4 core: octets in, events out, and back again. No I/O, no clock, no randomness.

Module map, from the wire upwards:

``vocabulary``   the numbers of the specification and their names (status codes, commands, TLV tags)
``fields``       what a PDU body is made of: C-strings, integers, octets, lists
``codec``        turns a class's field table into one encoder and one decoder
``pdu``          a dataclass for each command; ``encode`` and ``decode``
``framing``      cuts a stream of octets into PDUs, names protocols that are not SMPP
``states``       Table 2-1 as data: who may issue what, and when
``events``       what a session tells the program that runs it
``session``      one connection, either role: states, windows, timers
``credentials``  the SMSC's check of system_id and password
``text``         alphabets and data_coding
``concatenation`` long messages: user data headers, splitting without breaking a character
``receipts``     delivery receipts in text and in TLV form

"The specification" throughout is *Short Message Peer to Peer Protocol Specification v3.4*, 12-Oct-1999,
Issue 1.2; page numbers are its own.
"""
