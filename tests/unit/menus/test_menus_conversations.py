"""Conversations with the self-care menu, word for word."""

import pytest

from menus.turns import WHOLE, Answer, Begin, Dialogue, End, Notified, Returned, Show, Text
from tests.unit.menus.scene import CITY_100, CITY_300, CITY_500, EN, LATIN, MUSIC, OUTCOMES, RU, Phone, name


def screen(*lines: str) -> str:
    return "\n".join(lines)


# -------------------------------------------------------------------------------------------- password


def test_password_is_confirmed_with_an_empty_answer(phone: Phone):
    asked = phone.dial("*105*00#")
    assert asked == Show("Ваш запрос обрабатывается. Нажмите OK, и пароль придёт в SMS.", "password.confirm")
    assert phone.calls == []

    assert phone.answer("") == End("Пароль отправлен.", "password.sent")
    assert phone.calls == [("password.issue", {})]
    assert phone.dialogue == Dialogue()


@pytest.mark.parametrize("ok", ["", " ", "ok", "OK", "ОК", "1", "1 "])
def test_ok_may_be_typed(phone: Phone, ok: str):
    assert phone.dial("*105*00#", ok).node == "password.sent"


def test_cancel_issues_nothing_and_says_nothing(phone: Phone):
    phone.dial("*105*00#")
    assert phone.cancel() == End("", "password.confirm")
    assert phone.calls == []
    assert phone.dialogue == Dialogue()


@pytest.mark.parametrize("answer", ["0", "00"])
def test_back_and_home_issue_nothing(phone: Phone, answer: str):
    assert phone.dial("*105*00#", answer).node == "root"
    assert phone.calls == []


def test_password_too_often_counts_minutes_in_the_accusative(phone: Phone):
    phone.replies["password.issue"] = Returned("too_often", {"minutes": 21})
    said = phone.dial("*105*00#", "")
    assert said == End(
        "Пароль недавно отправляли. Следующий можно получить через 21 минуту.", "password.too_often"
    )


def test_password_by_empty_sms_is_answered_by_the_password_itself(phone: Phone):
    assert phone.text("000110", "") == End("", "password.by_sms.accepted")
    assert phone.calls == [("password.issue", {})]


def test_password_by_sms_that_is_refused_says_so(phone: Phone):
    phone.replies["password.issue"] = Returned("blocked", {})
    assert phone.text("000110").text.startswith("Номер заблокирован")


def test_words_to_the_password_number_get_a_hint_and_no_password(phone: Phone):
    said = phone.text("000110", "пароль")
    assert said == End(
        "Чтобы получить пароль, отправьте сюда пустое SMS или наберите *105*00#", "password.hint"
    )
    assert phone.calls == []


def test_password_message(selfcare):
    assert selfcare.senders["password.issued"] == "000110"
    values = {"login": "9260000003", "password": "k7-{m}«x»"}
    assert selfcare.message("password.issued", values, RU) == "Логин 9260000003, пароль k7-{m}«x»"
    assert selfcare.message("password.issued", values, LATIN) == "Login 9260000003, parol k7-{m}«x»"
    assert selfcare.message("password.issued", values, EN) == "Login 9260000003, password k7-{m}«x»"


# --------------------------------------------------------------------------------------------- balance


def test_balance(phone: Phone):
    assert phone.dial("*100#") == End("На счёте 1 250,50 руб.", "balance.private")
    phone.display = LATIN
    assert phone.dial("*100#").text == "Na schete 1 250,50 rub."
    phone.display = EN
    assert phone.dial("*100#").text == "Your balance is 1,250.50 rub."


def test_balance_of_an_employee_is_his_budget(phone: Phone):
    phone.replies["balance.show"] = Returned("corporate", {})
    assert phone.dial("*100#") == End(
        "У вас корпоративный номер. Ваш личный бюджет: *105*1*1#", "balance.corporate"
    )
    expected = screen("Бюджет 1 500 руб.", "Осталось 1 234,50 руб.", "Общий счёт 123 456,00 руб.")
    assert phone.dial("*105*1*1#") == End(expected, "budget.budget")


