"""Load: as many turns a second as the other end can take, timed.

``smsc`` is the end that puts the load on, a ``link`` one connection of it. ``run`` is one measurement, without a
socket or a clock, of ``scripts`` and ``dialogue``; ``arrivals`` says when dialogues begin, ``timer`` rings then.
``pdu`` makes and reads the few PDUs, ``dialect`` does so in the forms of other vendors. ``histogram`` and ``series``
count, ``report`` is what was measured; ``output``, ``html``, ``charts`` and ``view`` show it. ``answerer`` is the
cheapest ESME, to find the ceiling.
"""
