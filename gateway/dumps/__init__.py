"""Octets that somebody has recorded: captures of the network, and dumps in text of whatever form."""
