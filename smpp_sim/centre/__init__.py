"""The SMSC and USSD centre, from the phones to the socket.

``station``    a phone with what the network keeps about it
``network``    all phones and dialogues, their timers; no I/O, no clock
``deadlines``  when which of the dialogues is over
``routing``    which ESME a code or a number goes to, and which dialogue a message of an ESME
``delivery``   what waits for an ESME, in order, until it has said that it took it
``messages``   SMS and receipts as PDUs; ``wire_time`` has times as SMPP writes them
``sent_sms``   a message of an ESME and its states; ``message_centre`` keeps all of them until they are on their phones
``requests``   what is answered to submit_sm and the others
``admission``  who may bind
``link``       one connection; ``calling`` opens those that the centre opens itself (outbind, binding as an ESME)
``centre``     listens, joins network and links; ``faults`` is the port for what goes wrong in it
``held_phone`` a phone in the hand of whoever runs in the same loop
"""
