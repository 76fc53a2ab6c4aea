"""Simulator and phones in the hand of a test.

``phone`` is for tests that run in the simulator's own loop; ``smsc`` (a simulator in a thread of its own) and
``held_phone`` are for tests that are plain functions, and behind the pytest plugin.
"""
