"""TLS on links, both ways, with certificates of the test's own authority."""

import shutil
import ssl
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from gateway.smpp.pdu import SubmitSm
from gateway.smpp.vocabulary import ESME_ROK
from tests.links.peer import centre, connected
from tests.links.scene import (
    dialled,
    from_centre,
    gateway,
    healthy,
    listening_port,
    number,
    scene,
    scene_on_both_loops,
    shown,
    to_centre,
    until,
)

NAME = "smsc.example"


class Authority(NamedTuple):
    """Who signs, and the folder of its files."""

    ca: trustme.CA
    folder: Path

    @property
    def file(self) -> str:
        path = self.folder / "ca.pem"
        self.ca.cert_pem.write_to_path(path)
        return str(path)

    def issue(self, name: str, file: str = "") -> str:
        """A file with a certificate for that name, and its key."""
        path = self.folder / (file or f"{name}.pem")
        self.ca.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(path)
        return str(path)

    def server(self, name: str = NAME, mutual: bool = False) -> ssl.SSLContext:
        """A server with a certificate for that name; `mutual`: it asks for one of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name).configure_cert(context)
        if mutual:
            context.verify_mode = ssl.CERT_REQUIRED
            self.ca.configure_trust(context)
        return context

    def client(self, name: str = "") -> ssl.SSLContext:
        """A client that trusts this authority, and has a certificate if it has a name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ca.configure_trust(context)
        if name:
            self.ca.issue_cert(name).configure_cert(context)
        return context


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(trustme.CA(), _folder(tmp_path, "ours"))


@pytest.fixture
def others(tmp_path: Path) -> Authority:
    return Authority(trustme.CA(), _folder(tmp_path, "others"))


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


# --- the gateway connects


def test_the_gateway_checks_the_name_that_it_sends(tmp_path, ours):
    asked: list[str | None] = []

    @scene_on_both_loops
    async def play():
        tls = ours.server()
        tls.sni_callback = lambda _, name, __: asked.append(name)
        link = {"tls": {"ca_file": ours.file, "server_name": NAME}}
        async with centre(tls) as smsc, gateway(tmp_path, to_centre(smsc.port, **link)) as running:
            peer = await smsc.bound()
            await healthy(running)
            await peer.ask(dialled(number(3), "*100#"))
            assert "523" in shown(await peer.message())
        assert set(asked) == {NAME}

    play()


def test_a_host_that_is_an_address_is_checked_as_one(tmp_path, ours):
    @scene
    async def play():
        link = {"tls": {"ca_file": ours.file}}
        async with (
            centre(ours.server("127.0.0.1")) as smsc,
            gateway(tmp_path, to_centre(smsc.port, **link)) as running,
        ):
            await healthy(running)

    play()


def test_mutual(tmp_path, ours):
    @scene_on_both_loops
    async def play():
        link = {
            "tls": {"ca_file": ours.file, "server_name": NAME, "cert_file": ours.issue("gateway.example")}
        }
        async with (
            centre(ours.server(mutual=True)) as smsc,
            gateway(tmp_path, to_centre(smsc.port, **link)) as running,
        ):
            peer = await smsc.bound()
            await healthy(running)
            (shows,) = [v for k, v in peer.transport.get_extra_info("peercert")["subjectAltName"]]
            assert shows == "gateway.example"

    play()


@pytest.mark.parametrize("case", ["another name", "another authority", "the address has no certificate"])
def test_a_centre_that_is_not_the_right_one_is_refused_in_one_line(tmp_path, ours, others, case):
    tls, link, words = {
        "another name": (ours.server("other.example"), {"server_name": NAME}, "Hostname mismatch"),
        "another authority": (
            others.server(),
            {"server_name": NAME},
            "self-signed|unable to get local issuer",
        ),
        "the address has no certificate": (ours.server(), {}, "IP address mismatch"),
    }[case]

    @scene_on_both_loops
    async def play():
        async with (
            centre(tls) as smsc,
            gateway(tmp_path, to_centre(smsc.port, tls={"ca_file": ours.file, **link})) as running,
        ):
            await until(lambda: running.problems()["ussdc"] != "not connected yet", "a reason")
            reason = running.problems()["ussdc"]
            assert reason.startswith("certificate: ")
            assert any(word in reason for word in words.split("|")), reason
            assert "\n" not in reason

    play()


def test_no_certificate_of_ours_where_the_centre_wants_one(tmp_path, ours):
    @scene_on_both_loops
    async def play():
        link = {"tls": {"ca_file": ours.file, "server_name": NAME}}
        async with (
            centre(ours.server(mutual=True)) as smsc,
            gateway(tmp_path, to_centre(smsc.port, **link)) as running,
        ):
            await until(lambda: running.problems()["ussdc"] != "not connected yet", "a reason")
            assert "\n" not in running.problems()["ussdc"]
            assert not any(peer.bind for peer in smsc.peers)

    play()


def test_a_centre_without_tls_and_one_that_says_nothing(tmp_path, ours):
    @scene_on_both_loops
    async def play():
        link = {"tls": {"ca_file": ours.file, "server_name": NAME}, "connect_s": 0.2}
        async with centre() as smsc:
            async with gateway(tmp_path, to_centre(smsc.port, **link)) as running:
                await until(lambda: running.problems()["ussdc"] != "not connected yet", "a reason")
            smsc.prepare = lambda peer: setattr(peer, "deaf", True)
            async with gateway(tmp_path, to_centre(smsc.port, **link)) as running:
                await until(lambda: "within 0.2 s" in running.problems()["ussdc"], "a reason")

    play()


