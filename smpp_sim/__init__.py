"""The other end of the wire: an SMSC and USSD centre with phones, for trying gateways on, ours and others'.

Module map, from the phone to the outside:

``keypad``      which codes a phone sends, which it keeps, which are calls
``handset``     one phone's display: one dialogue, boxes one behind the other
``inbox``       received SMS, long ones put together
``events``      what happened on a phone, numbered, for everybody who watches
``station``     a phone with all of these
``delivery``    what waits for an ESME, in order, until it has said that it took it
``messages``    SMS and receipts as PDUs
``network``     all phones and dialogues, their timers; no I/O, no clock
``requests``    what is answered to submit_sm and the others
``link``        one ESME's connection
``centre``      the SMSC: listens, joins network and links
``mailbox``     an SMTP server that keeps what it gets
``api``         control over HTTP and WebSocket; ``remote`` is its client
``simulator``   all of it, started and stopped together; ``phone`` is a phone for tests in the same process
``esme``        a tester's ESME on smpplib
``transcript``  conversations as text
``load``        load
"""
