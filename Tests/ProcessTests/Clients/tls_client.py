"""What an independent client sees of the server's TLS: tls_client.py PORT CERTIFICATES CHECK.

Prints "ok", or what is wrong.
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
    """The answer's first line, and the session."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context(*arguments, **options).wrap_socket(plain, server_hostname="localhost") as session:
            session.sendall(GET)
            answer = b""
            while part := session.recv(65536):
                answer += part
            return answer.split(b"\r\n")[0], session.version(), session.selected_alpn_protocol(), session.cipher()[0]


def refused(*arguments, **options):
    try:
        return f"not refused: {get(*arguments, **options)}"
    except (ssl.SSLError, ConnectionError):
        return None


def versions():
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        line, got, protocol, cipher = get(version)
        assert (line, got, protocol) == (b"HTTP/1.1 200 OK", name, "http/1.1"), (line, got, protocol)
        assert "GCM" in cipher or "CHACHA20" in cipher, cipher
    assert get(protocols=None)[0] == b"HTTP/1.1 200 OK"
    return refused(protocols=("h2",)) or refused(ssl.TLSVersion.TLSv1_1)


def pieces():
    """A handshake and a request a byte at a time, by memory and a socket in between."""
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
        answer = step(lambda: session.read(65536))
    assert answer.startswith(b"HTTP/1.1 200 OK"), answer


def junk():
    """Bytes that are no TLS end the connection, and only that."""
    for text in (GET, b"\x16\x03\x01" + b"\xff" * 600, bytes(1000)):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            plain.sendall(text)
            while plain.recv(65536):
                pass
    assert get()[0] == b"HTTP/1.1 200 OK"


def silent():
    """Whoever says nothing is let go at the handshake's deadline, which the test sets to a second."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        start = time.monotonic()
        assert plain.recv(1) == b""
        assert time.monotonic() - start < 5


def large():
    """A megabyte up, in one connection, and the right answer down: 413 or 4xx of a service, whole."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context().wrap_socket(plain, server_hostname="localhost") as session:
            body = bytes(1_000_000)
            head = f"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
            session.sendall(head.encode() + body)
            answer = session.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400"), answer[:100]


def client_required():
    assert get(client="client")[0] == b"HTTP/1.1 200 OK"
    return refused() or refused(client="server")


def client_optional():
    assert get()[0] == b"HTTP/1.1 200 OK"
    assert get(client="client")[0] == b"HTTP/1.1 200 OK"
    return refused(client="server")


def status(method, path, client="client"):
    """The status of a request with a client certificate."""
    request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context(client=client).wrap_socket(plain, server_hostname="localhost") as session:
            session.sendall(request)
            answer = b""
            while part := session.recv(65536):
                answer += part
            return int(answer.split()[1])


def client_unnamed():
    assert status("GET", "/v1/models") == 200
    assert status("GET", "/metrics") == 200
    assert status("POST", "/v1/reload") == 403


def client_named():
    assert status("GET", "/v1/models") == 200
    assert status("GET", "/metrics") == 403
    assert status("POST", "/v1/reload") == 200


def expiry():
    """A server whose certificate nobody should accept: only the metric is looked at."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with trusting.wrap_socket(plain) as session:
            session.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while part := session.recv(65536):
                answer += part
    line = next(l for l in answer.split(b"\n") if l.startswith(b"dia_tls_certificate_expiry_timestamp_seconds "))
    assert 0 < int(line.split()[1]) < time.time(), line


def name():
    """The common name of the server's certificate, on standard output."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context().wrap_socket(plain, server_hostname="localhost") as session:
            print(dict(part[0] for part in session.getpeercert()["subject"])["commonName"])


print(globals()[check]() or "ok")