def test_from_the_menu_an_employee_is_led_to_his_budget(phone: Phone):
    phone.replies["balance.show"] = Returned("corporate", {})
    assert phone.dial("*105#", "1").node == "budget.budget"
    assert [call for call, _ in phone.calls] == ["balance.show", "balance.budget"]


@pytest.mark.parametrize("text", ["", "?", "баланс", "🙂"])
def test_any_sms_to_the_balance_number(phone: Phone, text: str):
    assert phone.text("000100", text) == End("На счёте 1 250,50 руб.", "balance.private")


@pytest.mark.parametrize(("to", "text"), [("000100", ""), ("000100", "?"), ("000105", "БАЛАНС")])
def test_an_employee_who_asks_by_sms_gets_his_budget(phone: Phone, to: str, text: str):
    phone.replies["balance.show"] = Returned("corporate", {})
    assert phone.text(to, text).node == "budget.budget"


# -------------------------------------------------------------------------------------------- packages


def test_packages(phone: Phone):
    expected = screen("До 1 сентября:", "321 минута из 400", "87 SMS из 100", "9 216 МБ из 10 240")
    assert phone.dial("*105*2#") == End(expected, "packages.left")
    phone.display = LATIN
    expected = screen("Do 1 sentyabrya:", "321 minuta iz 400", "87 SMS iz 100", "9 216 MB iz 10 240")
    assert phone.dial("*105*2#").text == expected
    phone.display = EN
    expected = screen("Left until 1 September:", "321 minutes of 400", "87 SMS of 100", "9,216 MB of 10,240")
    assert phone.dial("*105*2#").text == expected


@pytest.mark.parametrize("command", ["ОСТАТОК", "остаток", " Остаток. ", "REST", "ostatok"])
def test_packages_by_sms(phone: Phone, command: str):
    assert phone.text("000105", command).node == "packages.left"


# --------------------------------------------------------------------------------------------- options


def test_root_fits_one_screen(phone: Phone):
    expected = screen("Сервис-Гид «Звезда»", "1 Баланс", "2 Остатки", "3 Опции", "4 Пароль", "5 Настройки")
    assert phone.dial("*105#") == Show(expected, "root")


def test_an_option_is_found_in_the_catalogue_and_switched_on(phone: Phone):
    assert phone.dial("*105#", "3") == Show(
        screen("Опции", "1 Подключённые", "2 Каталог", "0 Назад"), "options"
    )
    assert phone.answer("2") == Show(
        screen("Каталог", "1 Семья", "2 Развлечения", "3 Межгород", "4 Общение и связь", "9 Далее"),
        "options.categories.list",
    )
    assert phone.answer("3") == Show(
        screen("1 География вызова: Город 100", "2 География вызова: Город 300", "9 Далее"),
        "options.catalogue.list",
    )
    assert phone.calls[-1] == ("options.catalogue", {"category": "long-distance"})
    assert phone.answer("9").text == screen("1 География вызова: Город 500", "0 Назад")
    phone.replies["options.check"] = Returned("possible", CITY_500)
    assert phone.answer("1") == Show(
        screen("География вызова: Город 500", "№ 500, в месяц 1 000 руб.", "1 Подключить", "0 Назад"),
        "options.check.possible",
    )
    assert phone.calls[-1] == ("options.check", {"number": 500})
    said = phone.answer("1")
    assert phone.calls[-1] == ("options.on", {"number": 500})
    assert said == End(
        screen("Подключено: «География вызова: Город 100», 300 руб.", "Баланс 950,50 руб."), "options.on.on"
    )


def test_prices_stand_beside_the_names_where_one_screen_holds_all(phone: Phone):
    free = {"number": 43, "name": name("Только звонки", "Calls only"), "fee_kopecks": 0}
    phone.replies["options.catalogue"] = Returned("list", {"items": [MUSIC, free]})
    shown = phone.dial("*105*3#", "2", "2")
    assert shown.text == screen("1 Музыка, 99 руб.", "2 Только звонки, бесплатно", "0 Назад")
    phone.replies["options.catalogue"] = Returned("list", {"items": [MUSIC, free, CITY_100]})
    shown = phone.dial("*105*3#", "2", "2")
    assert shown.text == screen("1 Музыка", "2 Только звонки", "3 География вызова: Город 100", "0 Назад")


