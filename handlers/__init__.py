"""The operations of the service, a module per subject.

They answer in codes and values; the words are the menus'.
"""
