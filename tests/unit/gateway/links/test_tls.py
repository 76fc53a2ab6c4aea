"""Contexts from files: what they ask of the peer, when they are made anew, and what is wrong with a file."""

import os
import ssl

import pytest
import trustme

from gateway.links.tls import Certificates
from gateway.settings import SettingsError, Tls


@pytest.fixture
def files(tmp_path):
    ca = trustme.CA()
    leaf = ca.issue_cert("smsc.example")
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    trustme.CA().issue_cert("x").private_key_pem.write_to_path(tmp_path / "other-key.pem")
    (tmp_path / "rubbish.pem").write_text("rubbish")
    return tmp_path


def of(folder, listens=True, **names):
    paths = {key: str(folder / name) if key.endswith("_file") else name for key, name in names.items()}
    return Certificates(Tls(**paths), "links.x", listens=listens)


def test_a_link_that_connects_checks_the_name_and_the_chain(files):
    context = of(files, listens=False, ca_file="ca.pem").context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_without_a_ca_file_the_system_is_asked(files):
    assert of(files, listens=False).context().verify_mode is ssl.CERT_REQUIRED


def test_a_link_that_listens_asks_for_a_certificate_if_it_is_told_to(files):
    assert of(files, cert_file="both.pem").context().verify_mode is ssl.CERT_NONE
    mutual = of(files, cert_file="both.pem", ca_file="ca.pem", require_certificate=True)
    assert mutual.context().verify_mode is ssl.CERT_REQUIRED


def test_the_key_may_stand_in_a_file_of_its_own(files):
    assert of(files, cert_file="cert.pem", key_file="key.pem").context()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"cert_file": "missing.pem"}, "No such file"),
        ({"cert_file": "rubbish.pem"}, "rubbish.pem"),
        ({"cert_file": "cert.pem"}, "cert.pem"),
        ({"cert_file": "cert.pem", "key_file": "other-key.pem"}, "no certificate and its own private key"),
        ({"cert_file": "both.pem", "ca_file": "rubbish.pem"}, "rubbish.pem"),
        ({"cert_file": "both.pem", "ca_file": "missing.pem"}, "No such file"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_link_and_file(files, names, words):
    with pytest.raises(SettingsError) as problem:
        of(files, **names)
    line = str(problem.value)
    assert line.startswith(("links.x.tls: ", "links.x.tls."))
    assert words in line
    assert "\n" not in line


def test_a_key_with_a_passphrase_is_not_asked_for_on_the_terminal(files):
    from cryptography.hazmat.primitives import serialization as forms

    key = forms.load_pem_private_key((files / "key.pem").read_bytes(), None)
    locked = key.private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.BestAvailableEncryption(b"secret")
    )
    (files / "locked.pem").write_bytes(locked)
    with pytest.raises(SettingsError, match="passphrase"):
        of(files, cert_file="cert.pem", key_file="locked.pem")


def test_the_context_stays_while_the_files_stay(files):
    certificates = of(files, cert_file="both.pem")
    assert certificates.context() is certificates.context()


def test_a_file_that_has_changed_makes_a_new_context_and_a_broken_one_does_not(files):
    certificates = of(files, cert_file="cert.pem", key_file="key.pem")
    first = certificates.context()
    os.utime(files / "key.pem", ns=(1, 1))
    second = certificates.context()
    assert second is not first
    good = (files / "cert.pem").read_bytes()
    (files / "cert.pem").write_text("half of it")
    assert certificates.context() is second
    (files / "cert.pem").unlink()
    assert certificates.context() is second
    (files / "cert.pem").write_bytes(good)
    os.utime(files / "cert.pem", ns=(2, 2))
    assert certificates.context() not in (first, second)