def test_what_costs_nothing_is_free(phone: Phone):
    free = {"number": 43, "name": name("Только звонки", "Calls only"), "fee_kopecks": 0}
    phone.replies["options.on"] = Returned("on_contract", free)
    assert phone.dial("*105*503*43*1#").text == "Подключено: «Только звонки», бесплатно"
    phone.display = EN
    assert phone.dial("*105*503*43*1#").text == '"Calls only" is on for free.'


def test_an_employee_is_told_what_is_left_of_his_budget(phone: Phone):
    ordered = {"name": CITY_500["name"], "fee_kopecks": 100_000, "left_kopecks": 0}
    phone.replies["options.on"] = Returned("on_budget", ordered)
    said = phone.dial("*105*503*500*1#").text
    assert said == screen("Подключено: «География вызова: Город 500», 1 000 руб.", "Остаток 0 руб.")
    phone.replies["options.on"] = Returned("no_budget", ordered)
    said = phone.dial("*105*503*500*1#").text
    assert said == "«География вызова: Город 500» стоит 1 000 руб., а в бюджете 0 руб."


def test_back_from_the_question_lists_the_same_category_again(phone: Phone):
    phone.dial("*105*3#", "2", "3", "1")
    assert phone.answer("0").node == "options.catalogue.list"
    assert phone.calls[-1] == ("options.catalogue", {"category": "long-distance"})
    assert phone.answer("0").node == "options.categories.list"
    assert phone.answer("0").node == "options"
    assert phone.answer("0").node == "root"
    assert phone.answer("0").node == "root"


def test_what_was_listed_is_not_kept_when_it_is_off_the_screen(phone: Phone):
    phone.dial("*105*3#", "2", "3", "1")
    assert "items" not in phone.dialogue.values
    phone.dial("*105*3#", "1", "0")
    assert phone.dialogue.values == {}


def test_home_forgets_everything(phone: Phone):
    phone.dial("*105*3#", "2", "3", "1")
    assert phone.answer("00").node == "root"
    assert phone.dialogue == Dialogue("root", WHOLE, meaning=phone.menu.meanings["root"])


def test_replacement_is_said_before_it_is_done(phone: Phone):
    phone.replies["options.check"] = Returned("replaces", {**CITY_300, "other": CITY_100["name"]})
    asked = phone.dial("*105*3#", "2", "3", "2")
    assert asked.node == "options.check.replaces"
    assert asked.text == screen("География вызова: Город 300", "№ 300, в месяц 750 руб.", "9 Далее")
    asked = phone.answer("9")
    assert asked.text == screen("Вместо: География вызова: Город 100", "1 Заменить", "0 Назад")
    phone.replies["options.on"] = Returned("replaced", OUTCOMES["options.on"]["replaced"])
    said = phone.answer("1")
    assert said.node == "options.on.replaced"
    assert said.text == "Подключено вместо опции 100: «География вызова: Город 500», 1 000 руб."


def test_nothing_is_replaced_by_a_key_that_is_not_on_the_screen(phone: Phone):
    """«1 Заменить» stands on the second page: on the first, 1 costs nothing."""
    phone.replies["options.check"] = Returned("replaces", {**CITY_300, "other": CITY_100["name"]})
    first = phone.dial("*105*3#", "2", "3", "2")
    assert "Заменить" not in first.text
    repeated = phone.answer("1")
    assert repeated.text == screen("Нет такого.", first.text)
    assert "options.on" not in [operation for operation, _ in phone.calls]
    assert "1 Заменить" in phone.answer("9").text
    phone.answer("1")
    assert phone.calls[-1] == ("options.on", {"number": 300})


