"""``starpound dial`` and ``starpound sms``: one conversation with a phone of the simulator."""

import dataclasses
import json
import sys
from typing import Any

import click

from gateway.terminal import AS_JSON, Amount, piped_lines, printable
from smpp_sim.commands import explained, simulator

FROM = click.option("--from", "msisdn", required=True, help="The phone's number.")


@click.command()
@click.argument("code")
@FROM
@click.option(
    "--answer", "answers", multiple=True, help="What the subscriber answers; '' is a bare OK. Repeatable."
)
@simulator
@AS_JSON
@explained
def dial(code: str, msisdn: str, answers: tuple[str, ...], url: str, token: str, as_json: bool) -> None:
    """Dial CODE on a phone of the simulator.

    Without --answer, answer as you go on a terminal; from a pipe each line is an answer, an empty one a bare OK. A
    question that is left over is cancelled, and Ctrl-C or Ctrl-D cancels the dialogue.

    \b
    Example: starpound dial '*105*00#' --from 79260000003 --answer ''
    """
    from smpp_sim import remote

    interactive = not answers and not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    conversation = remote.dial(
        url,
        msisdn,
        code,
        answers or (() if sys.stdin.isatty() else piped_lines()),
        ask=_ask if interactive else None,
        shown=None if as_json else _show,
        token=token,
    )
    if not interactive and conversation.screens and conversation.screens[-1].kind == "ask":
        click.echo("the last question was not answered: the dialogue was cancelled; see --answer", err=True)
    _finish(
        conversation, as_json, said=conversation.problem in [screen.text for screen in conversation.screens]
    )


@click.command(short_help="Send an SMS from a phone of the simulator.")
@click.argument("to")
@click.argument("text", default="")
@FROM
@click.option(
    "--wait",
    "wait_s",
    default=5.0,
    type=Amount(0, 60),
    show_default=True,
    help="Seconds to wait for the SMS that comes back.",
)
@simulator
@AS_JSON
@explained
def sms(to: str, text: str, msisdn: str, wait_s: float, url: str, token: str, as_json: bool) -> None:
    """Send an SMS from a phone of the simulator to the short number TO; no TEXT is an empty SMS.

    \b
    Example: starpound sms 000110 --from 79260000003
    """
    from smpp_sim import remote

    texting = remote.send_sms(url, msisdn, to, text, wait_s=wait_s, token=token)
    if not as_json:
        for message in texting.messages:
            sender = click.style(f"SMS {printable(message.sender)}", bold=True)
            text = "\n".join(map(printable, message.text.splitlines()))
            click.echo(f"{sender}  {text}")
    _finish(texting, as_json)


def _show(screen: Any) -> None:
    """A screen as a phone has it, and how full it is."""
    length = click.style(f"{screen.used}/{screen.allowed} {screen.alphabet}", dim=True)
    for line in screen.text.splitlines() or [""]:
        click.echo(f"│ {printable(line)}")
    click.echo(f"╰─ {screen.kind} {length}")


def _ask(_: Any) -> str | None:
    """What the person at the terminal answers; None (Ctrl-D) cancels the dialogue."""
    try:
        return input("> ")
    except EOFError:
        click.echo()
        return None


def _finish(seen: Any, as_json: bool, *, said: bool = False) -> None:
    """Print what was seen as JSON if asked to; exit status 1 when no answer came. `said`: a screen says the problem."""
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(seen), ensure_ascii=False, indent=2))
    elif seen.problem and not said:
        click.echo(seen.problem, err=True)
    if seen.problem:
        raise SystemExit(1)
