"""Readers without an account: links, passwords, and two servers that hold a half each.

DOC-37, DOC-38, DOC-39.
"""

import hmac
from dataclasses import replace
from typing import Final

import pytest

from letterlock import MemoryStore
from letterlock._primitives import passphrase
from letterlock._primitives.entropy import system_entropy
from letterlock._primitives.passphrase import PassphraseParameters
from letterlock._wire import cbor
from letterlock._wire.grant import Grant
from letterlock._wire.grant_recipient import LinkRecipient, PasswordRecipient, recipient_fields
from letterlock.documents import (
    Conditions,
    Documents,
    LinkSecret,
    NoGrant,
    Password,
    ProvisionalKeys,
    ProvisionalSeeds,
    RecipientKind,
)
from letterlock.documents._documents import shelf_behind
from letterlock.documents._granted_key import GrantedKey, open_halves, seal_in_halves
from letterlock.documents._key_finding import open_by_secret
from letterlock.documents._secrets import password_recipient, provisional_keys
from letterlock.errors import AuthenticationFailed, InvalidKey, MalformedMessage, PeerError, UsageError
from letterlock.recovery import (
    AskingKey,
    Claiming,
    NewIdentity,
    OwnerSecret,
    ProvisionalServer,
    StoredRows,
)
from support.granting import KEY, SUBJECT, begin, changed, key_of, met
from support.pair import NOON
from support.user_devices import World

MIB: Final = 1024 * 1024
PERSON: Final = bytes(32)


@pytest.fixture
def people() -> World:
    return met()


def test_whoever_has_the_link_reads(people: World) -> None:
    link = LinkSecret.generate()
    wire = begin(people.alice.first, [link]).wire[1]
    grant = Grant.decode(wire)
    assert grant.terms.recipient == LinkRecipient(link.id)
    # Without an account, from the text behind "#".
    again = LinkSecret.from_fragment(link.fragment())
    assert again == link
    assert open_by_secret(grant, again) == KEY
    # With one, the grant becomes the reader's own.
    bob = people.bob.first
    shared = Documents(bob).claim([wire], again)
    assert [each.reader for each in shared.grants] == ["bob"]
    assert key_of(bob) == KEY
    kinds = {each.recipient for each in Documents(bob).grants(SUBJECT.id)}
    assert kinds == {RecipientKind.USER, RecipientKind.LINK}


def test_the_same_claim_again_makes_nothing_more(people: World) -> None:
    link = LinkSecret.generate()
    wire = begin(people.alice.first, [link]).wire[1]
    bob = Documents(people.bob.first)
    first = bob.claim([wire], link)
    assert bob.claim([wire, wire], link).wire == first.wire
    assert len(bob.grants(SUBJECT.id)) == 2


@pytest.mark.parametrize("is_beside", [True, False])
def test_a_wrong_key_takes_no_place_of_the_right_one(people: World, is_beside: bool) -> None:  # DOC-115
    """A contact who has seen the body makes a grant of it with a key that opens nothing."""
    link, wrong = LinkSecret.generate(), GrantedKey(bytes(32))
    wire = begin(people.alice.first, [link]).wire[1]
    alice, bob = people.alice.first, Documents(people.bob.first)
    with alice.transaction():
        reader = link if is_beside else "bob"
        sent = shelf_behind(Documents(alice)).grant(SUBJECT, wrong, [reader], Conditions()).wire
    bob.take(sent)
    found: list[GrantedKey] = []
    for given in ([wire], [*sent, wire]) if is_beside else ([wire],):
        own = {each.hash for each in bob.claim(given, link).grants}
        with people.bob.first.transaction():
            finder = shelf_behind(bob).finder()
            found = [key for _, key in finder.keys(SUBJECT, None, own)]
        assert KEY in found
    assert len(found) == 1 + is_beside


