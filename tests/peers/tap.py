"""Test Anything Protocol for the checks that are written in Python."""
import os
import sys

_count = 0
_failed = 0


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


def done():
    """Print the plan, and end the process."""
    print(f"1..{_count}")
    sys.stdout.flush()
    sys.exit(1 if _failed or _count == 0 else 0)


def skip(why):
    """Skip everything, visibly: what is not there is not promised anywhere."""
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def missing(what):
    """Skip everything, except where the environment promises all (CI)."""
    if os.environ.get("CI"):
        ok(False, f"{what} is installed")
        done()
    print(f"1..0 # SKIP {what} is not installed")
    sys.exit(0)