def test_my_options_can_be_switched_off(phone: Phone):
    assert phone.dial("*105*3#", "1").text == screen(
        "Подключены:", "1 География вызова: Город 100", "2 Музыка", "0 Назад"
    )
    assert phone.answer("2").text == screen("Музыка", "В месяц 99 руб.", "1 Отключить", "2 Статус", "0 Назад")
    assert phone.answer("1") == Show(
        screen("Отключить «Музыка»?", "Остаток пропадёт.", "1 Да", "0 Назад"), "options.off.confirm"
    )
    assert phone.answer("0").node == "options.mine.one"
    phone.replies["options.off"] = Returned("off", {"name": MUSIC["name"]})
    phone.answer("1")
    assert phone.calls[-1][0] == "options.mine", "nothing is off before it is confirmed"
    assert phone.answer("1") == End("Отключено: «Музыка»", "options.off.off")
    assert phone.calls[-1] == ("options.off", {"number": 21})


def test_no_options_yet(phone: Phone):
    phone.replies["options.mine"] = Returned("none", {})
    assert phone.dial("*105*3#", "1").text == screen("Опций пока нет.", "1 Каталог", "0 Назад")
    assert phone.answer("1").node == "options.categories.list"


@pytest.mark.parametrize(
    ("code", "operation", "node"),
    [
        ("*105*503*100*1#", "options.on", "options.on.on"),
        ("*105*503*100*0#", "options.off", "options.off.off"),
        ("*105*503*100*2#", "options.status", "options.status.on"),
    ],
)
def test_one_option_by_its_published_code(phone: Phone, code: str, operation: str, node: str):
    assert phone.dial(code).node == node
    assert phone.calls == [(operation, {"number": "100"})]


def test_status(phone: Phone):
    assert phone.dial("*105*503*100*2#").text == screen(
        "«География вызова: Город 100», № 100", "Подключено с 21 сентября 2026 г."
    )
    phone.display = EN
    assert phone.dial("*105*503*100*2#").text == (
        '"Call geography: City 100", No. 100, has been on since 21 September 2026.'
    )
    phone.display = LATIN
    assert phone.dial("*105*503*100*2#").text == screen(
        '"Geografiya vyzova: Gorod 100", N 100', "Podklyucheno s 21 sentyabrya 2026 g."
    )


def test_status_offers_the_code_of_what_can_be_had(phone: Phone):
    phone.replies["options.status"] = Returned("off", {"number": 21, "name": MUSIC["name"]})
    assert phone.dial("*105*503*0021*2#").text == screen(
        "Не подключено: «Музыка»", "Подключить: *105*503*21*1#"
    )
    phone.replies["options.status"] = Returned("unavailable", {"name": MUSIC["name"]})
    assert phone.dial("*105*503*21*2#").text == "Не подключено: «Музыка»"


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        ("ВКЛ 100", "options.on"),
        ("вкл  100", "options.on"),
        ("ON 100", "options.on"),
        ("VKL 100", "options.on"),
        ("ВКЛ100", "options.on"),
        ("Вкл 100?", "options.on"),
        ("ВКЛ 100 !!", "options.on"),
        ("on100.", "options.on"),
        ("ОТКЛ 100", "options.off"),
        ("off 100", "options.off"),
        ("otkl 100", "options.off"),
        ("СТАТУС 100", "options.status"),
    ],
)
def test_one_option_by_sms(phone: Phone, command: str, operation: str):
    assert isinstance(phone.text("000105", command), End)
    assert phone.calls == [(operation, {"number": "100"})]


def test_my_options_by_sms_are_one_text_with_their_numbers(phone: Phone):
    phone.replies["options.mine"] = Returned("list", {"items": [CITY_100, CITY_300, CITY_500, MUSIC]})
    said = phone.text("000105", "опции")
    assert isinstance(said, End)
    assert said.text == screen(
        "Подключены:",
        "100 География вызова: Город 100, 300 руб.",
        "300 География вызова: Город 300, 750 руб.",
        "500 География вызова: Город 500, 1 000 руб.",
        "21 Музыка, 99 руб.",
        "Отключить: ОТКЛ и номер опции",
    )


def test_the_catalogue_by_sms_is_one_text_with_numbers_and_prices(phone: Phone):
    for command in ("КАТАЛОГ", "catalogue", "Catalog?", "KATALOG"):
        assert phone.text("000105", command).node == "sms.catalogue.list"
    assert phone.text("000105", "каталог").text == screen(
        "Каталог, цены за месяц:",
        "21 Музыка, 99 руб.",
        "100 География вызова: Город 100, 300 руб.",
        "300 География вызова: Город 300, 750 руб.",
        "500 География вызова: Город 500, 1 000 руб.",
        "Подключить: ВКЛ и номер опции",
    )


