"""The simulator's file of settings: all of it is read, and what is wrong is found by its line."""

import ast
import dataclasses
import inspect
import itertools
import re
import typing
from pathlib import Path

import pytest
from click.testing import CliRunner

from smpp_sim.commands.sim import sim
from smpp_sim.config import line_of, read_config
from smpp_sim.settings import (
    Account,
    BookEntry,
    ClientTls,
    NetworkSettings,
    ServerTls,
    SimulatorError,
    SimulatorSettings,
)

EXAMPLE = """\
smpp_port = 2776
smtp_port = 8025
receipt_first = true
tls = {certificate = "centre.pem"}

[network]
user_s = 30
unknown_numbers = ["7999"]

[network.distribution_lists]
family = ["79260000001", "79260000002"]

[[accounts]]
system_id = "gw"
password = "secret"
dialect = "huawei"
serves = ["*100#", "0"]
binds = ["receiver", "transmitter"]
networks = ["127.0.0.0/8"]
max_sessions = 2

[[accounts]]
system_id = "ussdc"
password = "money"
connect = "127.0.0.1:2775"
deliver_by = "data_sm"

[accounts.tls]
ca = "ca.pem"
"""


def written(folder, text):
    path = folder / "sim.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_is_read(tmp_path):
    assert read_config(written(tmp_path, EXAMPLE)) == SimulatorSettings(
        smpp_port=2776,
        smtp_port=8025,
        receipt_first=True,
        tls=ServerTls(certificate="centre.pem"),
        network=NetworkSettings(
            user_s=30,
            unknown_numbers=("7999",),
            distribution_lists={"family": ("79260000001", "79260000002")},
        ),
        accounts=(
            Account(
                "gw",
                "secret",
                dialect="huawei",
                serves=("*100#", "0"),
                binds=("receiver", "transmitter"),
                networks=("127.0.0.0/8",),
                max_sessions=2,
            ),
            Account(
                "ussdc",
                "money",
                connect="127.0.0.1:2775",
                deliver_by="data_sm",
                tls=ClientTls(ca="ca.pem"),
            ),
        ),
    )


def test_the_example_in_the_documentation_is_right(tmp_path):
    page = Path(__file__).parents[3] / "docs/how-to/set-up-the-simulator.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    settings = read_config(written(tmp_path, example))
    assert [account.system_id for account in settings.accounts] == ["gw", "night", "ussdc"]
    assert settings.tls.require_client_certificate


def test_an_empty_file_is_what_there_is_without_one(tmp_path):
    assert read_config(written(tmp_path, "")) == SimulatorSettings()


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("smpp_port = 2776", "smppport = 2776", 1, "unknown key smppport; did you mean smpp_port"),
        ("smpp_port = 2776", 'smpp_port = "many"', 1, "smpp_port: .*integer.*'many'"),
        ("user_s = 30", "users = 30", 7, r"unknown key network.users; did you mean user_s\?"),
        (
            'password = "money"',
            'pasword = "money"',
            24,
            "unknown key accounts.1.pasword; did you mean password",
        ),
        ('system_id = "ussdc"\n', "", 22, "accounts.1.system_id is missing"),
        ('"receiver", ', '"reciever", ', 18, "accounts.0.binds.0: .*'receiver'"),
        ('ca = "ca.pem"', 'ca_file = "ca.pem"', 29, "unknown key accounts.1.tls.ca_file"),
        ("user_s = 30", "user_s = ", 7, "not TOML: .*line 7"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, old, new, line, says):
    path = written(tmp_path, EXAMPLE.replace(old, new, 1))
    with pytest.raises(SimulatorError, match=says) as problem:
        read_config(path)
    message = str(problem.value)
    assert "\n" not in message
    assert message.startswith(f"{path}:{line}: ") or f"line {line}," in message, message
    assert "money" not in message, "a password is nobody's business"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('system_id = "ussdc"', 'system_id = "gw"', "two accounts have the same system_id"),
        ('password = "money"', 'password = "far too long"', "a password at most 8"),
        ("[network]", 'http_host = "0.0.0.0"\n[network]', "would be open to everybody"),
    ],
)
def test_settings_that_do_not_go_together(tmp_path, old, new, says):
    with pytest.raises(SimulatorError, match=f"sim.toml: .*{says}"):
        read_config(written(tmp_path, EXAMPLE.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("content", "says"), [(None, "No such file"), (b"\xff\xfe", "not TOML"), (b"a = 1\na = 2", "not TOML")]
)
def test_a_file_that_cannot_be_read(tmp_path, content, says):
    path = tmp_path / "sim.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SimulatorError, match=f"sim.toml: {says}"):
        read_config(path)


def test_a_line_that_is_not_there_is_the_first():
    assert line_of("", ("smpp_port",)) == 1
    assert line_of('[a]\n"b c" = 1', ("x", 0)) == 1


@pytest.mark.parametrize(
    "table", [SimulatorSettings, NetworkSettings, Account, BookEntry, ServerTls, ClientTls]
)
def test_every_setting_says_what_it_is(table):
    """The texts under the fields are what a reference page is made of."""

    body = ast.parse(inspect.getsource(table)).body[0].body
    told = {
        field.target.id
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
    assert {field.name for field in dataclasses.fields(table)} <= told
    assert typing.get_type_hints(table)


# --- the command --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--config", "nowhere.toml"], "nowhere.toml: No such file"),
        (["--tls-key", "key.pem"], "--tls-key without --tls-cert"),
        (["--tls-cert", "nowhere.pem"], "TLS: certificate nowhere.pem: No such file"),
        (["--dialect", "huawai"], "did you mean huawei"),
        (["--password", "far too long"], "a password at most 8"),
    ],
)
def test_a_wrong_call_is_one_line(arguments, says):
    outcome = CliRunner().invoke(sim, [*arguments, "--smpp-port", "0", "--http-port", "0"])
    assert outcome.exit_code == 2
    assert says in outcome.output
    assert outcome.output.count("\n") == 1


def test_options_for_one_account_do_not_fit_a_file_with_several(tmp_path):
    path = written(tmp_path, EXAMPLE)
    outcome = CliRunner().invoke(sim, ["--config", str(path), "--system-id", "gw"])
    assert (outcome.exit_code, "this file has several" in outcome.output) == (2, True)
