# SPDX-License-Identifier: Apache-2.0
"""
Run the fuzz targets many million times, in pieces that can be stopped at any instant and
gone on with, and report; docs/FUZZING.md. Called by make fuzz-long, fuzz-report, fuzz-merge.

    long.py run --runs 10000000 [--workers 2] [--target NAME]
    long.py report [--json]
    long.py merge [--target NAME]

What was done so far is in build/fuzz/long/: state.json, a corpus for each target, findings.
"""
import argparse
import concurrent.futures
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
SEEDS = TREE / "tests/fuzz/corpus"
BUILD = TREE / "build/fuzz"
LONG = BUILD / "long"
STATE = LONG / "state.json"
FIRST_S, PIECE_S = 60, 300  # every target has its turn soon, then they take longer ones
MAX_LEN = {"tuf_client": 256, "evidence": 96, "chain": 128,  # a program in small steps
           "judge": 96, "signature": 96, "quorum": 1024,
           "envelope": 3072, "deposit": 4608}  # the largest seeds, and some room
MAX_LEN_ELSE = 8192
SLACK = 1000  # executions more than are left: how many load the corpus is not known before,
LOADS_MAX = 2  # but no input is run more often than that
# One execution in so many is sanitized, at least; the others are of the plain build.
SANITIZED_SHARE = {"tuf_client": 50, "evidence": 50}
SANITIZED_SHARE_ELSE = 20
SEED_BYTES_MAX, SEEDS_MAX, CORPUS_MAX = 4096, 60, 96 * 1024  # of what goes into the tree
# Where an allocation came from is known to a run that repeats a finding. A string function may
# look no further than its string goes, but strndup() takes text that has no end.
OPTIONS = ("malloc_context_size=0:quarantine_size_mb=4:thread_local_quarantine_size_kb=64:"
           "strict_string_checks=1:intercept_strndup=0")
# glibc's malloc: keep what was freed at hand, and give nothing back to the kernel.
TUNABLES = ("glibc.malloc.tcache_count=2000:glibc.malloc.tcache_max=1048576:"
            "glibc.malloc.trim_threshold=268435456:glibc.malloc.mmap_threshold=268435456")
lock = threading.Lock()
running = set()


def targets():
    return sorted(p.stem.removeprefix("fuzz_") for p in (TREE / "tests/fuzz").glob("fuzz_*.c"))


def load():
    return json.loads(STATE.read_text()) if STATE.exists() else {}


def account(name, **more):
    """Add numbers to a target's account, and keep it: written whole, then renamed."""
    with lock:
        state = load()
        entry = state.setdefault(name, {"runs": 0, "sanitized": 0, "seconds": 0, "findings": 0})
        for key, value in more.items():
            entry[key] += value
        if "seconds" in more and not more["sanitized"]:
            entry["pace"] = round(more["runs"] / max(1, more["seconds"]))
        fresh = STATE.with_suffix(".new")
        fresh.write_text(json.dumps(state, indent=1, sort_keys=True) + "\n")
        fresh.rename(STATE)


def binary(name, plain=False):
    """The faster of plain ones: some targets have a build that counts less."""
    folders = ["play", "plain"] if plain else ["."]
    made = [BUILD / folder / "tests/fuzz" / f"fuzz_{name}" for folder in folders]
    return next((p for p in made if p.exists()), made[-1])


def freeze(names):
    """Run copies: who builds meanwhile must not pull a program from under a run."""
    kept = {}
    for name in names:
        for plain in (False, True):
            if binary(name, plain).exists():
                copy = LONG / "bin" / f"{name}{'.plain' if plain else ''}"
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.unlink(missing_ok=True)
                shutil.copy(binary(name, plain), copy)
                kept[name, plain] = copy
    return kept


def environment():
    return {**os.environ, "ASAN_OPTIONS": OPTIONS, "GLIBC_TUNABLES": TUNABLES}


