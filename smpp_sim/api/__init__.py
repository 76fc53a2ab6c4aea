"""Control over HTTP and WebSocket, described for its users in docs/reference/simulator-api.md.

``app`` is the application, and what it says of phones; ``messages``, ``trace``, ``transcript`` and ``gateway`` are its
other parts, ``pages`` is the browser's. ``guard`` keeps strangers out, ``requests`` checks what comes in. ``remote`` is
the client.
"""
