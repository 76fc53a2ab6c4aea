"""Many subscribers and what goes wrong meanwhile, from a seed.

``scenario`` is the shape, ``file`` reads it from YAML. ``arrivals`` and ``faults`` draw from it, without a wire or a
clock; ``faults_link`` does the faults between sessions and sockets. ``run`` plays a scenario on a centre, ``judge``
watches what the ESME does wrong, ``summary`` says what came of it.
"""
