"""Which codes reach us: TS 22.030 Annex B and 6.5.3.2."""

import pytest

from menus.mmi import trouble_with_code

REACH_US = """
    *105# *105*00# *100# *115# #105# *#105# *105*503*{number}*1# *115*100#9220000000# *210# *6161# *3600# *76543# *0#
    7 22 00 01
"""
OF_THE_NETWORK = """
    *21# #21# *#21# **21*79260000000# ##21# ##002# **004*1*11*20# *43# *#43# #31#9260000000# *30# *33*0000*11#
    #330*0000# *353# *#06# **04*1*2*2# **05*1*2*2# *03**1*2*2# **052*1*2*2# *66# *88# *96# *214# *370# *371*1# *595#
    *300# *361# *75# *750# **# *#
"""
NOT_SENT = ["", "105", "*105", "105#", "*1O5#", "10", "19", "*33", "*105*{number}", "*105 #", "*１０５#"]


@pytest.mark.parametrize("code", REACH_US.split())
def test_reaches_us(code: str):
    assert trouble_with_code(code) is None


@pytest.mark.parametrize("code", OF_THE_NETWORK.split())
def test_belongs_to_the_network(code: str):
    what, hint = trouble_with_code(code)
    assert "network" in what, what
    assert hint


@pytest.mark.parametrize("code", NOT_SENT)
def test_is_not_sent_as_ussd(code: str):
    what, _ = trouble_with_code(code)
    assert "does not send" in what, what