@pytest.mark.parametrize("command", ["ОПЦИИ", "OPTSII", "OPCII", "opcii!", "options"])
def test_my_options_by_sms_however_they_are_spelled(phone: Phone, command: str):
    assert phone.text("000105", command).node == "sms.options.list"


# -------------------------------------------------------------------------------------------- settings


def test_language_is_answered_in_the_new_one(phone: Phone):
    asked = phone.dial("*105*9#")
    assert asked.text.splitlines()[:3] == ["Настройки", "1 По-русски", "2 In English"]
    first = phone.dialogue
    assert phone.answer("2") == End("Готово, пишем по-русски.", "settings.language.changed")
    assert phone.calls == [("settings.language", {"language": "en"})]
    phone.dialogue, phone.display = first, EN  # as after the operation has changed the subscriber
    assert phone.turn(Begin("*105*9#")).text.startswith("Settings")
    assert phone.answer("2").text == "Done, we write in English now."


@pytest.mark.parametrize(
    ("command", "call"),
    [
        ("ЯЗЫК RU", ("settings.language", {"language": "ru"})),
        ("язык en", ("settings.language", {"language": "en"})),
        ("YAZYK RU", ("settings.language", {"language": "ru"})),
        ("jazyk en", ("settings.language", {"language": "en"})),
        ("LANG EN", ("settings.language", {"language": "en"})),
        ("ЛАТ", ("settings.script", {"script": "latin"})),
        ("lat", ("settings.script", {"script": "latin"})),
        ("КИР", ("settings.script", {"script": "cyrillic"})),
        ("CYR", ("settings.script", {"script": "cyrillic"})),
    ],
)
def test_settings_by_sms(phone: Phone, command: str, call: tuple):
    assert isinstance(phone.text("000105", command), End)
    assert phone.calls == [call]


# ------------------------------------------------------------------------------------- what is unknown


@pytest.mark.parametrize("text", ["", "?", "вкл", "вкл сто", "вкл 100 200", "вкл " + "1" * 16, "вкл ١٠٠"])
def test_unknown_command_lists_the_commands(phone: Phone, text: str):
    said = phone.text("000105", text)
    assert said.node == "sms.commands"
    assert said.text.startswith("Команды: БАЛАНС,")
    assert phone.calls == []


def test_every_command_of_the_list_is_understood(selfcare):
    for reader in (RU, LATIN, EN):
        listed = Phone(selfcare, reader).text("000105").text
        for command in (
            "ОСТАТОК",
            "OSTATOK",
            "REST",
            "ОПЦИИ",
            "OPTSII",
            "OPTIONS",
            "КАТАЛОГ",
            "KATALOG",
            "CATALOGUE",
            "ЛАТ",
            "LAT",
            "КИР",
            "KIR",
            "CYR",
        ):
            if command in listed:
                assert Phone(selfcare).text("000105", command).node != "sms.commands", command


@pytest.mark.parametrize(
    "code", ["*999#", "*105", "", "*105*503**1#", "*105*503*x*1#", "*105*503*" + "9" * 16 + "*1#"]
)
def test_unknown_code(phone: Phone, code: str):
    assert phone.dial(code) == End("Такого кода у нас нет. Все услуги: *105#", "unknown_code")


def test_unknown_short_number(phone: Phone):
    assert phone.text("000999", "привет") == End(
        "На этом номере SMS не принимают. Все услуги: *105#", "unknown_sms"
    )


def test_a_new_dial_replaces_the_dialogue(phone: Phone):
    phone.dial("*105*3#", "2")
    assert phone.dial("*105*00#").node == "password.confirm"
    assert phone.dialogue == Dialogue(
        "password.confirm", WHOLE, meaning=phone.menu.meanings["password.confirm"]
    )


# --------------------------------------------------------------------------------------- wrong answers


