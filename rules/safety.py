"""What the rules of safety.yml find and leave alone; only read, never run."""

import asyncio
import contextlib
import logging

# ruleid: no-guessable-secrets
import random

# ok: no-guessable-secrets
import secrets
import ssl
import time

log = logging.getLogger("x")


def ask(client: object, context: ssl.SSLContext) -> None:
    # ruleid: no-tls-without-checks
    client.get("https://x.com", verify=False)
    # ruleid: no-tls-without-checks
    client.get("https://x.com", ssl=False)
    # ruleid: no-tls-without-checks
    context.check_hostname = False
    # ruleid: no-tls-without-checks
    context.verify_mode = ssl.CERT_NONE
    # ruleid: no-tls-without-checks
    ssl._create_unverified_context()
    # ok: no-tls-without-checks
    client.get("https://x.com", verify="ca.pem")
    # ok: no-tls-without-checks
    ssl.create_default_context(cafile="ca.pem")


def tell(login: object, token: str, token_count: int) -> None:
    # ruleid: no-secrets-in-words
    log.debug(f"asking with {token}")
    # ruleid: no-secrets-in-words
    log.info("asking with %s", login.auth_token)
    # ruleid: no-secrets-in-words
    print("bearer", login.access_token)
    # ruleid: no-secrets-in-words
    log.warning("sent %r", login.headers)
    # ok: no-secrets-in-words
    log.debug("%d tokens", token_count)
    # ok: no-secrets-in-words
    log.debug("the token is too old")
    if not token:
        # ruleid: no-secrets-in-words
        raise ValueError(f"not a token: {token}")


async def wait() -> None:
    # ruleid: no-blocking-sleep
    time.sleep(1)
    # ok: no-blocking-sleep
    await asyncio.sleep(1)


def rest() -> None:
    # ok: no-blocking-sleep
    time.sleep(1)


def pass_over(act: object) -> None:
    # ruleid: no-swallowed-faults
    try:
        act()
    except Exception:
        pass
    # ruleid: no-swallowed-faults
    try:
        act()
    except:
        print("something went wrong")
    # ruleid: no-swallowed-faults
    with contextlib.suppress(Exception):
        act()
    # ok: no-swallowed-faults
    try:
        act()
    except OSError:
        pass
    # ok: no-swallowed-faults
    try:
        act()
    except Exception:
        log.exception("failed")
        raise
