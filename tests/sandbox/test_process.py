"""The sandbox as a program: where it runs, where it refuses to, and that it dies with whoever started it."""

import os
import subprocess
import sys

import httpx2
import pytest

from providers.sandbox.app import NotInProduction, Sandbox
from tests.sandbox.server import ROOT, start


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "providers.sandbox", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=20, check=False
    )


def test_it_refuses_to_run_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = run(PARLEY_MODE="production")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "does not run with PARLEY_MODE=production" in refused.stderr
    monkeypatch.setenv("PARLEY_MODE", "production")
    with pytest.raises(NotInProduction):
        Sandbox()


@pytest.mark.parametrize("host", ["8.8.8.8", "192.0.2.1", "example.com"])
def test_it_listens_on_this_machine_only(host: str) -> None:
    refused = run("--host", host)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(refused.stderr.splitlines()) == 1


def test_a_port_in_use_is_an_error_and_not_a_traceback() -> None:
    server = start()
    taken = run("--port", server.url.rpartition(":")[2])
    server.stop()
    assert taken.returncode == 2
    assert "in use" in taken.stderr


def test_it_ends_when_its_lifeline_is_cut_even_in_mid_answer() -> None:
    server = start()
    headers = {"authorization": "Bearer sandbox-key"}
    body = {"model": "gpt-sandbox", "input": "/slow 1 /tokens 100", "stream": True}
    with httpx2.stream("POST", f"{server.openai}/responses", json=body, headers=headers, trust_env=False) as answer:
        next(answer.iter_bytes())
        server.stop()
    assert server.process.returncode == 0


def test_it_imports_neither_django_nor_an_sdk() -> None:
    code = (
        "import sys, providers.sandbox.__main__\n"
        "found = {'django', 'openai', 'google.genai', 'anthropic', 'mistralai', 'channels'} & sys.modules.keys()\n"
        "sys.exit(', '.join(found) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
