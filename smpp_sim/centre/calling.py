"""Connections that the centre opens itself: to ask an ESME for its bind (outbind), or to bind as an ESME."""

import asyncio
import logging
import ssl
from collections.abc import Callable

from gateway.smpp.pdu import BindTransceiver, Outbind, Pdu
from gateway.smpp.session import Role
from smpp_sim.centre.link import CentreLink
from smpp_sim.settings import Account, NetworkSettings, SimulatorSettings, split_address
from smpp_sim.tls import client_context

log = logging.getLogger("starpound.sim")


class Caller:
    """Calls one account for as long as `wanted` says so, with longer and longer pauses while nobody binds.

    `make_link` gets the role of the centre on the connection and the PDU that it begins with.
    """

    def __init__(
        self,
        account: Account,
        settings: SimulatorSettings,
        wanted: Callable[[], bool],
        make_link: Callable[[Role, Pdu, str], CentreLink],
    ):
        self.account = account
        self._wanted, self._make_link = wanted, make_link
        self._host, self._port = split_address(account.address)
        self._patience: NetworkSettings = settings.network
        self._own = (settings.system_id, settings.outbind_password)
        self._tls = client_context(account.tls) if account.tls else None
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Begin to call if that is wanted and not being done."""
        if self._task is None and self._wanted():
            self._task = asyncio.create_task(
                self._call_until_not_wanted(), name=f"call {self.account.system_id}"
            )
            self._task.add_done_callback(self._forget)

    async def stop(self) -> None:
        """Call no more; links that are open stay."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and task.exception():
            log.error("calling %s ended", self.account.system_id, exc_info=task.exception())

    async def _call_until_not_wanted(self) -> None:
        pause_s = 0.0
        while self._wanted():
            link = await self._connect()
            if link:
                await asyncio.wait([link.gone])
            served = link is not None and link.bound_at > 0
            pause_s = 0.0 if served else pause_s
            pause_s = min(max(pause_s * 2, self._patience.retry_first_s), self._patience.retry_most_s)
            await asyncio.sleep(pause_s)

    async def _connect(self) -> CentreLink | None:
        loop = asyncio.get_running_loop()
        role, opening = self._opening()
        try:
            _, link = await loop.create_connection(
                lambda: self._make_link(role, opening, self.account.system_id),
                self._host,
                self._port,
                ssl=self._tls,
                server_hostname=self._server_name,
            )
        except (OSError, ssl.SSLError) as problem:
            log.warning("%s at %s: %s", self.account.system_id, self.account.address, problem)
            return None
        return link

    def _opening(self) -> tuple[Role, Pdu]:
        if self.account.connect:
            bind = BindTransceiver(system_id=self.account.system_id, password=self.account.password)
            return Role.ESME, bind
        system_id, password = self._own
        return Role.SMSC, Outbind(system_id=system_id, password=password)

    @property
    def _server_name(self) -> str | None:
        tls = self.account.tls
        return None if tls is None else tls.server_name or self._host