def test_another_link_does_not_read(people: World) -> None:
    link, other = LinkSecret.generate(), LinkSecret.generate()
    wire = begin(people.alice.first, [link]).wire[1]
    assert open_by_secret(Grant.decode(wire), other) is None
    with pytest.raises(NoGrant, match="opens none"):
        Documents(people.bob.first).claim([wire], other)
    assert Documents(people.bob.first).grants(SUBJECT.id) == ()
    # An id that is not the secret's leads to a key that does not open.
    moved = changed(people.alice.first, wire, recipient=LinkRecipient(other.id))
    with pytest.raises(AuthenticationFailed):
        open_by_secret(Grant.decode(moved), other)


def test_a_link_id_tells_nothing_of_the_secret() -> None:
    link = LinkSecret(bytes(32))
    assert link.id == hmac.digest(bytes(32), b"letterlock-v1 id of a link", "sha256")[:16]
    assert link.id not in link.expose()
    assert link.fragment() == "A" * 43
    assert repr(link) == "<LinkSecret: hidden>"


@pytest.mark.parametrize(
    "text",
    ["", "A" * 42, "A" * 44, "A" * 42 + "B", "A" * 42 + "=", "A" * 42 + "+", "A" * 42 + "é", b"A" * 43],
)
def test_fragments_that_are_none(text: str) -> None:
    """The last character has two spare bits, and a second form of one secret is none."""
    with pytest.raises(MalformedMessage, match="copy the whole link"):
        LinkSecret.from_fragment(text)


# --- passwords --------------------------------------------------------------------------------------------


def test_whoever_knows_the_password_reads(people: World) -> None:
    wire = begin(people.alice.first, [Password("caf\u00e9 au lait")]).wire[1]
    grant = Grant.decode(wire)
    assert isinstance(grant.terms.recipient, PasswordRecipient)
    assert grant.terms.recipient.parameters.memlimit == 64 * MIB
    assert open_by_secret(grant, Password("cafe\u0301 au lait")) == KEY
    with pytest.raises(AuthenticationFailed):
        open_by_secret(grant, Password("cafe au lait"))


