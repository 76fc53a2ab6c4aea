"""TLS contexts of the standard library, made of the settings: TLS 1.2 at least, names checked."""

import ssl

from smpp_sim.settings import ClientTls, ServerTls, SimulatorError


def server_context(settings: ServerTls) -> ssl.SSLContext:
    """For the SMPP port. Raises `SimulatorError` for files that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_certificate(context, settings.certificate, settings.key)
    if settings.client_ca:
        _load_ca(context, settings.client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    if settings.require_client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(settings: ClientTls) -> ssl.SSLContext:
    """For a connection that the centre opens. Raises `SimulatorError` for files that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca:
        _load_ca(context, settings.ca)
    else:
        context.load_default_certs()
    if settings.certificate:
        _load_certificate(context, settings.certificate, settings.key)
    return context


def _load_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        context.load_cert_chain(certificate, key or None)
    except (OSError, ssl.SSLError) as problem:
        raise SimulatorError(f"TLS: certificate {certificate}: {_words(problem)}") from None


def _load_ca(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(path)
    except (OSError, ssl.SSLError) as problem:
        raise SimulatorError(f"TLS: certificates of authorities {path}: {_words(problem)}") from None


def _words(problem: OSError) -> str:
    return problem.strerror or str(problem)
