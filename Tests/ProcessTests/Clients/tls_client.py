"""Checks the server's TLS with an independent client: tls_client.py PORT CERTIFICATES CHECK.

Prints "ok" or the problem.
"""

import socket
import ssl
import sys
import time

port, folder, check = int(sys.argv[1]), sys.argv[2], sys.argv[3]
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def context(version=None, client=None, protocols=("http/1.1",)):
    result = ssl.create_default_context(cafile=f"{folder}/authority.pem")
    if version:
        result.minimum_version = result.maximum_version = version
    if client:
        result.load_cert_chain(f"{folder}/{client}.pem", f"{folder}/{client}.key")
    if protocols:
        result.set_alpn_protocols(list(protocols))
    return result


def get(*arguments, **options):
    """Returns the status line, and the version, the ALPN protocol and the cipher of the session."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context(*arguments, **options).wrap_socket(plain, server_hostname="localhost") as session:
            session.sendall(GET)
            response = b""
            while part := session.recv(65536):
                response += part
            return response.split(b"\r\n")[0], session.version(), session.selected_alpn_protocol(), session.cipher()[0]


def rejected(*arguments, **options):
    """Returns None if the server rejects the connection, otherwise a message."""
    try:
        return f"not rejected: {get(*arguments, **options)}"
    except (ssl.SSLError, ConnectionError):
        return None


def versions():
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        line, got, protocol, cipher = get(version)
        assert (line, got, protocol) == (b"HTTP/1.1 200 OK", name, "http/1.1"), (line, got, protocol)
        assert "GCM" in cipher or "CHACHA20" in cipher, cipher
    assert get(protocols=None)[0] == b"HTTP/1.1 200 OK"
    return rejected(protocols=("h2",)) or rejected(ssl.TLSVersion.TLSv1_1)


def pieces():
    """Sends a handshake and a request one byte at a time."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def push():
            for byte in outgoing.read():
                plain.sendall(bytes([byte]))

        def step(action):
            while True:
                try:
                    result = action()
                    push()
                    return result
                except ssl.SSLWantReadError:
                    push()
                    incoming.write(plain.recv(65536))

        step(session.do_handshake)
        step(lambda: session.write(GET))
        response = step(lambda: session.read(65536))
    assert response.startswith(b"HTTP/1.1 200 OK"), response


def junk():
    """Bytes that are not TLS close the connection, but do not affect others."""
    for text in (GET, b"\x16\x03\x01" + b"\xff" * 600, bytes(1000)):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            plain.sendall(text)
            while plain.recv(65536):
                pass
    assert get()[0] == b"HTTP/1.1 200 OK"


def silent():
    """A silent client is disconnected at the handshake deadline, which the test sets to one second."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        start = time.monotonic()
        assert plain.recv(1) == b""
        assert time.monotonic() - start < 5


def large():
    """A body of a megabyte is received completely and gets the response of the service: it is not a PNG."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context().wrap_socket(plain, server_hostname="localhost") as session:
            body = bytes(1_000_000)
            head = f"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
            session.sendall(head.encode() + body)
            response = session.recv(65536)
    assert response.startswith(b"HTTP/1.1 400"), response[:100]


def client_required():
    assert get(client="client")[0] == b"HTTP/1.1 200 OK"
    return rejected() or rejected(client="server")


def client_optional():
    assert get()[0] == b"HTTP/1.1 200 OK"
    assert get(client="client")[0] == b"HTTP/1.1 200 OK"
    return rejected(client="server")


def status(method, path, client="client"):
    """Returns the status of a request with a client certificate."""
    request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context(client=client).wrap_socket(plain, server_hostname="localhost") as session:
            session.sendall(request)
            response = b""
            while part := session.recv(65536):
                response += part
            return int(response.split()[1])


def client_unnamed():
    assert status("GET", "/v1/models") == 200
    assert status("GET", "/metrics") == 200
    assert status("POST", "/v1/reload") == 403


def client_named():
    assert status("GET", "/v1/models") == 200
    assert status("GET", "/metrics") == 403
    assert status("POST", "/v1/reload") == 200


def expiry():
    """Checks only the metric, because no client should accept the server's expired certificate."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with trusting.wrap_socket(plain) as session:
            session.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            response = b""
            while part := session.recv(65536):
                response += part
    line = next(l for l in response.split(b"\n") if l.startswith(b"dia_tls_certificate_expiry_timestamp_seconds "))
    assert 0 < int(line.split()[1]) < time.time(), line


def name():
    """Prints the common name of the server's certificate."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context().wrap_socket(plain, server_hostname="localhost") as session:
            print(dict(part[0] for part in session.getpeercert()["subject"])["commonName"])


print(globals()[check]() or "ok")
