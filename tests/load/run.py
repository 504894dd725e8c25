"""Sends loads to a server and prints what they cost everybody else: see run.sh."""

import argparse
import multiprocessing
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import answers
import tools
import writes

import rosters

LOADS = {
    load.__doc__.split()[0]: load
    for load in (
        rosters.long_texts,
        rosters.many_words,
        rosters.other_titles,
        rosters.drafts,
        answers.document,
        answers.calendars,
        rosters.slow_bodies,
        rosters.never,
        rosters.many_jobs,
        rosters.lists,
        writes.waiting_for_a_row,
        writes.logins,
        rosters.taken_room,
        writes.bookings_beside_a_roster,
        writes.many_tokens,
        writes.registers,
        rosters.other_hours,
    )
}
ONLY_POSTGRES = {"11", "15"}
# logins.sh sends it for longer, and .ci/run has a stage for that.
NOT_SHORT = {"13"}
SETTINGS = {
    # The guessers come through a proxy on this machine, so that each can have an address of its own.
    "13": {"LIFE_ROOMS_TRUSTED_PROXIES": "127.0.0.1"},
    # With this limit the tokens would take half an hour.
    "16": {"LIFE_ROOMS_LOGIN_FLOOD_LIMIT": "0"},
}
# The seconds of a load, in full and in short. In short, some need more than others to show anything.
SECONDS, SHORT = 20, 4
LONGER = {"2": 6, "6": 6, "7": 12, "9": 14, "16": 20, "17": 6}
IDLE, SHORT_IDLE = 3, 1.5
# The most memory in MiB.
MEMORY = {"SQLite": 150, "PostgreSQL": 200}
WORDS = {"none": "no answer by the end"}
NAMES = {"list": "list", "read": "audited read", "write": "write", "roster": "another's roster"}


