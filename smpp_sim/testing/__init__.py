"""Simulator and phones in the hand of a test.

``smsc`` (a simulator in a thread of its own) and ``held_phone`` are for tests that are plain functions, and behind the
pytest plugin.
"""
