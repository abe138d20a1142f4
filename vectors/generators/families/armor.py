"""Vectors of armor: the changes by mail programs that a reader accepts, and others."""

import base64

from generators.support.family import Family, Group
from generators.support.labels import draw

BEGIN, END = "-----BEGIN LETTERLOCK MESSAGE-----", "-----END LETTERLOCK MESSAGE-----"
DATA = draw("a message", 100)
BASE64 = base64.b64encode(DATA).decode()  # 136 characters, of which two are padding


def armored(data: bytes, line: int = 64, end: str = "\n") -> str:
    text = base64.b64encode(data).decode()
    lines = [text[at : at + line] for at in range(0, len(text), line)]
    return end.join([BEGIN, *lines, END, ""])


def block(body: str) -> str:
    return f"{BEGIN}\n{body}\n{END}\n"


def quoted(mark: str, text: str) -> str:
    return "".join(mark + line for line in text.splitlines(keepends=True))


def encoding(family: Family) -> None:
    group = family.group("armor.encode", "encoding")
    for length, flags in {
        0: [],
        1: [],
        2: [],
        3: [],
        47: [],
        48: ["Boundary"],
        49: ["Boundary"],
        100: [],
    }.items():
        data = DATA[:length]
        output = {"text": armored(data)}
        group.valid(f"{length} bytes", {"data": data.hex()}, flags=flags, rules=["WIRE-10"], output=output)


def forgiving(family: Family) -> None:
    group = family.group("armor.decode", "variations that a reader accepts")
    sound = armored(DATA)
    for comment, flag, text in [
        ("as it was written", "LineEnds", sound),
        ("carriage returns and line feeds", "LineEnds", armored(DATA, end="\r\n")),
        ("carriage returns alone", "LineEnds", armored(DATA, end="\r")),
        ("no line feed at the end", "LineEnds", sound.rstrip("\n")),
        ("all in one line", "LineEnds", armored(DATA, line=1000)),
        ("lines of 20 characters", "LineEnds", armored(DATA, line=20)),
        ("a space before each line and two after", "LineEnds", sound.replace("\n", "  \n ")),
        ("tabs and empty lines", "LineEnds", sound.replace("\n", "\t\n\n")),
        ("a greeting before and after", "Surrounded", f"Dear Bob,\n\n{sound}\nYours,\nAlice\n"),
        (
            "text beyond ASCII around it",
            "Surrounded",
            f"Gr\u00fc\u00dfe \U0001f4e8\n{sound}\u2014 Zo\u00eb\n",
        ),
        ("dashes before and after", "Surrounded", f"-----\n{sound}-----\n"),
        ("a byte order mark before", "Surrounded", f"\ufeff{sound}"),
        ("quoted", "Quoted", quoted("> ", sound)),
        ("quoted, after a greeting", "Quoted", f"Alice wrote:\r\n{quoted('> ', sound)}Yes.\n"),
        ("quoted without a space", "Quoted", quoted(">", sound)),
        ("quoted twice", "Quoted", quoted(">> ", sound)),
        ("quoted twice, with a space between", "Quoted", quoted("> > ", sound)),
        ("quoted, with line ends of a mail", "Quoted", quoted("> ", armored(DATA, end="\r\n"))),
        ("the padding in quoted-printable", "Printable", sound.replace("=", "=3D")),
        ("the padding in quoted-printable, small letters", "Printable", sound.replace("=", "=3d")),
        ("lines that go on", "Printable", block(f"{BASE64[:70]}=\n{BASE64[70:-2]}=3D=3D")),
        ("lines that go on, before the padding too", "Printable", block(f"{BASE64[:-2]}=\r\n=3D= \n=3D")),
        ("quoted, and in quoted-printable", "Printable", quoted("> ", sound.replace("=", "=3D"))),
    ]:
        given, output = {"text": text}, {"data": DATA.hex()}
        group.valid(comment, given, flags=[flag], rules=["WIRE-10"], output=output)


def refuse(group: Group, cases: list[tuple[str, str, str]]) -> None:
    for comment, flag, text in cases:
        group.invalid(comment, {"text": text}, "MalformedMessage", flags=[flag], rules=["WIRE-10"])


def bad_blocks(family: Family) -> None:
    group, sound = family.group("armor.decode", "no block, a part of one, or several"), armored(DATA)
    cases = [
        ("no text", "CutShort", ""),
        ("the base64 alone", "CutShort", BASE64),
        ("no beginning", "CutShort", sound.replace(BEGIN + "\n", "")),
        ("no end", "CutShort", sound.replace(END + "\n", "")),
        ("the end before the beginning", "CutShort", f"{END}\n{BASE64}\n{BEGIN}\n"),
        ("cut within the last line", "CutShort", sound[:-20]),
        ("two blocks", "Several", sound * 2),
        ("a second beginning inside", "Several", block(f"{BEGIN}\n{BASE64}")),
        ("a second beginning after the end", "Several", sound + BEGIN + "\n"),
        ("a block that was cut short, before a whole one", "Several", sound[:100] + "\n" + sound),
        ("the beginning in small letters", "Marker", sound.replace(BEGIN, BEGIN.lower())),
        ("four dashes", "Marker", sound.replace(BEGIN, BEGIN[1:])),
        ("another kind of message", "Marker", sound.replace("LETTERLOCK", "PGP")),
        ("the end of another kind", "Marker", sound.replace("END LETTERLOCK", "END PGP")),
        ("two spaces in the end", "Marker", sound.replace("END LETTERLOCK", "END  LETTERLOCK")),
    ]
    refuse(group, cases)


