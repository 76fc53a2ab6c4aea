"""The settings file: what is wrong is said in one line that names the key and the nearest right one."""

import copy

import pytest

from gateway.settings import SettingsError, parse_settings, read_settings, split_address

FILE = """
store = "sqlite:///var/starpound.db"
[admin]
listen = "127.0.0.1:8106"
[[links]]
name = "ussdc"
role = "esme"
connect = "127.0.0.1:2775"
system_id = "gw"
password = "secret"
bind = "transceiver"
dialect = "spec"
window = 64
"""


def tables(**changes):
    link = {"name": "ussdc", "connect": "127.0.0.1:2775", "system_id": "gw", "password": "secret"}
    return copy.deepcopy({"store": "sqlite:///x.db", "links": [link | changes]})


def test_the_file_of_the_manual_is_read(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text(FILE, "utf-8")
    settings = read_settings(path)
    assert settings.links[0].window == 64
    assert settings.links[0].secret == "secret"
    assert settings.admin.listen == "127.0.0.1:8106"


def test_the_password_is_not_in_the_repr():
    assert "secret" not in repr(parse_settings(tables()))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"windw": 3}, "unknown key links.0.windw; did you mean window?"),
        ({"window": 0}, "links.0.window: Input should be greater than or equal to 1 (it is 0)"),
        ({"window": "64"}, "links.0.window: Input should be a valid integer (it is '64')"),
        ({"connect": "ussdc"}, "links.0.connect.0: 'ussdc' is no HOST:PORT"),
        ({"password_env": "X"}, "links.0: give exactly one of password, password_file, password_env"),
        (
            {"bind": "both"},
            "links.0.bind: Input should be 'transceiver', 'pair' or 'transmitter' (it is 'both')",
        ),
        ({"system_id": "a" * 16}, "links.0.system_id: String should have at most 15 characters"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(change, said):
    with pytest.raises(SettingsError) as error:
        parse_settings(tables(**change), "gateway.toml")
    assert str(error.value).startswith(f"gateway.toml: {said}")
    assert "\n" not in str(error.value)


def test_a_wrong_password_is_not_repeated():
    with pytest.raises(SettingsError) as error:
        parse_settings(tables(password="much-too-long"))
    assert "much" not in str(error.value)


def test_unknown_key_at_the_top():
    with pytest.raises(SettingsError, match="unknown key stor; did you mean store\\?"):
        parse_settings(tables() | {"stor": "x"})


def test_two_links_of_one_name():
    two = tables()
    two["links"] *= 2
    with pytest.raises(SettingsError, match="two links have the same name"):
        parse_settings(two)


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[31m"])
def test_a_name_can_be_printed(name):
    """Without one the quarantine has what came by nobody's link."""
    with pytest.raises(SettingsError, match=r"links\.0\.name: "):
        parse_settings(tables() | {"links": [tables()["links"][0] | {"name": name}]})


def test_no_toml(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text("store = \n")
    with pytest.raises(SettingsError, match=r"gateway\.toml: not TOML: .*line 1"):
        read_settings(path)


def test_no_file(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        read_settings(tmp_path / "none.toml")


def test_password_from_a_file_and_from_the_environment(tmp_path, monkeypatch):
    link = tables()["links"][0]
    del link["password"]
    (tmp_path / "password").write_text("hidden\n")
    monkeypatch.setenv("GW_PASSWORD", "unseen")
    from_file = parse_settings(
        {"store": "s", "links": [link | {"password_file": str(tmp_path / "password")}]}
    )
    from_env = parse_settings({"store": "s", "links": [link | {"password_env": "GW_PASSWORD"}]})
    assert (from_file.links[0].secret, from_env.links[0].secret) == ("hidden", "unseen")


def test_a_password_file_that_is_not_there():
    link = tables()["links"][0] | {"password_file": "/nowhere/password"}
    del link["password"]
    settings = parse_settings({"store": "s", "links": [link]})
    with pytest.raises(SettingsError, match=r"links\.ussdc\.password_file: .*No such file"):
        _ = settings.links[0].secret


@pytest.mark.parametrize(("text", "pair"), [("h:1", ("h", 1)), ("[::1]:2775", ("::1", 2775))])
def test_addresses(text, pair):
    assert split_address(text) == pair


def test_a_single_bracket_does_not_show_the_password():
    with pytest.raises(SettingsError, match=r"^settings: links: a list is wanted: .*\[\[…\]\]") as error:
        parse_settings(tables() | {"links": tables()["links"][0]})
    assert "secret" not in str(error.value)