def holds(program, artifact):
    """A slow input on a busy machine, or one that was stopped meanwhile, is no finding."""
    again = subprocess.run([program, artifact], env=environment(), check=False,
                           timeout=600, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return again.returncode != 0


def piece(programs, name, runs):
    """Some minutes of one target; True if it may go on."""
    entry = load().get(name)
    limit = PIECE_S if entry else FIRST_S
    share = SANITIZED_SHARE.get(name, SANITIZED_SHARE_ELSE)
    owed = (entry["runs"] + runs) // share - entry["sanitized"] if entry else runs
    plain = owed <= 0
    runs = runs if plain else owed
    corpus, found = LONG / "corpus" / name, LONG / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    seeds = [SEEDS / name] if (SEEDS / name).exists() else []
    known = sum(len(list(folder.iterdir())) for folder in (corpus, *seeds))
    start = time.monotonic()
    p = subprocess.Popen(  # pylint: disable=consider-using-with
        [programs[name, plain], f"-runs={runs + LOADS_MAX * known + SLACK}", f"-max_total_time={limit}",
         "-timeout=60", "-rss_limit_mb=2048", f"-max_len={MAX_LEN.get(name, MAX_LEN_ELSE)}",
         "-reload=0", "-print_final_stats=1", f"-artifact_prefix={found}/{name}-", corpus, *seeds],
        env=environment(), text=True, errors="replace", stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE)
    running.add(p)
    said = p.communicate()[1]
    running.discard(p)
    (LONG / f"{name}.log").write_text(said[-65536:])
    first = re.search(r"^#(\d+)\s+INITED", said, re.M)  # the corpus, again: not counted
    last = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    done = max(0, int(last.group(1)) - int(first.group(1))) if first and last else 0
    account(name, runs=done, sanitized=0 if plain else done,
            seconds=round(time.monotonic() - start))
    if p.returncode == 0:
        return done > 0
    if p.returncode in (-2, -15, 72, 130):
        return False
    artifact = re.search(r"written to (\S+)", said)
    if artifact and not holds(programs[name, False], artifact.group(1)):
        pathlib.Path(artifact.group(1)).unlink()
        return True
    account(name, findings=1)
    print(f"{name}: a finding: {artifact.group(1) if artifact else LONG / (name + '.log')}",
          flush=True)
    return False


def time_left(entry, runs):
    """Seconds at the pace of the last plain piece; none for a target that never ran."""
    if not entry:
        return 0
    return (runs - entry["runs"]) / max(1, entry.get("pace", entry["runs"] / entry["seconds"]))


def work(programs, queue, busy, runs, stopped):
    """Take the target that will be done first, one piece at a time; the last are shared."""
    while not stopped.is_set():
        with lock:
            state = load()
            open_ones = [n for n in queue if state.get(n, {}).get("runs", 0) < runs]
            if not open_ones:
                return
            name = min(open_ones, key=lambda n: (busy.count(n), time_left(state.get(n), runs)))
            busy.append(name)
        left = runs - state.get(name, {}).get("runs", 0)
        goes_on = piece(programs, name, left)
        now = load()[name]
        print(f"{name}: {now['runs']:,} of {runs:,} in {now['seconds']} s", flush=True)
        with lock:
            busy.remove(name)
            if not goes_on and name in queue:
                queue.remove(name)


def run(args):
    LONG.mkdir(parents=True, exist_ok=True)
    guard = open(LONG / "lock", "w", encoding="ascii")  # pylint: disable=consider-using-with
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("another long run is under way")
    queue, busy = [args.target] if args.target else targets(), []
    programs = freeze(queue)
    stopped = threading.Event()

    def stop(*_):
        stopped.set()
        for p in list(running):
            p.terminate()  # it says how far it came

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with concurrent.futures.ThreadPoolExecutor(args.workers) as pool:
        jobs = [pool.submit(work, programs, queue, busy, args.runs, stopped) for _ in range(args.workers)]
        for job in jobs:
            job.result()
    state = load()
    behind = [n for n in ([args.target] if args.target else targets())
              if state.get(n, {}).get("runs", 0) < args.runs]
    print(f"{len(behind)} targets have runs left{': ' + ' '.join(behind) if behind else ''}; "
          f"{sum(e['findings'] for e in state.values())} findings")
    return 1 if behind else 0


def covered(name):
    """The modules that a target names in its first comment."""
    text = (TREE / f"tests/fuzz/fuzz_{name}.c").read_text()
    said = re.search(r"covers:((?:\s+\*?\s*[\w/]+\.c)+)", text)
    return re.findall(r"[\w/]+\.c", said.group(1)) if said else []


def corpus_of(name):
    files = {}
    for folder in (SEEDS / name, LONG / "corpus" / name):
        if folder.exists():
            files.update({f"{folder.parent.name}/{f.name}": f for f in folder.iterdir()})
    return list(files.values())


def copy(files, folder):
    """Into an empty folder; a run under way replaces files by smaller ones at any time."""
    for n, f in enumerate(files):
        try:
            shutil.copyfile(f, pathlib.Path(folder) / str(n))
        except FileNotFoundError:
            pass


def profile(name, files):
    """Run the corpus through the program that only measures; the file with what it counted."""
    program, data = BUILD / "cov/tests/fuzz" / f"fuzz_{name}", BUILD / "cov" / f"{name}.profdata"
    raw = BUILD / "cov" / f"{name}-%m.profraw"
    with tempfile.TemporaryDirectory(prefix="bequest-fuzz-") as folder:
        copy(files, folder)
        listed = "".join(f"{f}\0" for f in pathlib.Path(folder).iterdir())
        # As many processes as it takes, one after the other, into one profile.
        subprocess.run(["xargs", "-0", program], input=listed, text=True, check=True,
                       stdout=subprocess.DEVNULL,
                       env={**os.environ, "LLVM_PROFILE_FILE": str(raw)})
    raws = list((BUILD / "cov").glob(f"{name}-*.profraw"))
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", data, *raws], check=True)
    for r in raws:
        r.unlink()
    return program, data


def measure(name, files, modules):
    """
    Of each function of the modules: regions, and those missed; lines, likewise. Asked for all
    modules at once, as one target enters what is another's to cover.
    """
    program, data = profile(name, files)
    out = subprocess.run(["llvm-cov", "report", f"-instr-profile={data}", "-show-functions",
                          program, *(TREE / m for m in modules)], check=True, text=True,
                         capture_output=True).stdout
    functions, module = {}, None
    for line in out.splitlines():
        head = re.match(r"File '(.*)':$", line)
        if head:
            module = str(pathlib.Path(head.group(1)).relative_to(TREE))
        m = re.match(r"(\S+)\s+(\d+)\s+(\d+)\s+[\d.]+%\s+(\d+)\s+(\d+)\s", line)
        if m and m.group(1) != "TOTAL":
            name = m.group(1).rpartition(":")[2]
            functions[module, name] = tuple(map(int, m.groups()[1:]))
    return functions


def share(counts):
    """Of pairs of what there is and what was missed."""
    there = sum(n for n, _ in counts)
    return 100 * (1 - sum(missed for _, missed in counts) / there) if there else 0


def row_of(name, functions):
    """What the report says of a target, with coverage of those functions that it enters."""
    entry = load().get(name, {"runs": 0, "sanitized": 0, "seconds": 0, "findings": 0})
    entered = [v for v in functions.values() if v[3] < v[2]]
    return {"target": name, **entry, "corpus": len(corpus_of(name)),
            "functions": len(functions), "entered": len(entered),
            "lines": share([v[2:] for v in entered]), "regions": share([v[:2] for v in entered])}


def report(args):
    modules = sorted({m for name in targets() for m in covered(name)})
    known, entered = set(), set()
    (BUILD / "cov").mkdir(parents=True, exist_ok=True)
    if not args.json:
        print(f"{'target':16}{'executions':>12}{'sanitized':>12}{'a second':>9}{'corpus':>8}"
              f"{'findings':>9}{'functions':>11}{'lines':>8}{'regions':>8}")
    for name in targets():
        functions = measure(name, corpus_of(name), modules)
        known |= functions.keys()
        entered |= {k for k, v in functions.items() if v[3] < v[2]}
        row = row_of(name, {k: v for k, v in functions.items() if k[0] in covered(name)})
        if args.json:
            print(json.dumps(row))
            continue
        speed = row["runs"] / row["seconds"] if row["seconds"] else 0
        some = f"{row['entered']}/{row['functions']}"
        print(f"{name:16}{row['runs']:>12,}{row['sanitized']:>12,}{speed:>9,.0f}"
              f"{row['corpus']:>8,}{row['findings']:>9}{some:>11}{row['lines']:>7.1f}%"
              f"{row['regions']:>7.1f}%", flush=True)
    if not args.json:
        print(f"\n{len(entered)} of {len(known)} functions of these modules are entered. By none:")
        for module in sorted({m for m, _ in known - entered}):
            print(f"{module}:", *sorted(f for m, f in known - entered if m == module))
    return 0


def merge(args):
    """
    Replace what long runs made by the fewest inputs that reach the same, and put the
    smallest of those into the tree, beside the seeds that people wrote.
    """
    found, wrong = LONG / "findings", 0
    found.mkdir(exist_ok=True)
    for name in [args.target] if args.target else targets():
        seeds, corpus, small = SEEDS / name, LONG / "corpus" / name, LONG / "merged" / name
        seeds.mkdir(parents=True, exist_ok=True)
        if not corpus.exists():
            continue
        shutil.rmtree(small, ignore_errors=True)
        small.mkdir(parents=True)
        subprocess.run([binary(name), "-merge=1", f"-max_len={MAX_LEN.get(name, MAX_LEN_ELSE)}",
                        f"-artifact_prefix={found}/{name}-", small, seeds, corpus], env=environment(), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # All that plain runs kept was sanitized now; what fails is left out, and kept there.
        for artifact in found.glob(f"{name}-*"):
            wrong += 1
            print(f"{name}: a finding: {artifact}", flush=True)
        shutil.rmtree(corpus)
        small.rename(corpus)
        known = {f.read_bytes() for f in seeds.iterdir()}
        room = CORPUS_MAX - sum(map(len, known))
        for f in sorted(corpus.iterdir(), key=lambda f: f.stat().st_size):
            data = f.read_bytes()
            if data in known:
                continue
            if len(data) > min(room, SEED_BYTES_MAX) or len(known) >= SEEDS_MAX:
                break
            shutil.copy(f, seeds / f.name[:16])
            known.add(data)
            room -= len(data)
        print(f"{name}: {len(list(corpus.iterdir()))} inputs, {len(known)} of them in the tree",
              flush=True)
    return 1 if wrong else 0


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = p.add_subparsers(required=True)
    one = verbs.add_parser("run")
    one.set_defaults(do=run)
    one.add_argument("--runs", type=int, required=True, help="of each target, in all")
    one.add_argument("--workers", type=int, default=1)
    one.add_argument("--target", choices=targets())
    one = verbs.add_parser("report")
    one.set_defaults(do=report)
    one.add_argument("--json", action="store_true", help="one object for each target")
    one = verbs.add_parser("merge")
    one.set_defaults(do=merge)
    one.add_argument("--target", choices=targets())
    args = p.parse_args()
    sys.exit(args.do(args))


main()
