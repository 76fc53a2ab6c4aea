"""What a read of the socket brought becomes turns: the unit of work, and the slow work that it promises."""
