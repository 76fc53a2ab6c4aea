"""A gateway in a process of its own, by USSD and SMS."""

from pathlib import Path


def test_menu(gateway, phone):
    phone.dial("*105#").expect("Сервис-Гид").answer("1").expect(r"На счёте [\d ]+,\d\d руб").ends()


def test_a_change_of_mind(gateway, phone):
    phone.dial("*105*00#").expect("Нажмите OK").cancels()
    phone.sms("000100").receives("На счёте")  # and no password has come before


def test_password_by_ussd(gateway, phone):
    phone.dial("*105*00#").expect("Нажмите OK").ok().ends("Пароль отправлен").receives(r"пароль \S{8,}")


def test_password_by_sms(gateway, phone):
    phone.sms("000110").receives(r"Пароль|пароль")


def test_a_transcript(gateway, smsc):
    smsc.replay(Path(__file__).with_name("balance.ussd"))
