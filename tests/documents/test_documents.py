"""Documents as an application uses them: sealed, shared, opened, replaced, and taken up after a crash.

DOC-42, DOC-50 to DOC-53.
"""

import io
from dataclasses import replace
from typing import Any, Final

import pytest

from letterlock._wire import cbor
from letterlock._wire.grant import Grant
from letterlock._wire.grant_bundle import decode_bundle, encode_bundle
from letterlock._wire.grant_subject import Subject, SubjectKind
from letterlock.documents import (
    Conditions,
    DocumentDamaged,
    DocumentMetadata,
    Documents,
    LinkSecret,
    NoGrant,
    Pace,
    SealOptions,
    Standing,
    UnknownAuthor,
    _grant_book,
)
from letterlock.documents._granted_key import GrantedKey
from letterlock.documents._grants import read_grants, write_grants
from letterlock.documents._targets import Reader
from letterlock.errors import MalformedMessage, PeerError, UsageError
from letterlock.limits import MAX_COUNTER
from letterlock.stores import EntryKind
from letterlock.user import User
from letterlock.user._user import desk_behind
from support.granting import begin, changed, met
from support.user_devices import World

CONTENT: Final = bytes(range(256)) * 600  # three segments


@pytest.fixture
def people() -> World:
    return met()


def sealed(user: User, *readers: Reader, content: bytes = CONTENT, **options: Any) -> tuple[bytes, bytes]:
    """Return a sealed document and its id."""
    target = io.BytesIO()
    given = list(readers) or None
    made = Documents(user).seal(
        io.BytesIO(content),
        target,
        given,
        options=SealOptions(**options),
    )
    return target.getvalue(), made.id


def read(user: User, document: bytes, **options: Any) -> bytes:
    return Documents(user).open(io.BytesIO(document), **options).read()


def jobs(user: User) -> int:
    store = desk_behind(user).book.store
    with store.transaction():
        return store.tables.entries.count(EntryKind.SEALING)


def test_sealed_for_a_contact_and_read(people: World) -> None:
    alice, bob = people.alice.first, people.bob.first
    target, metadata = io.BytesIO(), DocumentMetadata("scan.png", "image/png")
    made = Documents(alice).seal(io.BytesIO(CONTENT), target, ["bob"], metadata=metadata)
    assert (made.version, len(made.shared)) == (1, 2)
    file = Documents(bob).open(target)
    assert (file.metadata, file.standing) == (metadata, Standing.LISTED)
    assert Documents(bob).author(file.signed_by) == "alice"
    assert Documents(alice).author(file.signed_by) == "alice"
    file.seek(100_000)
    assert file.read(7) == CONTENT[100_000:100_007]
    assert read(alice, target.getvalue()) == CONTENT
    # The grant beside the document is Bob's now, and the file can go without it.
    write_grants(target, b"")
    assert read(bob, target.getvalue()) == CONTENT
    assert [each.reader for each in Documents(bob).grants(made.id)] == ["bob", "alice"]


def test_shared_later(people: World) -> None:
    alice, bob = people.alice.first, people.bob.first
    document, id_ = sealed(alice)
    with pytest.raises(NoGrant):
        read(bob, document)
    shared = Documents(alice).share(id_, ["bob"])
    Documents(bob).take(shared)
    assert read(bob, document) == CONTENT
    out = io.BytesIO()
    opened = Documents(bob).open_to(io.BytesIO(document), out)
    assert (out.getvalue(), opened.standing) == (CONTENT, Standing.LISTED)


def test_opened_from_a_pipe(people: World) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    document, _ = sealed(people.alice.first)
    out = io.BytesIO()
    Documents(people.alice.first).open_to(Pipe(document), out)
    assert out.getvalue() == CONTENT
    with pytest.raises(UsageError, match="seekable"):
        Documents(people.alice.first).open(Pipe(document))