def test_wrong_answers_repeat_the_screen_with_a_hint_and_the_third_ends(phone: Phone):
    phone.dial("*105*3#")
    for wrong in ("7", "да"):
        assert phone.answer(wrong) == Show(
            screen("Нет такого.", "Опции", "1 Подключённые", "2 Каталог", "0 Назад"), "options"
        )
    assert phone.answer("") == End("Не получилось. Начните заново, когда удобно: *105#", "enough")
    assert phone.dialogue == Dialogue()


def test_a_right_answer_makes_up_for_wrong_ones(phone: Phone):
    phone.dial("*105*3#", "7", "7")
    assert phone.answer("2").node == "options.categories.list"
    assert phone.dialogue.misses == 0
    assert isinstance(phone.answer("x"), Show)


def test_a_full_screen_is_repeated_as_it_is(phone: Phone):
    phone.replies["options.check"] = Returned("possible", CITY_500)
    shown = phone.dial("*105*3#", "2", "3", "1")
    assert len(shown.text) + len("Нет такого.\n") > 80
    assert phone.answer("8") == shown
    assert phone.answer("1").node == "options.on.on"


def test_a_wrong_answer_on_a_later_page_repeats_that_page(phone: Phone):
    first = phone.dial("*105*3#", "2", "3")
    assert "Город 100" in first.text
    shown = phone.answer("9")
    assert phone.answer("7").text == screen("Нет такого.", shown.text)
    phone.answer("1")
    assert phone.calls[-1] == ("options.check", {"number": 500})


def test_an_item_that_is_not_on_this_page_is_a_wrong_answer(phone: Phone):
    phone.dial("*105*3#", "2", "3")
    assert phone.answer("3").text.startswith("Нет такого.")


def test_nothing_more_is_a_wrong_answer(phone: Phone):
    assert phone.dial("*105*3#", "9").text.startswith("Нет такого.")


# ------------------------------------------------------------------------------------ between the turns


def test_late_answer_opens_nothing(phone: Phone):
    assert phone.answer("1") == End("Время ответа вышло. Наберите код ещё раз.", "expired")


def test_an_answer_at_a_node_that_is_gone_from_the_file(phone: Phone):
    phone.dialogue = Dialogue("node.of.yesterday", 2, 1, {"number": 1})
    assert phone.answer("1").node == "expired"
    assert phone.dialogue == Dialogue()


def test_a_seen_notice_shows_the_screen_again(phone: Phone):
    shown = phone.dial("*105#")
    assert phone.turn(Notified()) == shown
    assert Phone(phone.menu).turn(Notified()) == End("", "")


def test_abort_twice_is_harmless(phone: Phone):
    phone.dial("*105#")
    phone.cancel()
    assert phone.cancel() == End("", "")


def test_fewer_pages_than_before(phone: Phone):
    phone.dial("*105*3#", "2", "3", "9")
    phone.display = EN  # changed by SMS meanwhile: now everything has room on one screen
    assert phone.turn(Notified()).text.startswith("1 Call geography: City 100, 300 rub\n")
    assert isinstance(phone.turn(Answer("7")), Show)


def test_turns_share_nothing(selfcare):
    one, other = Phone(selfcare), Phone(selfcare, EN)
    one.dial("*105*3#", "2")
    other.dial("*105*00#")
    assert one.answer("3").node == "options.catalogue.list"
    assert other.answer("").node == "password.sent"


def test_a_text_is_not_respelled_when_it_is_data(phone: Phone):
    phone.display = LATIN
    assert phone.menu.words("failure", LATIN, {"reference": "Щ-7"}).endswith("Щ-7")
    assert phone.menu.words("unknown_subscriber", EN) == "This service is for subscribers of Zvezda only."


def test_sms_shows_whole_texts_without_navigation(phone: Phone):
    items = [{**CITY_100, "name": name(f"Опция {n}", f"Option {n}")} for n in range(40)]
    phone.replies["options.mine"] = Returned("list", {"items": items})
    said = phone.turn(Text("000105", "ОПЦИИ"))
    assert said.node == "sms.options.list"
    assert "Далее" in said.text  # on a screen it is paged
    said = phone.text("000105", "ОПЦИИ")
    assert "Далее" not in said.text
    assert said.text.count("\n") == 41
