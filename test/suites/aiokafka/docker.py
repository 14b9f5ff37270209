"""Stands for Docker's client in aiokafka's tests, whose one container here is a relay to a broker that runs already."""

import os
import socket
import threading
from types import SimpleNamespace


class Container:
    def exec_run(self, _command, **_options):
        return 0, b""

    def stop(self):
        pass


models = SimpleNamespace(containers=SimpleNamespace(Container=Container))


class _Containers:
    def run(self, environment=None, **_options):
        if environment is not None:
            _relay(environment["ADVERTISED_PORT"])
        return Container()


def from_env():
    return SimpleNamespace(containers=_Containers(), close=lambda: None)


def _relay(port):
    host, broker_port = os.environ["OTTLA_BROKER"].split(":")
    server = socket.create_server(("127.0.0.1", int(port)))

    def accept():
        while True:
            client, _ = server.accept()
            try:
                broker = socket.create_connection((host, int(broker_port)))
            except OSError:
                client.close()
                continue
            for source, target in ((client, broker), (broker, client)):
                threading.Thread(target=_copy, args=(source, target), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _copy(source, target):
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
    except OSError:
        pass
    for side in (source, target):
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
