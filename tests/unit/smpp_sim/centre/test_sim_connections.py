"""Who gets in and how: allowed binds, outbind, the centre as an ESME, TLS. Real sockets, real certificates."""

import asyncio
import socket
import ssl

import pytest
import trustme

from gateway.smpp import events
from gateway.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DeliverSm,
    Outbind,
    SubmitSm,
)
from gateway.smpp.session import Role, Session, SessionSettings
from gateway.smpp.vocabulary import (
    ESME_RALYBND,
    ESME_RBINDFAIL,
    ESME_RINVPASWD,
    ESME_ROK,
    ITS_SESSION_INFO,
    USSD_SERVICE_OP,
)
from smpp_sim.settings import Account, ClientTls, ServerTls, SimulatorError
from smpp_sim.simulator import Simulator
from tests.unit.smpp_sim.sim_scene import WireEsme, scene, settings

IVAN = "79260000003"


async def refused(port, **bind):
    with pytest.raises(ConnectionRefusedError) as problem:
        await WireEsme.bind(port, **bind)
    return problem.value.args[0].status


# --- what an account allows ---------------------------------------------------------------------------------------


@scene
async def test_a_kind_of_bind_that_is_not_allowed():
    accounts = (Account("gw", "secret", binds=("receiver", "transmitter")),)
    async with Simulator(settings(accounts=accounts)) as sim:
        assert await refused(sim.smpp_port) == ESME_RBINDFAIL
        esme = await WireEsme.bind(sim.smpp_port, pdu_class=BindReceiver)
        await esme.cut()


@scene
async def test_a_network_that_is_not_allowed():
    accounts = (
        Account("far", "secret", networks=("10.0.0.0/8", "::1/128")),
        Account("near", "secret", networks=("10.0.0.0/8", "127.0.0.0/8")),
    )
    async with Simulator(settings(accounts=accounts)) as sim:
        assert await refused(sim.smpp_port, system_id="far") == ESME_RBINDFAIL
        esme = await WireEsme.bind(sim.smpp_port, system_id="near")
        await esme.cut()


@scene
async def test_a_session_too_many():
    accounts = (Account("gw", "secret", max_sessions=1),)
    async with Simulator(settings(accounts=accounts)) as sim:
        esme = await WireEsme.bind(sim.smpp_port)
        assert await refused(sim.smpp_port) == ESME_RALYBND
        assert await refused(sim.smpp_port, password="wrong") == ESME_RINVPASWD, "tells nothing to strangers"
        await esme.unbind()
        again = await WireEsme.bind(sim.smpp_port)
        await again.cut()


@pytest.mark.parametrize(
    ("account", "says"),
    [
        ({"networks": ("10.0.0.1/8",)}, "networks: 10.0.0.1/8 has host bits set"),
        ({"connect": "localhost"}, "'localhost' is no HOST:PORT"),
        ({"connect": "a:1", "outbind": "b:1"}, "not both"),
    ],
)
def test_an_account_that_cannot_be(account, says):
    with pytest.raises(SimulatorError, match=says):
        Account("gw", "secret", **account)


# --- outbind ------------------------------------------------------------------------------------------------------


class Listening:
    """A port on which every connection is an ESME, or an SMSC, of the test: `next` is the next one."""

    def __init__(self, make=WireEsme, **how):
        self._make, self._how = make, how
        self._came = asyncio.Queue()

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, "127.0.0.1", 0, **self._how)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    def _accept(self):
        end = self._make()
        self._came.put_nowait(end)
        return end

    async def next(self):
        return await self._came.get()


@scene
async def test_S9_the_centre_asks_for_a_bind_when_messages_wait():
    async with Listening() as gateway:
        accounts = (Account("gw", "secret", outbind=gateway.address),)
        own = {"system_id": "centre", "outbind_password": "please"}
        async with Simulator(settings(accounts=accounts, **own)) as sim:
            sim.phone(IVAN).send_sms("000110", "waiting")
            esme = await gateway.next()
            outbind = (await esme.next(events.Notice)).pdu
            assert isinstance(outbind, Outbind)
            assert (outbind.system_id, outbind.password) == ("centre", "please")
            esme.send(BindReceiver(system_id="gw", password="secret"))
            assert (await esme.deliver_sm()).short_message == b"waiting"
            await esme.unbind()
            sim.phone(IVAN).send_sms("000110", "again")
            second = await gateway.next()
            await second.next(events.Notice)
            second.send(BindTransceiver(system_id="gw", password="secret"))
            assert (await second.deliver_sm()).short_message == b"again"
            await second.cut()


@scene
async def test_no_outbind_while_a_receiver_is_there():
    async with Listening() as gateway:
        accounts = (Account("gw", "secret", outbind=gateway.address),)
        async with Simulator(settings(accounts=accounts)) as sim:
            esme = await WireEsme.bind(sim.smpp_port)
            sim.phone(IVAN).send_sms("000110", "here")
            assert (await esme.deliver_sm()).short_message == b"here"
            assert gateway._came.empty()
            await esme.cut()


