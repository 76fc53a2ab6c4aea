"""The other end of the wire: an SMSC and USSD centre with phones, for trying gateways on, ours and others'.

Each of these rooms knows only those above it:

``phones``       what is in a subscriber's hand: keypad, display, inbox, and what happened on it; no network
``centre``       the SMSC and USSD centre: binds, dialogues, messages, receipts
``transcripts``  conversations as text: written down, played, compared
``scenarios``    many subscribers and what goes wrong meanwhile, from a seed
``load``         as many turns a second as the other end can take
``api``          control over HTTP and WebSocket, and the pages in ``static``
``simulator``    starts and stops all of it together
``commands``     ``starpound sim`` and the others

``settings`` is what can be set, ``config`` reads it from a file, ``tls`` makes contexts of it. ``trace`` keeps what the
wire did, ``trace_facts`` words it; ``watching`` is for those who wait for more of it, or of a phone's events, ``alarm``
the timer of what has a deadline. ``mailbox`` is an SMTP server that keeps what it gets, ``remote`` the control API from
its other end, ``esme`` a tester's ESME on smpplib.

Beside them, in ``pytest-starpound``, is a distribution of its own: phones in the hand of a test, which start a
simulator as a process and import nothing from here.
"""
