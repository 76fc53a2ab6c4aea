"""An SMSC and USSD centre with phones, in the hand of a test.

``process``  a process of ``starpound sim``, which ends with the one that started it
``control``  what it can be asked and told over HTTP
``smsc``     both together: the fixture ``smsc``
``phone``    one of its phones: the fixture ``phone``
``plugin``   the fixtures, and their settings

The standard library is all that it needs, besides pytest; nothing of starpound itself is imported.
"""
