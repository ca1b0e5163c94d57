"""Test Anything Protocol for the checks that are written in Python."""
import os
import sys

_count = 0
_failed = 0
_figures = {}


def ok(condition, name, *why):
    """A test; why it failed, if it did."""
    global _count, _failed
    _count += 1
    _failed += not condition
    print(f"{'ok' if condition else 'not ok'} {_count} - {name}")
    if not condition:
        for line in why:
            print(f"# {line}", file=sys.stderr)
    return bool(condition)


def skip(name, why):
    """A test that cannot be made here, and why."""
    global _count
    _count += 1
    print(f"ok {_count} - {name} # SKIP {why}")


def diag(text):
    print(f"# {text}")


def figure(what, value):
    """A figure for the chapter on trust; see figure of lib/MLP.pm."""
    diag(f"{what}: {value}")
    _figures[what] = value


def _keep_figures():
    """Those of a run that passed; not even those of an earlier one else."""
    folder = os.environ.get("MLP_TRUST")
    if not folder:
        return
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0] + ".tsv"
    path = os.path.join(folder, name)
    text = "".join(f"{what}\t{_figures[what]}\n" for what in sorted(_figures))
    old = None
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            old = file.read()
    if _failed or not text:
        if old is not None:
            os.unlink(path)
    elif old != text:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def done():
    """Print the plan, and end the process."""
    print(f"1..{_count}")
    _keep_figures()
    sys.stdout.flush()
    sys.exit(1 if _failed or _count == 0 else 0)


def skip_all(why):
    """Skip everything, visibly: what is not there is not promised anywhere."""
    print(f"1..0 # SKIP {why}")
    _keep_figures()
    sys.exit(0)


def missing(what):
    """Skip everything, except where the environment promises all (CI)."""
    if os.environ.get("CI"):
        ok(False, f"{what} is installed")
        done()
    skip_all(f"{what} is not installed")
