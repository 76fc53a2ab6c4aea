"""A link: connections to a centre, what comes in by them and what leaves."""
