"""The command `letterlock check-evidence`, which needs no profile and trusts nobody.

Not here: what evidence is, and its check (letterlock.user).
"""

import json
from argparse import Namespace
from typing import Final

from letterlock.cli._input import read_message
from letterlock.cli._output import say
from letterlock.user import Contradiction, Evidence, ListChain

_SENTENCES: Final = {
    Contradiction.FORK: "two device lists of one user have the number {version}, and both are signed by "
    "devices of that user: a device was stolen, or restored from a copy",
    Contradiction.OLDER: "the second chain ends before version {version} of the first: whoever showed it hid "
    "the newer versions. That it was shown is the word of whoever gave you this file",
    Contradiction.OTHER_USER: "the two chains belong to two users. That both were shown under one name is "
    "the word of whoever gave you this file",
}


def check_evidence(arguments: Namespace) -> None:
    """Print what evidence shows, after checking every signature in it. Raises PeerError, OSError."""
    evidence = Evidence.check(read_message(arguments.file))
    say(_json(evidence) if arguments.json else _text(evidence))


def _text(evidence: Evidence) -> str:
    sentence = _SENTENCES[evidence.kind].format(version=evidence.version)
    lines = [f"{evidence.kind.value}, under the name {evidence.name}", sentence]
    for title, chain in (("first chain", evidence.ours), ("second chain", evidence.theirs)):
        lines += [f"{title}:", *(f"  {name}: {value}" for name, value in _shown(evidence, chain).items())]
    return "\n".join(lines)


def _json(evidence: Evidence) -> str:
    shown = {
        "kind": evidence.kind.name,
        "name": evidence.name,
        "version": evidence.version,
        "ours": _shown(evidence, evidence.ours),
        "theirs": _shown(evidence, evidence.theirs),
    }
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _shown(evidence: Evidence, chain: ListChain) -> dict[str, str | int | None]:
    differing = chain.lists[evidence.version - 1 : evidence.version]
    return {
        "user_id": chain.user_id.hex(),
        "newest_version": chain.version,
        "hash_where_they_differ": differing[0].hash.hex() if differing else None,
        "signer_where_they_differ": differing[0].signer if differing else None,
    }
