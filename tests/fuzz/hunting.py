"""Let atheris look for inputs that break a harness: ``python tests/fuzz/hunting.py [NAME…]``, bounded by HUNT_SECONDS.

Without a name, all are hunted, two at a time, each in a process of its own. A find stays in the folder that is
printed with it; mended, it goes to tests/fuzz/finds, where `make test` replays it.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
#: An input of 64 KiB may take long under instrumentation and beside others; what is cut off here is a hang.
SECONDS_PER_INPUT = 10
MEMORY_MIB = 1500
CORPUS = TESTS.parent / ".hunt"


def hunt_one(name: str, seconds: int) -> int:
    """In this process: libFuzzer takes over, and ends it."""
    import atheris

    sys.path[:0] = [str(TESTS)]
    # Imported here for the first time, so that they are instrumented.
    with atheris.instrument_imports(include=["hydrophone"]):
        from fuzz.harnesses import HARNESSES, clean_environment
    from fuzz.harness import LONGEST_INPUT, changed

    clean_environment()
    harness = HARNESSES[name]
    corpus, finds = CORPUS / name / "corpus", CORPUS / name / "finds"
    seeds = Path(tempfile.mkdtemp(prefix=f"hydrophone-hunt-{name}-"))
    for folder in (corpus, finds):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(harness.seeds()):
        (seeds / f"seed-{number:04d}").write_bytes(seed)
    for path in harness.finds():
        (seeds / f"find-{path.name}").write_bytes(path.read_bytes())

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < (0.7 if harness.is_json else 0.2):
            return changed(harness, data, chance)[:max_size]
        return atheris.Mutate(data, max_size)

    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST_INPUT}",
        f"-timeout={SECONDS_PER_INPUT}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-artifact_prefix={finds}{os.sep}",
        "-print_final_stats=1",
        "-verbosity=1",
        str(corpus),
        str(seeds),
    ]
    atheris.Setup(arguments, harness.run, custom_mutator=mutate)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(seeds, ignore_errors=True)
    return 0


def hunt(name: str, seconds: int) -> bool:
    """In a child process. True if nothing was found."""
    words = [sys.executable, str(HERE / "hunting.py"), "--one", name, str(seconds)]
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.glob("finds/*"))
    with (folder / "log").open("wb") as log:
        # Loading and the last input come on top.
        code = subprocess.run(words, stdout=log, stderr=subprocess.STDOUT, timeout=seconds + 300).returncode
    text = (folder / "log").read_text("utf-8", "replace")
    runs = next((line.split()[-1] for line in text.splitlines() if "number_of_executed_units" in line), "?")
    new = sorted(set(folder.glob("finds/*")) - before)
    if code == 0 and not new:
        print(f"{name}: {runs} inputs, nothing found", flush=True)
        return True
    reason = next((line.strip() for line in text.splitlines() if "Error" in line or "ERROR: libFuzzer" in line), "")
    print(f"{name}: BROKEN after {runs} inputs: {reason}\n  log: {folder / 'log'}", flush=True)
    for path in new:
        print(f"  again: {sys.executable} {HERE / 'hunting.py'} --replay {name} {path}", flush=True)
    return False


def replay(name: str, paths: list[str]) -> int:
    """Run a harness on files; what it raises is shown."""
    sys.path[:0] = [str(TESTS)]
    from fuzz.harnesses import HARNESSES, clean_environment

    clean_environment()
    for path in paths:
        HARNESSES[name].run(Path(path).read_bytes())
        print(f"{path}: survived")
    return 0


def main(words: list[str]) -> int:
    if words[:1] == ["--one"]:
        return hunt_one(words[1], int(words[2]))
    if words[:1] == ["--replay"]:
        return replay(words[1], words[2:])
    sys.path[:0] = [str(TESTS)]
    from fuzz.harnesses import HARNESSES

    seconds = int(os.environ.get("HUNT_SECONDS") or 60)
    names = words or list(HARNESSES)
    with ThreadPoolExecutor(int(os.environ.get("HUNT_WORKERS") or 2)) as pool:
        fine = list(pool.map(lambda name: hunt(name, seconds), names))
    print(f"{sum(fine)} of {len(fine)} harnesses held for {seconds} s each")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
