"""``starpound serve``: the daemon."""

from pathlib import Path

import click

from gateway.commands import explained
from gateway.terminal import Failure, run


@click.command(short_help="Run the gateway.")
@click.option(
    "--config", "config", required=True, type=click.Path(dir_okay=False, path_type=Path), help="TOML file."
)
@explained
def serve(config: Path) -> None:
    """Run the gateway until SIGTERM or Ctrl-C.

    \b
    Example: starpound serve --config gateway.toml
    """
    from gateway.daemon import StartError
    from gateway.daemon import serve as run_gateway
    from gateway.settings import read_settings
    from gateway.watch.logs import configure_logging

    settings = read_settings(config)
    configure_logging(settings.log)
    try:
        run(run_gateway(settings))
    except StartError as error:
        raise Failure(f"{config}: {error}") from error