def main():
    parser = argparse.ArgumentParser(prog="tests/load/run.sh", description="Loads that must not cost the others.")
    parser.add_argument("--short", action="store_true", help="a few seconds for each load, and checks of what came")
    parser.add_argument("--before", metavar="BINARY", help="an older binary, to which the same is sent first")
    parser.add_argument(
        "--seconds", type=float, help=f"the most seconds for a load ({SECONDS}, in short {SHORT} and more)"
    )
    parser.add_argument("loads", nargs="*", metavar="LOAD", help=f"numbers: {' '.join(LOADS)} (all by default)")
    options = parser.parse_args()
    unknown = [number for number in options.loads if number not in LOADS]
    if unknown:
        parser.error(f"there is no load {unknown[0]}")
    # Told to stop, it cleans up too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="life-rooms-load-"))
    databases = tools.Databases(os.environ.get("DATABASE_URL", ""), folder)
    binaries = [("before", options.before)] if options.before else []
    binaries.append(("now", os.environ["LIFE_ROOMS"]))
    try:
        faults = run(options, databases, binaries)
    except tools.Trouble as trouble:
        sys.exit(f"FAILED: {trouble}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if faults:
        sys.exit("\n".join(f"FAILED: {fault}" for fault in faults))
    if options.short:
        print(f"ok  Others are served beside every load, and the server stays small ({databases.kind}).")


def run(options, databases, binaries):
    """Sends the loads, prints the table as it grows, and returns what is not as it should be."""
    left_out = set() if databases.kind == "PostgreSQL" else set(ONLY_POSTGRES)
    if options.short and not options.loads:
        left_out |= NOT_SHORT
    loads = [number for number in options.loads or LOADS if number not in left_out]
    known, faults = {}, []
    print(
        f"On {databases.kind}. Milliseconds: median with nothing beside it → median beside the load, and the slowest.\n"
    )
    print("| # | load | | what it was answered | seconds | MiB before → most | list | audited read | write | not 2xx |")
    print("| --- " * 10 + "|", flush=True)
    try:
        for which, binary in binaries:
            known[which] = prepare(databases, which, binary)
        for number in loads:
            for which, binary in binaries:
                row = apart(databases, which, known[which], number, binary, options)
                print(line(number, which, row), flush=True)
                if options.short and which == "now":
                    faults += check(number, row, databases.kind)
    finally:
        for which, _ in binaries:
            databases.drop(which)
    return faults


def prepare(databases, which, binary):
    """Makes the database that every load begins with."""
    databases.create(which)
    server = tools.Server(binary, databases.place(which))
    try:
        return tools.fill(server.start())
    finally:
        server.stop(gently=True)


def apart(databases, which, known, number, binary, options):
    """One load, in a process of its own. Whatever it has started ends with it."""
    there, here = multiprocessing.Pipe()
    name = f"{which}_{number}"
    process = multiprocessing.Process(target=one, args=(there, databases.place(name), known, number, binary, options))
    databases.create(name, template=which)
    try:
        process.start()
        there.close()
        if not here.poll(420):
            return {"trouble": "had not ended after 420 s"}
        return here.recv()
    except EOFError:
        return {"trouble": "ended without a word"}
    finally:
        process.join(2)
        if process.pid:
            # The server and the probes are in its group.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.join()
        databases.drop(name)


def one(pipe, place, known, number, binary, options):
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    server = tools.Server(binary, place, SETTINGS.get(number, {}).items())
    seconds = options.seconds or (LONGER.get(number, SHORT) if options.short else max(LONGER.get(number, 0), SECONDS))
    try:
        world = tools.World(server.start(), known, seconds, options.short, SHORT_IDLE if options.short else IDLE)
        pipe.send(world.run(LOADS[number]))
    except tools.Trouble as trouble:
        pipe.send({"trouble": f"not there: {trouble}"})
    except Exception as error:
        pipe.send({"trouble": f"{type(error).__name__}: {error}"})
    finally:
        server.stop()
    pipe.close()
    os._exit(0)


def line(number, which, row):
    """A line of the table."""
    title = LOADS[number].__doc__.split(maxsplit=1)[1]
    if "trouble" in row:
        return f"| {number} | {title} | {which} | {row['trouble']} | | | | | | |"
    told = [
        f"{what}: {', '.join(f'{WORDS.get(status, status)} × {count}' for status, count in statuses.items())}"
        + (f" (≤ {slowest:.1f} s)" if slowest >= 0.05 else "")
        for what, (statuses, slowest) in row["sent"].items()
    ]
    probes = row["probes"]
    if "roster" in probes:
        row["said"].append(f"another's roster {milliseconds(probes['roster'])}")
    other = "; ".join(
        f"{NAMES[name]} {', '.join(f'{status} × {count}' for status, count in probe['other'].items())} "
        f"of {probe['count']}"
        for name, probe in probes.items()
        if probe["other"]
    )
    cells = [
        number,
        title,
        which,
        "; ".join(told + row["said"]),
        f"{row['seconds']:.0f}",
        f"{row['memory'][0]:.0f} → {row['memory'][1]:.0f}",
        *(milliseconds(probes[name]) for name in ("list", "read", "write")),
        other,
    ]
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def milliseconds(probe):
    return f"{probe['idle'] * 1000:.1f} → {probe['median'] * 1000:.1f}, {probe['worst'] * 1000:.0f}"


def check(number, row, kind):
    """What is wrong with a row of the short form.

    The service promises 100 ms at the median and 1 s at the worst on a machine that does nothing else. A machine that
    tests has other work: its times are as good as those of the probes without a load, which are measured just before.
    So a time is wrong if it is both many times the idle one and far above what is promised. Before they were bounded,
    the loads cost 5 to 60 s: that is far beyond both.
    """
    if "trouble" in row:
        return [f"load {number}: {row['trouble']}"]
    faults = [f"it should hold that {sentence}" for sentence, holds in row["demands"] if not holds]
    if row["memory"][1] > MEMORY[kind]:
        faults.append(f"the server took {row['memory'][1]:.0f} MiB; the most is {MEMORY[kind]}")
    for name, probe in row["probes"].items():
        # A roster waits for the one before it, so it may take as long as the largest one.
        median, worst = (10, 15) if name == "roster" else (1, 4)
        allowed = {"median": max(median, 20 * probe["idle"]), "worst": max(worst, 20 * probe["idle worst"])}
        faults += [
            f"{NAMES[name]}: the {what} is {probe[what]:.2f} s, more than {most:.2f} s"
            for what, most in allowed.items()
            if probe[what] > most
        ]
        wrong = {status: count for status, count in probe["other"].items() if status not in ("503", "429")}
        busy = sum(probe["other"].values()) - sum(wrong.values())
        if wrong:
            faults.append(f"{NAMES[name]}: answered {wrong}")
        if busy > probe["count"] / 20:
            faults.append(f"{NAMES[name]}: {busy} of {probe['count']} were refused for want of room")
    return [f"load {number} on {kind}: {fault}" for fault in faults]


if __name__ == "__main__":
    main()