@scene
async def test_who_is_asked_by_outbind_has_to_receive_and_to_be_the_right_one():
    async with Listening() as gateway:
        accounts = (Account("gw", "secret", outbind=gateway.address), Account("bank", "money", serves=("9",)))
        async with Simulator(settings(accounts=accounts)) as sim:
            sim.phone(IVAN).send_sms("000110", "waiting")
            esme = await gateway.next()
            await esme.next(events.Notice)
            for bind in (
                BindTransmitter(system_id="gw", password="secret"),
                BindReceiver(system_id="bank", password="money"),
            ):
                esme.send(bind)
                assert (await esme.next(events.BindRefused)).status == ESME_RBINDFAIL
            await esme.cut()


@scene
async def test_it_calls_again_until_somebody_listens():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    accounts = (Account("gw", "secret", outbind=f"127.0.0.1:{port}"),)
    network = {"retry_first_s": 0.005, "retry_most_s": 0.01}
    async with Simulator(settings(network, accounts=accounts)) as sim:
        sim.phone(IVAN).send_sms("000110", "waiting")
        loop = asyncio.get_running_loop()
        esme = WireEsme()
        server = await loop.create_server(lambda: esme, "127.0.0.1", port)
        await esme.next(events.Notice)
        server.close()
        await esme.cut()


# --- the centre as an ESME ----------------------------------------------------------------------------------------


class WireSmsc(WireEsme):
    """A gateway in the role of the SMSC that lets everybody in."""

    status = ESME_ROK

    def __init__(self):
        super().__init__()
        self.session = Session(Role.SMSC, SessionSettings(window=64), self._loop.time(), self.admit)

    def admit(self, bind):
        return self.status


@scene
async def test_the_centre_binds_and_its_turns_come_in_submit_sm():
    async with Listening(WireSmsc) as gateway:
        accounts = (Account("ussdc", "secret", connect=gateway.address),)
        async with Simulator(settings(accounts=accounts)) as sim:
            smsc = await gateway.next()
            bind = (await smsc.next(events.Bound)).pdu
            assert (bind.name, bind.system_id, bind.password) == ("bind_transceiver", "ussdc", "secret")
            phone = sim.phone(IVAN)
            phone.dial("*105#")
            turn = await smsc.deliver_sm()
            assert isinstance(turn, SubmitSm)
            assert (turn.source_addr, turn.short_message) == (IVAN, b"*105#")
            session = turn.tlvs[ITS_SESSION_INFO][0]
            screen = DeliverSm(
                service_type="USSD",
                source_addr=turn.destination_addr,
                destination_addr=IVAN,
                data_coding=0x0F,
                short_message=b"5.40 RUB",
                tlvs={USSD_SERVICE_OP: b"\x11", ITS_SESSION_INFO: bytes([session, 0x03])},
            )
            response = await smsc.submit(screen)
            assert (response.name, response.command_status) == ("deliver_sm_resp", ESME_ROK)
            assert (await phone.screen()).text == "5.40 RUB"
            phone.press_ok()
            phone.send_sms("000110", "up")
            assert (await smsc.deliver_sm()).short_message == b"up"
            await smsc.submit(DeliverSm(source_addr="000110", destination_addr=IVAN, short_message=b"down"))
            assert (await phone.sms()).text == "down"
            await smsc.cut()


@scene
async def test_the_centre_comes_back_and_brings_what_waits():
    async with Listening(WireSmsc) as gateway:
        accounts = (Account("ussdc", "secret", connect=gateway.address),)
        async with Simulator(settings({"retry_first_s": 0.005}, accounts=accounts)) as sim:
            first = await gateway.next()
            await first.next(events.Bound)
            await first.cut()
            sim.phone(IVAN).send_sms("000110", "kept")
            second = await gateway.next()
            assert (await second.deliver_sm()).short_message == b"kept"
            await second.cut()


@scene
async def test_a_centre_that_is_refused_tries_again():
    class Refusing(WireSmsc):
        status = ESME_RINVPASWD

    async with Listening(Refusing) as gateway:
        accounts = (Account("ussdc", "secret", connect=gateway.address),)
        async with Simulator(settings({"retry_first_s": 0.005}, accounts=accounts)):
            for _ in range(2):
                smsc = await gateway.next()
                assert (await smsc.next(events.BindRefused)).status == ESME_RINVPASWD
                await smsc.gone


@scene
async def test_the_centre_unbinds_when_it_stops():
    async with Listening(WireSmsc) as gateway:
        accounts = (Account("ussdc", "secret", connect=gateway.address),)
        async with Simulator(settings(accounts=accounts)):
            smsc = await gateway.next()
            await smsc.next(events.Bound)
        assert (await smsc.next(events.UnbindRequest)).pdu.name == "unbind"
        await smsc.gone


