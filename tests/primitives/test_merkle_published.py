"""Hash trees against the vectors of transparency-dev/merkle: a tree of eight leaves, and 98 proofs."""

from base64 import b64decode
from typing import Any

from letterlock._primitives import merkle
from letterlock.errors import MalformedMessage
from support import external


def test_the_published_tree() -> None:
    tree = external.load("tlog/rfc6962_tree.json")
    hashes = [merkle.leaf_hash(bytes.fromhex(each)) for each in tree["leaf_inputs"]]
    for level, nodes in enumerate(tree["node_hashes"]):
        for index, node in enumerate(nodes):
            group = hashes[index << level : (index + 1) << level]
            assert merkle.root(group).hex() == node
    for size, expected in enumerate(tree["root_hashes"]):
        assert merkle.root(hashes[:size]).hex() == expected


def leads_to_its_root(case: dict[str, Any]) -> bool:
    leaf, path = b64decode(case["leafHash"] or ""), [b64decode(each) for each in case["proof"] or []]
    try:
        root = merkle.root_from_path(leaf, case["leafIdx"], case["treeSize"], path)
    except MalformedMessage:
        return False
    return root == b64decode(case["root"] or "")


def test_the_published_proofs() -> None:
    cases = external.load("tlog/merkle_inclusion.json")
    assert len(cases) == 98
    assert {name for name, case in cases.items() if leads_to_its_root(case) is case["wantErr"]} == set()
    assert {case["wantErr"] for case in cases.values()} == {True, False}
