"""The README's dialogue and the package's tour run as they are printed, and CI reads its commands."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import letterlock

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def test_readme_dialogue() -> None:
    results = doctest.testfile(str(README), module_relative=False)
    assert results.attempted > 15
    assert results.failed == 0


def test_package_tour() -> None:
    results = doctest.testmod(letterlock)
    assert results.attempted > 8
    assert results.failed == 0


def test_ci_reads_both_commands_from_the_readme() -> None:
    script = ROOT / ".ci" / "readme_command.py"
    text = README.read_text(encoding="utf-8")
    for name, ends in (("demo", "letterlock demo"), ("test", "-m pytest")):
        found = subprocess.run([sys.executable, script, name], capture_output=True, text=True, check=True)
        command = found.stdout.rstrip("\n")
        assert command.startswith("python3 -m venv ")
        assert command.endswith(ends)
        assert command in text
    unknown = subprocess.run([sys.executable, script, "none"], capture_output=True, check=False)
    assert unknown.returncode == 1


def test_the_readme_reads_the_same_on_an_index() -> None:
    """A package index shows the README without the files around it, so no link may lead to one of them."""
    text = README.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)|^\[[^\]]+\]: (\S+)|(?:href|src)=\"([^\"]+)", text, re.MULTILINE)
    assert all("".join(each).startswith(("https://", "#")) for each in targets), targets
    for path in re.findall(r"`([\w./]+(?:/|\.md))`", text):
        assert (ROOT / path).exists(), path


def test_the_changelog_s_links_are_defined() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    defined = dict(re.findall(r"^\[([^\]]+)\]: (\S+)$", text, re.MULTILINE))
    prose = re.sub(r"`[^`\n]+`", "", text)  # `letterlock[client]` is no link
    used = set(re.findall(r"\[([^\]]+)\](?![:(])", prose))
    assert used == set(defined)
    for target in defined.values():
        assert target.startswith("https://") or f'<a id="{target[1:]}"></a>' in text, target
    versions = re.findall(r"^## \[([^\]]+)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.MULTILINE)
    assert versions[0] == ("Unreleased", "")
    assert all(date for _, date in versions[1:])
    sections = re.findall(r"^### (.+)$", text, re.MULTILINE)
    assert set(sections) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_links_lead_somewhere() -> None:
    for page in [README, ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md", *(ROOT / "spec").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_contributors_find_every_room_and_every_folder_of_tests() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = [line for line in text.splitlines() if line.startswith("| `")]
    rooms = [name.rstrip("/") for line in table for name in re.findall(r"`([^`]+)`", line.split("|")[1])]
    package = ROOT / "protocol" / "letterlock"
    own = {
        each.name for each in package.iterdir() if not each.name.startswith("__") and each.suffix != ".typed"
    }
    assert sorted(own) == sorted(rooms)
    folders = {each.name for each in (ROOT / "tests").iterdir() if each.is_dir() and each.name[0] not in "_."}
    assert {*re.findall(r"`tests/(\w+)`", text)} == folders
