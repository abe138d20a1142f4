"""The page on running a relay names every setting and its default; its file is one that a relay reads."""

import re
from pathlib import Path

from letterlock.cli._relay_options import OPTIONS
from letterlock.cli._relay_settings import read_settings

PAGE = Path(__file__).parents[2] / "docs" / "pages" / "how-to" / "run-a-relay.md"


def test_the_table_has_every_setting_and_its_default() -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([^|]*) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert set(rows) == {option.name for option in OPTIONS}
    for option in OPTIONS:
        shown = rows[option.name].strip().strip("`")
        if option.default == "":
            assert shown == {"name": "the address"}.get(option.name, "none")
        elif isinstance(option.default, bool):
            assert shown == ("on" if option.default else "off")
        else:
            assert shown == str(option.default)


def test_the_file_on_the_page_is_read(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    path = tmp_path / "relay.toml"
    path.write_text(text, encoding="utf-8")
    assert read_settings({"config": str(path)}, {}).names == ("relay.example",)
