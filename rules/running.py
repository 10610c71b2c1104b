"""What the rules of running.yml find and leave alone; only read, never run."""

import asyncio
import os

# ruleid: no-code-from-data
import pickle
import subprocess

import yaml


def run(text: str, fields: dict[str, str]) -> None:
    # ruleid: no-shell
    subprocess.run(text, shell=True)
    # ruleid: no-shell
    os.system(text)
    # ruleid: no-shell
    os.popen(text)
    # ok: no-shell
    subprocess.run(["ls", text])
    # ruleid: no-code-from-data
    eval(text)
    # ruleid: no-code-from-data
    exec(text)
    # ruleid: no-code-from-data
    compile(text, "x", "exec")
    # ruleid: no-code-from-data
    yaml.load(text)
    # ruleid: no-code-from-data
    text.format_map(fields)
    # ok: no-code-from-data
    "{title}".format_map(fields)
    # ok: no-code-from-data
    yaml.safe_load(text)


async def start(program: str, session: object) -> None:
    # ruleid: no-shell
    await asyncio.create_subprocess_shell(program)
    # ok: no-shell
    await asyncio.create_subprocess_exec(program, "-x")
    # ruleid: no-secrets-in-arguments
    await asyncio.create_subprocess_exec(program, "--key", session.auth_token)
    # ruleid: no-secrets-in-arguments
    subprocess.run([program, f"--token={session.token}"])
    # ok: no-secrets-in-arguments
    subprocess.run([program], input=session.token)
    # ok: no-secrets-in-arguments
    subprocess.run([program, session.title])
