"""PQR-9: a sender without an answer spares the codewords that can be computed again, and sends the rest."""

import dataclasses

import pytest

from letterlock._wire.pq_header import PqType
from letterlock.limits import CODEWORD_BYTES
from support.triple_pair import (
    Message,
    Sides,
    alternate,
    triple_pair,
)


def codewords_of(message: Message) -> int:
    return len(message.pq_header.codewords) // CODEWORD_BYTES


def in_ct1_received() -> Sides:
    """Alice has ct1, has sent part of the vector, and has not answered the last message."""
    alice, bob = triple_pair("ct1 received")
    alternate((alice, bob), lambda message: message.pq_header.type is PqType.EK, 200)
    while alice.braid != "Ct1Received":
        bob.receive(alice.send(20))
        alice.receive(bob.send(2048))
    assert bob.braid == "Ct1Sampled"
    return alice, bob


@pytest.mark.parametrize("size", [20, 20000])
def test_few_computed_codewords_are_sent_without_an_answer(size: int) -> None:  # PQR-9
    alice, _ = triple_pair()
    alice.send(20000)
    for number in range(1, 41):
        message = alice.send(size)
        count = 3 if number <= 4 else int(number % 4 == 0)  # beside a handshake there is room for three
        assert codewords_of(message) == count, number
        assert message.pq_header.type is (PqType.HDR if count else PqType.NONE)


def test_pieces_of_a_text_are_sent_however_long_the_chain_is() -> None:
    alice, _ = in_ct1_received()
    sent = [alice.send(20) for _ in range(60)]
    assert all(each.header.number > 0 for each in sent[1:])
    whole = next(at for at, each in enumerate(sent) if each.pq_header.first + codewords_of(each) >= 36)
    assert {codewords_of(each) for each in sent[:whole]} == {1}
    assert {codewords_of(each) for each in sent[whole + 1 :]} == {0, 1}


def test_a_message_that_completes_a_text_leaves_the_computed_codewords_out() -> None:
    alice, _ = in_ct1_received()
    message = alice.send(20)
    while message.header.number % 4 != 1 or message.header.number < 5:
        message = alice.send(20)
    last = alice.send(20000)
    assert message.pq_header.first < 34
    assert last.pq_header.first + codewords_of(last) == 36


def test_a_spared_codeword_keeps_its_index() -> None:
    alice, _ = in_ct1_received()
    sent = [alice.send(2048) for _ in range(80)]
    indices = [each.pq_header.first + at for each in sent for at in range(codewords_of(each))]
    assert indices == list(range(indices[0], indices[0] + len(indices)))


def test_the_acknowledgement_goes_on_without_codewords() -> None:
    """The last messages of Alice's chain alone arrive: Bob has the vector, and learns that she has ct1."""
    alice, bob = in_ct1_received()
    for _ in range(9):
        bob.receive(alice.send(20000))
    sent = [alice.send(20) for _ in range(30)]
    assert {each.pq_header.type for each in sent} == {PqType.EK_CT1_ACK, PqType.CT1_ACK}
    assert bob.braid == "Ct2Sampled"


def test_an_acknowledgement_without_codewords_is_understood() -> None:
    alice, bob = in_ct1_received()
    early = [alice.send(20000) for _ in range(6)]
    acknowledgement = alice.send(20)
    assert (acknowledgement.pq_header.type, codewords_of(acknowledgement)) == (PqType.CT1_ACK, 0)
    for message in early[:-1]:
        vector = dataclasses.replace(message.pq_header, type=PqType.EK)
        bob.receive(dataclasses.replace(message, pq_header=vector))
    assert bob.braid == "EkReceivedCt1Sampled"
    bob.receive(acknowledgement)
    assert bob.braid == "Ct2Sampled"


def test_an_answer_begins_a_chain_with_all_codewords_again() -> None:
    alice, bob = in_ct1_received()
    bob.receive([alice.send(20) for _ in range(50)][-1])
    alice.receive(bob.send(20))
    assert codewords_of(alice.send(20000)) == 36
