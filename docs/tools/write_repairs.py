"""Write the page on conversations that break, from plays: docs/pages/explanation/repair.md.

    PYTHONPATH=protocol python docs/tools/write_repairs.py            write it
    PYTHONPATH=protocol python docs/tools/write_repairs.py --check    exit 1 if the page says anything else

Every row of the table is played: two people, an honest network but for what the row says, and a clock.

Not here: the plays (tests/support/users_breakdowns.py).
"""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "pages" / "explanation" / "repair.md"
sys.path.insert(0, str(ROOT / "tests"))

HEAD: Final = """\
# When a conversation breaks

Messages get lost, stores are put back to copies, devices are stolen, and servers lie. This page lists
each way in which a conversation of two users can break, and what [`User`](../reference/user.md) does
about it. The application has three duties: meet the needs, send what calls return, and call `upkeep` once
in a while. The [specification](../spec/user.md) has the rules and their limits.

Every row is played by a program with a clock of its own, which fills in the last columns. *Noticed* has
the causes, outcomes and events that the application sees. *When* says how long after the break every text
was read. *Messages* counts those beside each text, which arrives once, and its acknowledgement.

| what happens | noticed | what repairs it | when | messages |
|---|---|---|---|--:|
"""

TAIL: Final = """
A *held* message is given again when its needs are met. After `CONFLICT` the application asks the person,
and nothing is read or sent until then. Requests and new sessions have limits, because anybody on the way
can make up messages that nobody can read: ten requests and three new sessions an hour for each contact,
and five attempts for each message. What is not acknowledged within 30 days is given up, with the event
`GIVEN_UP`.

Three things are not repaired:

- A device that was led to a list of its own user which a thief signed has to be linked again.
- A contact that took a version signed by a thief keeps it until the owner signs another one, for example
  to revoke the stolen device.
- What a thief reads and acknowledges in the place of a device does not reach that device.
"""


def page() -> str:
    """Return the page. Plays every row."""
    from support.users_breakdowns import rows

    table = "".join(f"| {' | '.join(row)} |\n" for row in rows())
    return HEAD + table + TAIL


def main(arguments: list[str]) -> int:
    """Write the page, or compare it. Return the exit code."""
    text = page()
    if "--check" in arguments:
        if PAGE.read_text(encoding="utf-8") == text:
            return 0
        print("docs/pages/explanation/repair.md is not current: run docs/tools/write_repairs.py")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
