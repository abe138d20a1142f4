"""The page on running a key server names every setting and its default; its file is one that is read."""

import re
from pathlib import Path

from letterlock._keyserver._server._settings import KeyServerSettings
from letterlock.cli._keyserver_options import KEYSERVER, KEYSERVER_OPTIONS
from letterlock.cli._settings_reader import read_values

PAGE = (Path(__file__).parents[2] / "docs" / "pages" / "how-to" / "run-a-key-server.md").read_text("utf-8")
PACKAGE = Path(__file__).parents[2] / "protocol" / "letterlock" / "_keyserver"


def test_the_table_has_every_setting_and_its_default() -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([^|]*) \|", PAGE, re.MULTILINE))
    assert set(rows) == {option.name for option in KEYSERVER_OPTIONS}
    for option in KEYSERVER_OPTIONS:
        shown = rows[option.name].strip().strip("`")
        default = "on" if option.default is True else option.default
        assert shown == ("none" if default == "" else str(default))


def test_the_file_on_the_page_is_read(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "keyserver.toml"
    path.write_text(text, encoding="utf-8")
    made = KeyServerSettings(**read_values(KEYSERVER, {"config": str(path)}, {}))  # type: ignore[arg-type]
    assert (made.workers, made.proxies) == (2, 1)


def test_the_page_has_every_line_of_the_log() -> None:
    shown = set(re.findall(r"`recovery: ([a-z ]+)`", PAGE))
    text = "".join(path.read_text("utf-8") for path in PACKAGE.glob("*.py"))
    told = set(re.findall(r'audit\("([a-z ]+)"', text)) | {"wait", "use"}
    assert told <= shown
