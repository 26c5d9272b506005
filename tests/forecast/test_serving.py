"""The command serve: what it prints, whom it refuses, and that it listens on this machine alone."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.commands import Commands


def test_it_prints_an_address_that_lets_in_and_stops_when_told(commands: Commands, tmp_path: Path) -> None:
    commands.seven_entries("forecast.db")
    command = [str(Path(sys.executable).parent / "forecast")]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*command, "serve", "--port", "0"], cwd=tmp_path, stdout=pipe, stderr=pipe, text=True
    ) as server:
        assert server.stdout is not None and server.stderr is not None
        try:
            address = server.stdout.readline().strip()
            found = re.fullmatch(r"(http://127\.0\.0\.1:\d+)/enter\?token=[\w-]{43}", address)
            assert found, address
            assert "Ctrl-C" in server.stderr.readline()
            with urllib.request.urlopen(f"{found[1]}/sign-in") as answer:
                assert answer.status == 200 and "server" not in {name.lower() for name in answer.headers}
        finally:
            server.send_signal(signal.SIGINT)
        assert "Traceback" not in server.stderr.read()


def test_others_need_accounts(commands: Commands) -> None:
    commands.seven_entries("forecast.db")
    refused = commands("serve", "--host", "0.0.0.0", "--port", "0")
    refused.is_refused("--host: 0.0.0.0 can be reached by others", "forecast account add")


def test_a_port_that_is_taken_is_told(commands: Commands) -> None:
    commands.seven_entries("forecast.db")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        commands("serve", "--port", port).is_refused(f"127.0.0.1:{port}: cannot listen there", "give another --port")
    commands("serve", "--host", "nowhere.invalid", "--port", "0").is_refused("cannot listen there")


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--without-above"], "--without-above goes with --max-tlp"),
        (["--port", "70000"], "70000 is not in the range"),
        (["--ledger", "nowhere.db"], "there is no ledger here"),
        (["--max-tlp", "pink"], "pink"),
    ],
)
def test_what_it_refuses(commands: Commands, arguments: list[str], phrase: str) -> None:
    commands("serve", *arguments).is_refused(phrase)
