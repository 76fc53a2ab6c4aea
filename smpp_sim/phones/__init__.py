"""What is in a subscriber's hand, without a network, a wire or a clock.

``keypad``   which codes a phone sends, which it keeps, which are calls
``handset``  the display: one dialogue, boxes one behind the other
``inbox``    received SMS, long ones put together
``events``   what happened on a phone, numbered, for everybody who watches
``facts``    a screen, an SMS, as these events have them
"""