def test_opened_by_a_link(people: World) -> None:
    link = LinkSecret.generate()
    document, _ = sealed(people.alice.first, link)
    bob = people.bob.first
    with pytest.raises(NoGrant):
        read(bob, document)
    with pytest.raises(NoGrant):
        read(bob, document, secret=LinkSecret.generate())
    assert read(bob, document, secret=LinkSecret.from_fragment(link.fragment())) == CONTENT


def test_a_version_after_it(people: World) -> None:
    """It goes to whom the one before was granted, without those whose grant was withdrawn."""
    carol = people.servers.people["carol"]
    alice, bob = people.alice.first, people.bob.first
    alice.learn("carol", carol.lists)
    carol.first.learn("alice", people.alice.lists)
    first, id_ = sealed(alice, "bob", "carol")
    assert read(carol.first, first) == CONTENT
    granted = {each.reader: each.hash for each in Documents(alice).grants(id_)}
    notes = Documents(alice).withdraw([granted["carol"]])
    Documents(carol.first).take(notes)
    second, same = sealed(alice, content=b"second", replaces=id_)
    assert same == id_
    assert [each.version for each in Documents(alice).versions(id_)] == [1, 2]
    assert read(bob, second) == b"second"
    for document in (first, second):
        with pytest.raises(NoGrant):
            read(carol.first, document)
    with pytest.raises(NoGrant):
        sealed(bob, replaces=bytes(16))


def test_an_expired_reader_gets_no_next_version(people: World) -> None:
    alice = people.alice.first
    ends = Conditions(valid_until=people.clock.now + 10)
    _, id_ = sealed(alice, "bob", conditions=ends)
    people.clock.now += 11
    second, _ = sealed(alice, content=b"second", replaces=id_)  # the end is for readers, not for the author
    assert read(alice, second) == b"second"
    with pytest.raises(NoGrant):
        read(people.bob.first, second)


def test_a_version_that_somebody_else_names_is_not_the_newest(people: World) -> None:
    """DOC-52. Bob grants Alice the last number that there is, and a version with which hers would go on."""
    alice, bob = people.alice.first, people.bob.first
    _, id_ = sealed(alice, "bob")
    for number in (2, MAX_COUNTER):
        subject = Subject(SubjectKind.DOCUMENT, id_, number, bytes(32))
        Documents(alice).take(made(bob, subject, "alice"))
    assert len(Documents(alice).versions(id_)) == 3
    second, _ = sealed(alice, content=b"second", replaces=id_)
    assert read(bob, second) == b"second"
    assert Documents(alice).share(id_, ["bob"]).grants[0].version == 2


def test_the_last_number_is_followed_by_none(people: World) -> None:
    alice = people.alice.first
    subject = Subject(SubjectKind.DOCUMENT, bytes(16), MAX_COUNTER, bytes(32))
    Documents(alice).take(made(people.bob.first, subject, "alice"))
    with pytest.raises(UsageError, match="no number left"):
        sealed(alice, replaces=bytes(16))


def made(user: User, subject: Subject, reader: str) -> tuple[bytes, ...]:
    """Return a grant of any key for any subject."""
    documents = Documents(user)
    with user.transaction():
        return documents._shelf.grant(subject, GrantedKey(bytes(32)), [reader], Conditions()).wire


