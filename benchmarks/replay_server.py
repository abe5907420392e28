"""A server that replays events as fast as a connection takes them, so that a client's speed can be measured.

It speaks just enough HTTP/2 for one server-streaming gRPC call per connection: the frames are encoded beforehand, and
all it does while it serves is to honour flow control. Every request is answered with the same stream.

Usage: python benchmarks/replay_server.py EVENTS   (prints its port, ends when its input is closed)
"""

from __future__ import annotations

import socket
import struct
import sys
import threading

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
FRAME_BYTES = 16_384


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """An HTTP/2 frame (RFC 9113, section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def header(name: bytes, value: bytes) -> bytes:
    """A literal header field without indexing (RFC 7541, section 6.2.2)."""
    return b"\x00" + bytes((len(name),)) + name + bytes((len(value),)) + value


RESPONSE = b"\x88" + header(b"content-type", b"application/grpc")
TRAILERS = header(b"grpc-status", b"0")


def encode_events(count: int) -> bytes:
    """`count` data changes of 50 tags as length-prefixed gRPC messages, one after the other."""
    body = bytearray()
    event = pb.MxEvent(
        family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
        session_id="session-0123456789abcdef0123456789abcdef",
        server_handle=1,
        quality=192,
        value=pb.MxValue(data_type=pb.MX_DATA_TYPE_DOUBLE, variant_type="VT_R8"),
        on_data_change=pb.OnDataChangeEvent(),
    )
    for sequence in range(1, count + 1):
        event.worker_sequence = sequence
        event.item_handle = sequence % 50 + 1
        event.value.double_value = sequence * 0.25
        event.source_timestamp.FromMicroseconds(1_767_600_000_000_000 + sequence * 1000)
        event.gateway_receive_timestamp.FromMicroseconds(1_767_600_000_000_000 + sequence * 1000 + 700)
        raw = event.SerializeToString()
        body += b"\x00" + struct.pack(">I", len(raw)) + raw
    return bytes(body)


class Connection:
    """One client: reads its frames on the calling thread, writes the stream on another."""

    def __init__(self, sock: socket.socket, body: bytes) -> None:
        self._sock = sock
        self._body = body
        self._sending = threading.Lock()
        self._changed = threading.Condition()
        self._window = 65_535
        self._stream_window = 65_535
        self._initial_window = 65_535
        self._open = True

    def run(self) -> None:
        """Serve until the client leaves."""
        reader = self._sock.makefile("rb")
        try:
            if reader.read(len(PREFACE)) != PREFACE:
                return
            self._send(frame(SETTINGS, 0, 0, b""))
            while len(head := reader.read(9)) == 9:
                length = int.from_bytes(head[:3], "big")
                self._handle(head[3], head[4], int.from_bytes(head[5:], "big"), reader.read(length))
        except OSError:
            # The client closed the connection in the middle of a frame: the measurement is over.
            return
        finally:
            with self._changed:
                self._open = False
                self._changed.notify_all()
            self._sock.close()

    def _handle(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            with self._changed:
                for position in range(0, len(payload), 6):
                    name, value = struct.unpack_from(">HI", payload, position)
                    if name == INITIAL_WINDOW_SIZE:
                        # It changes the window of a stream that is under way too (RFC 9113, section 6.9.2).
                        self._stream_window += value - self._initial_window
                        self._initial_window = value
                self._changed.notify_all()
            self._send(frame(SETTINGS, ACK, 0, b""))
        elif kind == PING and not flags & ACK:
            self._send(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            with self._changed:
                step = int.from_bytes(payload, "big")
                if stream:
                    self._stream_window += step
                else:
                    self._window += step
                self._changed.notify_all()
        elif kind == HEADERS:
            threading.Thread(target=self._replay, args=(stream,), daemon=True).start()

    def _replay(self, stream: int) -> None:
        try:
            self._send(frame(HEADERS, END_HEADERS, stream, RESPONSE))
            position = 0
            while position < len(self._body):
                with self._changed:
                    self._changed.wait_for(lambda: not self._open or min(self._window, self._stream_window) > 0)
                    if not self._open:
                        return
                    room = min(self._window, self._stream_window, len(self._body) - position)
                    self._window -= room
                    self._stream_window -= room
                chunk = self._body[position : position + room]
                position += room
                self._send(
                    b"".join(
                        frame(DATA, 0, stream, chunk[start : start + FRAME_BYTES])
                        for start in range(0, len(chunk), FRAME_BYTES)
                    )
                )
            self._send(frame(HEADERS, END_HEADERS | END_STREAM, stream, TRAILERS))
        except OSError:
            # The client has left while the stream was running, which ends it.
            return

    def _send(self, data: bytes) -> None:
        with self._sending:
            self._sock.sendall(data)


def main() -> None:
    """Listen on a loopback port that the system picks."""
    body = encode_events(int(sys.argv[1]))
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Connection(sock, body).run, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
