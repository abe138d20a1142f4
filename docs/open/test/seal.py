"""Make the files that the test of the page opens: python docs/open/test/seal.py FOLDER

Prints what stands behind the # of the link.
"""

import sys
import time
from io import BytesIO
from pathlib import Path

from letterlock import MemoryStore
from letterlock.documents import Conditions, DocumentMetadata, Documents, LinkSecret, Pace, SealOptions
from letterlock.user import User


def main(folder: Path) -> None:
    """Seal a few files for one link, and one for another."""
    link, other = LinkSecret.generate(), LinkSecret.generate()
    documents = Documents(User.create(MemoryStore(), "ann"))
    content = b"".join(number.to_bytes(4, "big") for number in range(250_000))
    ended = SealOptions(conditions=Conditions(valid_until=int(time.time()) - 60))
    usual = SealOptions(conditions=Conditions(purpose="second opinion"), pace=Pace(threads=1))
    name = DocumentMetadata(name="../scan <b>1</b>.bin", media_type="text/html", modified=1_700_000_000)
    for file, text, reader, metadata, options in (
        ("scan.ll", content, link, name, usual),
        ("empty.ll", b"", link, DocumentMetadata(), usual),
        ("ended.ll", b"ended", link, DocumentMetadata(), ended),
        ("other.ll", b"for somebody else", other, DocumentMetadata(), usual),
    ):
        sealed = BytesIO()
        documents.seal(BytesIO(text), sealed, [reader], metadata=metadata, options=options)
        (folder / file).write_bytes(sealed.getvalue())
    (folder / "content").write_bytes(content)
    whole = (folder / "scan.ll").read_bytes()
    (folder / "cut.ll").write_bytes(whole[:-100])
    # The grants and the trailer stay as they are: only a piece in the middle is another one.
    (folder / "damaged.ll").write_bytes(whole[:800_000] + bytes([whole[800_000] ^ 1]) + whole[800_001:])
    print(link.fragment())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
