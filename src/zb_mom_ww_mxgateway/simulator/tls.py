"""A self-signed certificate as the gateway makes one for itself (CONTRACT.md "limits")."""

from __future__ import annotations

import ipaddress
import socket
from datetime import UTC, datetime, timedelta

__all__ = ["self_signed"]


def self_signed() -> tuple[bytes, bytes]:
    """A certificate and its private key in PEM: ten years, for localhost, this machine, 127.0.0.1 and ::1.

    Raises:
        ImportError: the package `cryptography` is not installed; the text says how to get it.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError as error:
        raise ImportError(
            'a self-signed certificate needs cryptography: pip install "zb-mom-ww-mxaccess-gateway-client[simulator]"'
        ) from error
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MXAccess Gateway (simulated)")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.DNSName(socket.gethostname())]
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