def test_notes_of_others_do_not_keep_a_document_from_being_erased(
    people: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOC-53"""
    monkeypatch.setattr(_grant_book, "MAX_NOTES_TAKEN", 2)
    alice, bob = people.alice.first, people.bob.first
    document, id_ = sealed(alice, "bob")
    read(bob, document)
    (again,) = (each.hash for each in Documents(alice).grants(id_) if each.reader == "bob")
    for _ in range(2):
        shared = Documents(bob).share(id_, ["alice"])
        Documents(alice).take(Documents(bob).withdraw([shared.grants[0].hash]))
    shared = Documents(bob).share(id_, ["alice"])
    with pytest.raises(UsageError, match="at most 2 notes"):
        Documents(alice).take(Documents(bob).withdraw([shared.grants[0].hash]))
    assert Documents(alice).withdraw([again])
    assert Documents(alice).erase(id_)
    with pytest.raises(NoGrant, match="destroyed"):
        read(alice, document)


def test_erasing_ends_what_is_being_sealed(people: World) -> None:
    """DOC-45: by another task, before the version is complete, and after a crash."""
    alice = people.alice.first
    _, id_ = sealed(alice)
    with pytest.raises(OSError, match="the disk fails"):
        Documents(alice).seal(
            Failing(CONTENT * 30, 2**20), io.BytesIO(), options=SealOptions(replaces=id_, job=b"job")
        )
    assert jobs(alice) == 1

    def erase(*_: object) -> None:
        if not Documents(alice).versions(id_):
            return
        Documents(alice).erase(id_)

    with pytest.raises(UsageError, match="erased meanwhile"):
        sealed(alice, replaces=id_, pace=Pace(progress=erase))
    assert jobs(alice) == 0
    assert Documents(alice).versions(id_) == ()


def test_erased(people: World) -> None:
    alice, bob = people.alice.first, people.bob.first
    document, id_ = sealed(alice, "bob")
    assert read(bob, document) == CONTENT
    certificate = Documents(alice).erase(id_)
    with pytest.raises(NoGrant, match="destroyed"):
        read(alice, document)
    Documents(bob).take(certificate)
    with pytest.raises(NoGrant, match="withdrawn"):
        read(bob, document)


# --- grants beside a document -----------------------------------------------------------------------------


def test_wrong_grants_beside_a_document_are_passed_over(people: World) -> None:
    """DOC-50. Whoever stores the file can write anything there."""
    alice, bob = people.alice.first, people.bob.first
    document, id_ = sealed(alice, "bob")
    grants = decode_bundle(read_grants(io.BytesIO(document)))
    dave = met().alice
    stranger = begin(dave.first).wire[0]
    moved = changed(alice, grants[1], subject=replace(Grant.decode(grants[1]).terms.subject, id=bytes(16)))
    for beside in (
        encode_bundle([b"junk", stranger, moved, grants[1]]),
        encode_bundle([grants[1], grants[1]]),
    ):
        file = io.BytesIO(document)
        write_grants(file, beside)
        assert Documents(bob).open(file).read() == CONTENT
    for junk in (b"junk", cbor.encode([7]), cbor.encode(b""), cbor.encode([bytes(20_481)])):
        file = io.BytesIO(document)
        write_grants(file, junk)
        assert Documents(bob).open(file).read() == CONTENT  # it has the grant by now
        with pytest.raises(MalformedMessage):
            decode_bundle(junk)
    assert {each.id for each in Documents(bob).grants(id_)} == {id_}
    assert Documents(bob).grants(bytes(16)) == ()


def test_grants_that_do_not_fit_stay_away(people: World) -> None:
    assert decode_bundle(encode_bundle([bytes(20_000)] * 100)) == [bytes(20_000)] * 52
    assert decode_bundle(encode_bundle([])) == []
    with pytest.raises(MalformedMessage):
        decode_bundle(cbor.encode([b""] * 1001))


def test_a_granted_key_that_does_not_fit(people: World) -> None:
    """DOC-42: a hostile grant is no obstacle if another one opens, and says so if none does."""
    alice, bob = people.alice.first, people.bob.first
    document, id_ = sealed(alice)
    (version,) = Documents(alice).versions(id_)
    what = Grant.decode(next(iter(Documents(alice).export()))).terms.subject
    assert what.commitment == version.commitment
    for key in (GrantedKey(bytes(32)), GrantedKey(bytes(64))):
        Documents(bob).take(begin(alice, ["bob"], what, key=key).wire[1:])
    with pytest.raises(DocumentDamaged, match="ask its granter"):
        read(bob, document)
    document, id_ = sealed(alice)
    what = replace(what, id=id_, commitment=Documents(alice).versions(id_)[0].commitment)
    hostile = begin(bob, ["alice"], what, key=GrantedKey(bytes(32))).wire[1]
    Documents(alice).take([hostile])
    assert read(alice, document) == CONTENT
    right = Documents(alice).share(id_, ["bob"])  # the key that was in use comes first
    Documents(bob).take(right)
    assert read(bob, document) == CONTENT


def test_an_author_who_is_no_contact(people: World) -> None:
    """Carol's document comes with a grant by Alice, and Bob does not know Carol."""
    carol, alice, bob = people.servers.people["carol"], people.alice.first, people.bob.first
    carol.first.learn("alice", people.alice.lists)
    alice.learn("carol", carol.lists)
    document, id_ = sealed(carol.first, "alice")
    assert read(alice, document) == CONTENT
    Documents(bob).take(Documents(alice).share(id_, ["bob"]))
    with pytest.raises(UnknownAuthor) as caught:
        read(bob, document)
    assert caught.value.user_id == carol.first.user_id
    bob.learn("carol", carol.lists)
    assert read(bob, document) == CONTENT


def test_damaged_documents(people: World) -> None:
    document, _ = sealed(people.alice.first)
    for wrong in (document[:-1], document[:1000], b"", document[:400] + b"\0" + document[401:]):
        with pytest.raises((PeerError, NoGrant)):
            read(people.alice.first, wrong)


# --- failure and going on ---------------------------------------------------------------------------------


class Failing(io.BytesIO):
    """A source that fails behind some bytes."""

    def __init__(self, content: bytes, good: int) -> None:
        super().__init__(content)
        self.good = good

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self.tell() >= self.good:
            raise OSError("the disk fails")
        return super().readinto(buffer)


def test_nothing_is_kept_of_a_document_that_failed(people: World) -> None:
    alice, target = people.alice.first, io.BytesIO(b"before")
    target.seek(6)
    with pytest.raises(OSError, match="the disk fails"):
        Documents(alice).seal(Failing(CONTENT * 30, 2**20), target, ["bob"])
    assert target.getvalue() == b"before"
    assert list(Documents(alice).export()) == []
    assert jobs(alice) == 0


def test_cancelled(people: World) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int | None) -> None:
        assert done <= (total or 0)
        raise Enough

    target = io.BytesIO()
    with pytest.raises(Enough):
        Documents(people.alice.first).seal(
            io.BytesIO(CONTENT), target, options=SealOptions(pace=Pace(1, stop))
        )
    assert target.getvalue() == b""


def test_a_job_goes_on(people: World) -> None:
    """The second call has the same state, and so the same id and key. [DOC-51]"""
    alice, bob, target = people.alice.first, people.bob.first, io.BytesIO()
    content = CONTENT * 176  # one whole block, and more than is sealed at once
    options = SealOptions(job=b"report.pdf")
    with pytest.raises(OSError, match="the disk fails"):
        Documents(alice).seal(Failing(content, len(content) - 100_000), target, ["bob"], options=options)
    assert jobs(alice) == 1
    begun = target.getvalue()
    assert len(begun) > 16 * 2**20
    assert list(Documents(alice).export()) == []
    again = User.open(desk_behind(alice).book.store, clock=people.clock)
    made = Documents(again).seal(io.BytesIO(content), target, ["bob"], options=options)
    assert jobs(alice) == 0
    assert target.getvalue()[: 16 * 2**20] == begun[: 16 * 2**20]
    assert read(bob, target.getvalue()) == content
    other = Documents(again).seal(io.BytesIO(b"x"), io.BytesIO(), options=options)
    assert other.id != made.id


@pytest.mark.parametrize("wrong", [{"replaces": b"short"}, {"job": b""}, {"job": bytes(65)}])
def test_options_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        SealOptions(**wrong)
