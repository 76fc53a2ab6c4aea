"""The mailbox takes letters over SMTP and shows them."""

import asyncio
import smtplib
from email.message import EmailMessage

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_sim import mailbox
from smpp_sim.mailbox import Mailbox
from smpp_sim.simulator import Simulator
from tests.unit.smpp_sim.sim_scene import scene, settings


def letter(subject="Детализация", text="В приложении."):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "robot@zvezda.example", "ivan@mail.example", subject
    message.set_content(text)
    message.add_attachment(b"a;b\n1;2\n", maintype="text", subtype="csv", filename="calls.csv")
    return message


def post(port, message, **how):
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
        smtp.send_message(message, **how)


@scene
async def test_a_letter_is_kept_and_shown():
    async with Simulator(settings(smtp_port=0)) as sim, httpx.AsyncClient(base_url=sim.url) as http:
        waiting = asyncio.create_task(http.get("/api/mail/events?wait=5"))
        await asyncio.to_thread(post, sim.smtp_port, letter())
        [event] = (await waiting).json()["events"]
        assert (event["kind"], event["subject"]) == ("mail", "Детализация")
        [listed] = (await http.get("/api/mail")).json()["letters"]
        assert listed["text"].strip() == "В приложении."
        assert listed["recipients"] == ["ivan@mail.example"]
        assert listed["attachments"] == [{"name": "calls.csv", "content_type": "text/csv", "octets": 8}]
        assert (await http.get(f"/api/mail/{listed['number']}")).json() == listed


@scene
async def test_a_letter_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(mailbox, "MAX_LETTER_OCTETS", 1000)
    async with Simulator(settings(smtp_port=0)) as sim:
        with pytest.raises(smtplib.SMTPException):
            await asyncio.to_thread(post, sim.smtp_port, letter(text="x" * 2000))
        await asyncio.to_thread(post, sim.smtp_port, letter(text="x"))
        assert len(sim.mailbox.letters) == 1


def test_the_box_is_bounded():
    box = Mailbox()
    for number in range(mailbox.MAX_LETTERS + 1):
        box.keep("a", ["b"], b"Subject: %d\r\n\r\n" % number, 0)
    assert len(box.letters) == mailbox.MAX_LETTERS
    assert box.letter(1) is None
    assert box.letter(2).subject == "1"


@given(st.binary(max_size=300))
def test_anything_can_be_kept(octets):
    box = Mailbox()
    assert box.keep("a", ["b"], octets, 0).octets == octets