# --- TLS ----------------------------------------------------------------------------------------------------------


class Certificates:
    """An authority, and the files of certificates that it has signed."""

    def __init__(self, folder):
        self._folder, self._authority = folder, trustme.CA()
        self.authority = str(folder / "ca.pem")
        self._authority.cert_pem.write_to_path(self.authority)

    def issue(self, name):
        path = str(self._folder / f"{name}.pem")
        self._authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(path)
        return path

    def client(self, certificate=None):
        context = ssl.create_default_context(cafile=self.authority)
        if certificate:
            context.load_cert_chain(certificate)
        return context


@pytest.fixture
def certificates(tmp_path):
    return Certificates(tmp_path)


async def connect(port, context):
    loop = asyncio.get_running_loop()
    _, esme = await loop.create_connection(
        WireEsme, "127.0.0.1", port, ssl=context, server_hostname="localhost"
    )
    return esme


@scene
async def test_a_bind_over_tls(certificates):
    async with Simulator(settings(tls=ServerTls(certificate=certificates.issue("localhost")))) as sim:
        esme = await connect(sim.smpp_port, certificates.client())
        esme.send(BindTransceiver(system_id="gw", password="secret"))
        await esme.next(events.Bound)
        sim.phone(IVAN).send_sms("000110", "secretly")
        assert (await esme.deliver_sm()).short_message == b"secretly"
        await esme.cut()


@scene
async def test_an_esme_without_tls_is_not_spoken_to(certificates):
    tls = ServerTls(certificate=certificates.issue("localhost"))
    async with Simulator(settings(tls=tls, session_init_s=0.5)) as sim:
        loop = asyncio.get_running_loop()
        _, esme = await loop.create_connection(WireEsme, "127.0.0.1", sim.smpp_port)
        esme.send(BindTransceiver(system_id="gw", password="secret"))
        await esme.gone
        assert esme.came[events.Bound].empty()
        assert sim.centre.links == set()


@scene
async def test_an_esme_shows_its_certificate_where_that_is_required(certificates):
    tls = ServerTls(
        certificate=certificates.issue("localhost"),
        client_ca=certificates.authority,
        require_client_certificate=True,
    )
    async with Simulator(settings(tls=tls)) as sim:
        esme = await connect(sim.smpp_port, certificates.client(certificates.issue("gw.example")))
        esme.send(BindTransceiver(system_id="gw", password="secret"))
        await esme.next(events.Bound)
        await esme.cut()
        stranger = await connect(sim.smpp_port, certificates.client())
        stranger.send(BindTransceiver(system_id="gw", password="secret"))
        await stranger.gone
        assert stranger.came[events.Bound].empty()


def listening_context(certificates, name="localhost", require=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.issue(name))
    if require:
        context.load_verify_locations(certificates.authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@scene
async def test_the_centre_connects_over_mutual_tls(certificates):
    context = listening_context(certificates, require=True)
    async with Listening(WireSmsc, ssl=context) as gateway:
        tls = ClientTls(
            ca=certificates.authority,
            certificate=certificates.issue("centre.example"),
            server_name="localhost",
        )
        accounts = (Account("ussdc", "secret", connect=gateway.address, tls=tls),)
        async with Simulator(settings(accounts=accounts)):
            smsc = await gateway.next()
            assert (await smsc.next(events.Bound)).pdu.system_id == "ussdc"
            await smsc.cut()


@scene
async def test_the_centre_does_not_talk_to_a_wrong_name(certificates, caplog):
    context = listening_context(certificates, name="somebody.example")
    async with Listening(WireSmsc, ssl=context) as gateway:
        tls = ClientTls(ca=certificates.authority, server_name="localhost")
        accounts = (Account("ussdc", "secret", connect=gateway.address, tls=tls),)
        async with Simulator(settings({"retry_first_s": 0.005}, accounts=accounts)) as sim:
            for _ in range(2):
                await gateway.next()
            assert sim.centre.links == set()
    assert "certificate verify failed" in caplog.text


@pytest.mark.parametrize(
    ("tls", "says"),
    [
        ({"certificate": "nowhere.pem"}, "certificate nowhere.pem: No such file"),
        ({"certificate": __file__}, f"certificate {__file__}: .*"),
    ],
)
def test_certificates_that_cannot_be_used(tls, says):
    async def start():
        await Simulator(settings(tls=ServerTls(**tls))).start()

    with pytest.raises(SimulatorError, match=says):
        asyncio.run(start())


def test_to_require_a_certificate_somebody_has_to_sign_it():
    with pytest.raises(SimulatorError, match="name the client_ca"):
        ServerTls(certificate="x.pem", require_client_certificate=True)
