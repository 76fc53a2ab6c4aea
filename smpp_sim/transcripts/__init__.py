"""Conversations as text.

``transcript`` reads and writes the format, ``recorder`` writes a phone's down, ``replay`` plays one on a running
simulator, ``diff`` compares what was expected with what was seen.
"""
