"""A real SMTP server takes the mails of the service, over STARTTLS, and fails in the ways that such servers do.

Arguments: the binary, and a folder for everything that is made. Everything stays on this machine."""

import asyncio
import email
import email.policy
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

from aiosmtpd.controller import Controller

binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
PASSWORD = "paper boat under the lamp"


def fail(sentence):
    log = folder / "mail-server.log"
    tail = log.read_text(encoding="utf-8")[-2000:] if log.exists() else ""
    sys.exit(f"FAILED: {sentence}\n{tail}")


class Relay:
    """Takes mails, or answers as it is told to for an address."""

    def __init__(self):
        self.mails, self.answers, self.tried = [], {}, []

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.tried.append((address, session.ssl is not None))
        answer = self.answers.get(address)
        if answer == "hang":
            await asyncio.sleep(3600)
        if answer == "cut":
            server.transport.abort()
            return "421 gone"
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"


def certificate():
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-addext", "basicConstraints=critical,CA:FALSE"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


def start(environment):
    log = open(folder / "mail-server.log", "a", encoding="utf-8")
    server = subprocess.Popen([binary, "serve"], env=environment, stderr=log, stdout=log)
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        ready = re.findall(r"ready on (http://\S+)", (folder / "mail-server.log").read_text(encoding="utf-8"))
        if ready:
            return server, ready[-1]
        time.sleep(0.05)
    return fail("the server did not start")


def within(seconds, what, condition):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            print(f"ok  {what}")
            return
        time.sleep(0.1)
    fail(f"not so within {seconds} s: {what}")


def post(base, path, body):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status


def main():
    relay = Relay()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        relay, hostname="127.0.0.1", port=port, tls_context=certificate(), require_starttls=True, server_hostname="localhost"
    )
    controller.start()
    environment = dict(
        os.environ,
        LIFE_ROOMS_BIND="127.0.0.1:0",
        LIFE_ROOMS_LOG_FORMAT="text",
        RUST_LOG="info",
        LIFE_ROOMS_MAIL_URL=f"smtp://localhost:{port}",
        LIFE_ROOMS_MAIL_FROM='"Life Rooms, Bootle" <rooms@example.org>',
        LIFE_ROOMS_MAIL_REPLY_TO="desk@example.org",
        SSL_CERT_FILE=str(folder / "certificate.pem"),
    )
    names = ["ann", "refused", "later", "cut", "hang", "bea"]
    for name in names:
        command = [binary, "user", "create", "--email", f"{name}@example.org", "--role", "analyst", "--password-stdin"]
        subprocess.run(command, input=PASSWORD + "\n", env=environment, text=True, check=True, capture_output=True)
    server, base = start(environment)
    try:
        relay.answers = {
            "refused@example.org": "550 5.1.1 no such mailbox here",
            "later@example.org": "451 4.3.0 try again",
            "cut@example.org": "cut",
            "hang@example.org": "hang",
        }
        for name in names:
            if post(base, "/v1/auth/password-resets", {"email": f"{name}@example.org"}) != 202:
                fail("a password reset is not taken")
        within(90, "what one address refuses or keeps waiting keeps no other from its mail", lambda: len(relay.mails) == 2)
        first, second = relay.mails
        if {first["To"], second["To"]} != {"ann@example.org", "bea@example.org"}:
            fail(f"mails went to {first['To']} and {second['To']}")
        if not all(secure for _, secure in relay.tried):
            fail("an address was named before STARTTLS")
        check(first)
        log = folder / "mail-server.log"
        seen = lambda: log.read_text(encoding="utf-8")
        said = ['Refused("550")', 'Later("451")', 'Later("timeout")']
        within(60, "the log says the codes", lambda: all(word in seen() for word in said))
        if "@example.org" in re.sub(r"message=\S+", "", seen()):
            fail("the log holds an address")
        controller.stop()
        if post(base, "/v1/auth/password-resets", {"email": "bea@example.org"}) != 202:
            fail("a password reset is not taken while the mail server is down")
        within(40, "a mail server that is down is waited for", lambda: "no_connection" in seen())
        hangs(base, port, seen)
    finally:
        server.terminate()
        server.wait()
    untrusted = dict(environment, SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt", LIFE_ROOMS_MAIL_URL="smtp://a?tls=off")
    refused = subprocess.run([binary, "serve"], env=untrusted, capture_output=True, text=True, check=False)
    if refused.returncode == 0 or "LIFE_ROOMS_MAIL_URL" not in refused.stderr:
        fail("a mail server elsewhere without TLS was not refused at the start")
    print("ok  a mail server elsewhere is never spoken to without TLS")


def hangs(base, port, seen):
    """In the place of the mail server is one that takes every connection and never says anything."""
    timeouts = seen().count('Later("timeout")')
    with socket.create_server(("127.0.0.1", port)):
        if post(base, "/v1/auth/password-resets", {"email": "ann@example.org"}) != 202:
            fail("a password reset is not taken while the mail server hangs")
        within(90, "a mail server that hangs is given up", lambda: seen().count('Later("timeout")') > timeouts)
        with urllib.request.urlopen(base + "/health/ready", timeout=5) as answer:
            if answer.status != 200:
                fail("the server is not ready while the mail server hangs")


def check(mail):
    if (mail["Subject"], mail["Reply-To"], mail["Auto-Submitted"]) != (
        "Choose a new password",
        "desk@example.org",
        "auto-generated",
    ):
        fail(f"the mail's head is {mail.items()}")
    if mail["From"].addresses[0].display_name != "Life Rooms, Bootle":
        fail(f"the mail comes from {mail['From']}")
    kinds = [part.get_content_type() for part in mail.iter_parts()]
    if mail.get_content_type() != "multipart/alternative" or kinds != ["text/plain", "text/html"]:
        fail(f"the mail is {mail.get_content_type()} of {kinds}")
    plain, html = (part.get_content() for part in mail.iter_parts())
    link = re.search(r"https://life-rooms\.invalid/account/reset#token=lrl_[\w-]+", plain)
    if not link or link[0] not in html or "<img" in html or 'lang="en-GB"' not in html:
        fail(f"the mail says\n{plain}\n{html}")
    print("ok  a mail has one link, in plain text and in HTML")


main()