@pytest.mark.parametrize(
    ("passes", "memory"),
    [(2, 64 * MIB), (9, 64 * MIB), (0, 64 * MIB), (2**31, 64 * MIB), (3, 64 * MIB - 1), (3, 8192),
     (3, 256 * MIB + 1), (3, 2**40), (3, 0)],
)  # fmt: skip
def test_hostile_parameters_cost_nothing(
    people: World, passes: int, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOC-38. A grant can neither weaken a password nor stop the reader's device: nothing is computed."""
    link = begin(people.alice.first, [LinkSecret(bytes(32))]).wire[1]
    grant = Grant.decode(link)
    hostile: cbor.Value = [4, cbor.encode([bytes(16), passes, memory])]
    fields = cbor.decode(grant.encoded_terms)
    assert isinstance(fields, list)
    fields[2] = hostile
    derived: list[object] = []
    monkeypatch.setattr(passphrase, "derive", lambda *given: derived.append(given))
    wire = replace(grant, encoded_terms=cbor.encode(fields)).encode()
    with pytest.raises(MalformedMessage, match="of a password's parameters"):
        Documents(people.bob.first).claim([wire], Password("secret"))
    with pytest.raises(MalformedMessage):
        Documents(people.bob.first).take([wire])
    assert derived == []


def test_the_widest_parameters_are_read() -> None:
    """What a granter may choose is what a reader takes."""
    for passes, memory in ((3, 64 * MIB), (8, 256 * MIB)):
        password = Password("x", opslimit=passes, memlimit=memory)
        recipient = password_recipient(password, bytes(16))
        assert recipient.parameters == PassphraseParameters(bytes(16), passes, memory)
        assert recipient_fields(recipient) == [4, cbor.encode([bytes(16), passes, memory])]


@pytest.mark.parametrize(
    "wrong",
    [{"opslimit": 2}, {"opslimit": 9}, {"memlimit": 64 * MIB - 1}, {"memlimit": 2**30}, {"opslimit": 3.0}],
)
def test_parameters_that_a_granter_may_not_choose(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        Password("secret", **wrong)
    for text in ("", "x" * 4097, 7):
        with pytest.raises(UsageError):
            Password(text)  # type: ignore[arg-type]


# --- two servers ------------------------------------------------------------------------------------------


class Provisional:
    """Two servers of different owners, and a person whose address both have checked."""

    def __init__(self) -> None:
        self.servers = [ProvisionalServer(each, StoredRows(MemoryStore()), lambda: NOON) for each in (1, 2)]
        self.new = NewIdentity.begin("dora@example.org", NOON + 1, OwnerSecret(bytes(32)), system_entropy)
        self.id = self.new.request.id

    def keys(self) -> ProvisionalKeys:
        first, second = (server.make(PERSON, self.new.request) for server in self.servers)
        keys = self.new.finish(first, second)
        assert isinstance(keys, ProvisionalKeys)
        return keys

    def seeds(self) -> ProvisionalSeeds:
        claiming = Claiming.begin(AskingKey(system_entropy(32)))
        first, second = (server.release(PERSON, claiming.request) for server in self.servers)
        return claiming.finish(first, second)[0]


def test_a_person_claims_after_both_servers_checked(people: World) -> None:
    servers = Provisional()
    wire = begin(people.alice.first, [servers.keys()]).wire[1]
    bob = people.bob.first
    Documents(bob).take([wire])
    with pytest.raises(NoGrant):
        key_of(bob)
    shared = Documents(bob).claim([wire], servers.seeds())
    assert key_of(bob) == KEY
    assert [each.granter for each in shared.grants] == ["bob"]


def test_one_server_alone_learns_nothing(people: World) -> None:
    """Each has a half, and one half is a random text of the key's length."""
    servers = Provisional()
    wire = begin(people.alice.first, [servers.keys()]).wire[1]
    grant, pairs = Grant.decode(wire), servers.seeds().pairs
    one, other = (each.seed.expose() for each in pairs)
    for id_, *guess in (
        (servers.id, one, bytes(32)),
        (servers.id, bytes(32), other),
        (servers.id, other, one),
        (servers.id, one, one),
        (bytes(32), one, other),
    ):
        assert open_by_secret(grant, ProvisionalSeeds(id_, *guess)) is None
    assert open_by_secret(grant, ProvisionalSeeds(servers.id, one, other)) == KEY
    for wrong in ((pairs[0], pairs[0]), (pairs[1], pairs[0])):
        with pytest.raises(AuthenticationFailed):
            open_halves(wrong, grant.encoded_terms, grant.sealed)


def test_halves_of_two_grants_do_not_mix() -> None:
    servers = Provisional()
    keys = provisional_keys(servers.keys())
    pairs = servers.seeds().pairs
    one = seal_in_halves(keys, b"terms", KEY, system_entropy)
    other = seal_in_halves(keys, b"terms", GrantedKey(b"o" * 32), system_entropy)
    middle = len(one) // 2
    assert open_halves(pairs, b"terms", one) == KEY
    mixed = open_halves(pairs, b"terms", one[:middle] + other[middle:])
    assert mixed not in (KEY, GrantedKey(b"o" * 32))
    for wrong in (one[middle:] + one[:middle], one[:-1], one[:middle]):
        with pytest.raises(PeerError):
            open_halves(pairs, b"terms", wrong)
    with pytest.raises(AuthenticationFailed):
        open_halves(pairs, b"other terms", one)
    both = GrantedKey(bytes(64))
    assert open_halves(pairs, b"terms", seal_in_halves(keys, b"terms", both, system_entropy)) == both


def test_keys_that_are_none() -> None:
    servers = Provisional()
    keys = servers.keys()
    with pytest.raises(UsageError, match="the same"):
        provisional_keys(replace(keys, second=keys.first))
    with pytest.raises(InvalidKey):
        provisional_keys(replace(keys, second=bytes(10)))
    with pytest.raises(UsageError, match="32 bytes"):
        replace(keys, id=b"short")
    for seeds in (
        (b"short", bytes(32), bytes(32)),
        (bytes(32), bytes(31), bytes(32)),
        (bytes(32), bytes(32), "x"),
    ):
        with pytest.raises(UsageError, match="32 bytes"):
            ProvisionalSeeds(*seeds)