def test_without_tls_to_a_centre_that_wants_it(tmp_path, ours):
    @scene_on_both_loops
    async def play():
        async with centre(ours.server()) as smsc, gateway(tmp_path, to_centre(smsc.port)) as running:
            await until(lambda: running.problems()["ussdc"] != "not connected yet", "a reason")
            assert "\n" not in running.problems()["ussdc"]

    play()


# --- the centre connects


def listening(authority: Authority, **tls: object) -> dict:
    """A link with TLS to which a centre connects."""
    return from_centre(tls={"cert_file": authority.issue(NAME), **tls})


def test_a_centre_comes_in_by_tls(tmp_path, ours):
    @scene_on_both_loops
    async def play():
        async with (
            gateway(tmp_path, listening(ours)) as running,
            connected(listening_port(running), tls=ours.client(), name=NAME) as peer,
        ):
            assert await peer.bind_as() == ESME_ROK
            await peer.ask(dialled(number(3), "*100#", carrier=SubmitSm))
            assert "523" in shown(await peer.message())

    play()


def test_a_centre_has_to_show_a_certificate_of_the_right_authority(tmp_path, heard, ours, others):
    @scene_on_both_loops
    async def play():
        heard.clear()
        link = listening(ours, ca_file=ours.file, require_certificate=True)
        async with gateway(tmp_path, link) as running:
            port = listening_port(running)
            for stranger in (ours.client(), _trusting(ours, others.ca.issue_cert("smsc.example"))):
                await knock(port, stranger)
            await until(lambda: len(heard.of("no TLS")) == 2, "a line for each")
            assert all("\n" not in line["reason"] and line["peer"] for line in heard.of("no TLS"))
            async with connected(port, tls=ours.client("smsc.example"), name=NAME) as peer:
                assert await peer.bind_as() == ESME_ROK

    async def knock(port, context):
        try:
            async with connected(port, tls=context, name=NAME) as peer:
                await peer.over()
        except OSError:
            pass  # with TLS 1.2 the handshake already fails here

    play()


def _trusting(authority: Authority, shows: trustme.LeafCert) -> ssl.SSLContext:
    context = authority.client()
    shows.configure_cert(context)
    return context


def test_a_plain_centre_and_silence_on_a_tls_port_cost_nobody_anything(tmp_path, ours):
    @scene_on_both_loops
    async def play():
        async with gateway(tmp_path, listening(ours)) as running:
            port = listening_port(running)
            async with connected(port) as plain, connected(port), connected(port) as half:
                half.write(b"\x16\x03\x01\x02\x00\x01")
                plain.write(bytes.fromhex("00000010000000150000000000000001"))
                await plain.over()
                async with connected(port, tls=ours.client(), name=NAME) as peer:
                    assert await peer.bind_as() == ESME_ROK

    play()


def test_a_tls_centre_on_a_plain_port(tmp_path, heard, ours):
    @scene_on_both_loops
    async def play():
        async with gateway(tmp_path, from_centre()) as running:
            with pytest.raises(OSError):
                async with connected(listening_port(running), tls=ours.client(), name=NAME):
                    pass
            await until(heard.about("TLS"), "what it was")
            async with connected(listening_port(running)) as peer:
                assert await peer.bind_as() == ESME_ROK

    play()


# --- renewal


def spoil(path: str) -> None:
    Path(path).write_text("-----BEGIN CERTIFICATE-----\nno\n")


def remove(path: str) -> None:
    Path(path).unlink()


def test_a_renewed_certificate_is_used_for_the_next_connection(tmp_path, heard, ours, others):
    """By the same daemon, while the old connection goes on; a file that is no certificate leaves the last good one."""

    @scene
    async def play():
        path = ours.issue(NAME, "served.pem")
        async with gateway(tmp_path, from_centre(tls={"cert_file": path})) as running:
            port = listening_port(running)
            async with connected(port, tls=ours.client(), name=NAME) as old:
                await old.bind_as()
                shutil.copyfile(others.issue(NAME), path)
                async with connected(port, tls=others.client(), name=NAME) as new:
                    assert await new.bind_as() == ESME_ROK
                assert heard.of("certificates read again")
                spoil(path)
                async with connected(port, tls=others.client(), name=NAME) as again:
                    assert await again.bind_as() == ESME_ROK
                (line,) = heard.of("certificates not read again; the last good ones stay in use")
                assert path in line["reason"]
                remove(path)
                async with connected(port, tls=others.client(), name=NAME) as again:
                    assert await again.bind_as() == ESME_ROK
                shutil.copyfile(ours.issue(NAME), path)
                async with connected(port, tls=ours.client(), name=NAME) as again:
                    assert await again.bind_as() == ESME_ROK
                await old.ask(dialled(number(3), "*100#", carrier=SubmitSm))

    play()


def test_a_renewed_authority_is_asked_at_the_next_attempt(tmp_path, ours, others):
    """The centre gets a certificate of another authority; the link is down until its file says so, too."""

    @scene
    async def play():
        trusted = ours.folder / "trusted.pem"
        shutil.copyfile(ours.file, trusted)
        link = {"tls": {"ca_file": str(trusted), "server_name": NAME}}
        async with centre(ours.server()) as smsc, gateway(tmp_path, to_centre(smsc.port, **link)) as running:
            await healthy(running)
            await smsc.leave()
            await smsc.listen(others.server())
            await until(lambda: "certificate" in (running.problems()["ussdc"] or ""), "it does not trust him")
            shutil.copyfile(others.file, trusted)
            await healthy(running)

    play()