def bad_base64(family: Family) -> None:
    group = family.group("armor.decode", "invalid base64, and second encodings")
    middle = len(BASE64) // 2

    def with_character(character: str) -> str:
        return block(BASE64[:middle] + character + BASE64[middle:])

    cases = [
        ("a hyphen", "Stray", with_character("-")),
        ("an underscore", "Stray", with_character("_")),
        ("a full stop", "Stray", with_character(".")),
        ("a quotation mark of a reply before a line", "Stray", block("> " + BASE64)),
        ("a zero byte", "Stray", with_character("\0")),
        ("a letter that is not ASCII", "Stray", with_character("\u00e9")),
        ("a no-break space", "Stray", with_character("\u00a0")),
        ("an invisible space", "Stray", with_character("\u200b")),
        ("a byte order mark", "Stray", with_character("\ufeff")),
        ("a header, as PGP has it", "Stray", block("Version: 1\n\n" + BASE64)),
        ("a checksum, as PGP has it", "Stray", block(BASE64 + "\n=aBcD")),
        ("base64 in the alphabet for URLs", "Stray", block("-_" + BASE64[2:])),
        ("no padding", "Padding", block(BASE64.rstrip("="))),
        ("half of the padding", "Padding", block(BASE64[:-1])),
        ("a character of padding too many", "Padding", block(BASE64 + "=")),
        ("four characters of padding too many", "Padding", block(BASE64 + "====")),
        ("padding in the middle", "Padding", with_character("==")),
        ("padding alone", "Padding", block("====")),
        ("padding where no byte is missing", "Padding", block(BASE64[:64] + "=")),
        ("a character short", "Padding", block(BASE64[1:])),
        ("one character and its padding", "Padding", block("A===")),
        ("bits after the only byte", "TrailingBits", block("AB==")),
        ("one bit after two bytes", "TrailingBits", block("AAB=")),
    ]
    refuse(group, cases)


def half_quoted(family: Family) -> None:
    group, sound = family.group("armor.decode", "what mail programs do, done by halves"), armored(DATA)
    every = quoted("> ", sound)
    one_line, with_mark = block(BASE64[:64]), block(f"{BASE64[:4]}>{BASE64[4:]}")
    cases = [
        ("quoted but for the first line", "Quoted", every.removeprefix("> ")),
        ("quoted but for the last line", "Quoted", every.replace(f"> {END}", END)),
        ("quoted but for a line within", "Quoted", every.replace("\n> ", "\n", 1)),
        ("quoted twice in one line", "Quoted", every.replace("\n> ", "\n>> ", 1)),
        ("a mark of a quotation within a line", "Quoted", quoted("> ", with_mark)),
        ("an empty line that is not quoted", "Quoted", every.replace("\n> ", "\n\n> ", 1)),
        ("half of the padding in quoted-printable", "Printable", sound.replace("==", "=3D=")),
        ("padding in quoted-printable and padding", "Printable", sound.replace("==", "=3D=3D==")),
        ("another character in quoted-printable", "Printable", block(f"=41{BASE64[1:]}")),
        ("padding in quoted-printable within", "Printable", block(f"{BASE64[:8]}=3D{BASE64[8:]}")),
        ("two lines that go on before the end", "Printable", one_line.replace(f"\n{END}", f"=\n=\n{END}")),
        ("a line that goes on twice", "Printable", one_line.replace(BASE64[:8], f"{BASE64[:8]}==\n")),
        ("bits after the only byte, in quoted-printable", "TrailingBits", block("AB=3D=3D")),
    ]
    refuse(group, cases)


def build() -> Family:
    """Return the family, with every test."""
    family = Family(
        "armor",
        "base64 in lines of 64 characters, between two lines that say so",
        [
            "A reader ignores ASCII white space in the base64 and text around the block.",
            "It undoes quoting with > and quoted-printable where they are whole, and nothing else.",
        ],
        {
            "LineEnds": "other line breaks than the writer makes",
            "Surrounded": "text before and after the block",
            "Quoted": "lines that begin with >, as in a reply",
            "Printable": "quoted-printable: =3D for =, and = at the end of a line that goes on",
            "CutShort": "the beginning or the end is missing",
            "Several": "more than one block",
            "Stray": "a character outside the base64 alphabet",
            "Padding": "the padding of the base64 is missing, wrong or too long",
            "TrailingBits": "the last character has bits that belong to no byte",
            "Marker": "one of the two marker lines is wrong",
            "Boundary": "a line has exactly 64 characters",
        },
    )
    encoding(family)
    forgiving(family)
    bad_blocks(family)
    bad_base64(family)
    half_quoted(family)
    return family
