"""The other end of the wire: an SMSC and USSD centre with phones, for trying gateways on, ours and others'.

Module map, from the phone to the outside:

``keypad``      which codes a phone sends, which it keeps, which are calls
``handset``     one phone's display: one dialogue, boxes one behind the other
``inbox``       received SMS, long ones put together
``events``      what happened on a phone, numbered, for everybody who watches
``station``     a phone with all of these
``delivery``    what waits for an ESME, in order, until it has said that it took it
``messages``    SMS and receipts as PDUs
``wire_time``   times as SMPP writes them
``sent_sms``    a message of an ESME and its states; ``message_centre`` has all of them, until they are on their phones
``network``     all phones and dialogues, their timers; no I/O, no clock
``requests``    what is answered to submit_sm and the others
``admission``   who may bind
``link``        one connection
``calling``     connections that the centre opens itself: outbind, and binding as an ESME
``centre``      the SMSC: listens, joins network and links
``mailbox``     an SMTP server that keeps what it gets
``api``         control over HTTP and WebSocket (``api_…`` are its parts); ``remote`` is its client
``settings``    what can be set; ``config`` reads it from a file, ``tls`` makes contexts of it
``simulator``   all of it, started and stopped together; ``phone`` is a phone for tests in the same process
``esme``        a tester's ESME on smpplib
``transcript``  conversations as text; ``recorder`` writes one down, ``replay`` plays one, ``transcript_diff`` compares
``smsc``        a simulator in a thread of its own, ``held_phone`` a phone for tests that are plain functions;
                ``pytest_plugin`` makes fixtures of both, ``pytest_entry`` is what pytest finds
``load``        load
"""
