"""Braid plays with refused headers, which change nothing, followed by the genuine ones."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from generators.support.braid_script import STATES, PqHeaderJson, Script, edited, pq_header_json, reached
from generators.support.family import Family, Group
from generators.support.labels import draw, flipped
from letterlock._primitives import labels
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.mlkem import KemSeed, MlKem768KeyPair
from letterlock._primitives.mlkem_split import split
from letterlock._ratchet.braid_states import Ct1Received
from letterlock._wire.pq_header import PqType

NOTES: Final = {
    "HeaderMac": "a header with a wrong MAC",
    "CiphertextMac": "a ciphertext with a wrong MAC",
    "OtherDerivation": "a MAC from another derivation",
    "OtherVector": "a vector that does not match the header",
    "Poisoned": "an earlier wrong codeword, after which the text can never be right",
    "FutureEpoch": "an epoch that no honest peer can be in",
}
Edit = Callable[[bytes], bytes]


def epoch_bytes(epoch: int) -> bytes:
    return epoch.to_bytes(8, "big")


def mac(key: bytes, *data: bytes) -> bytes:
    return hmac.digest(key, b"".join(data), "sha256")


BITS: Final[dict[str, tuple[int, int]]] = {
    "the first bit of rho": (0, 1), "the last bit of rho": (31, 0x80),
    "the first bit of the hash": (32, 1), "the last bit of the hash": (63, 0x80),
    "the first bit of the MAC": (64, 1), "the last bit of the MAC": (95, 0x80),
}  # fmt: skip


def turned(place: int, mask: int) -> Edit:
    return lambda text: flipped(text, place, mask)


def headers(family: Family) -> None:
    group = family.group("braid.play", "a header that is refused, then the genuine one")
    edits: dict[str, Edit] = {name: turned(*where) for name, where in BITS.items()}
    edits |= {
        "a MAC of zeros": lambda text: text[:64] + bytes(32),
        "MAC and header exchanged": lambda text: text[64:] + text[:64],
        "of another key, with this MAC": lambda text: draw("braid another header", 64) + text[64:],
    }
    for comment, edit in edits.items():
        script = Script(f"header {comment}", initiator=False)
        genuine = script.far.write()
        refuse(script, edited(genuine, edit), genuine, "HeaderReceived")
        script.add(group, f"a header at once: {comment}", rules=["PQR-5"], flags=["HeaderMac"])

    script = reached("NoHeaderReceived", "header, its last codeword")
    genuine = script.far.write(1)
    refuse(script, edited(genuine, turned(31, 1)), genuine, "HeaderReceived")
    script.add(group, "a header: the last codeword of three", rules=["PQR-5"], flags=["HeaderMac"])
    header_derivations(family)


def refuse(script: Script, changed: PqHeaderJson, genuine: PqHeaderJson, after: str) -> None:
    """The side under test refuses a header twice, keeps its state, and receives the genuine one."""
    script.refused(changed, "BraidFailed")
    script.refused(changed, "BraidFailed")
    script.state(script.ours.name)
    script.receive(genuine)
    script.state(after)


def header_derivations(family: Family) -> None:
    group = family.group("braid.play", "a header with a MAC from another derivation, then the genuine one")
    script = Script("header derivations", initiator=False)
    text = bytes.fromhex(script.far.write()["codewords"])
    key, root = (each.expose() for each in keys_of(script))
    shared = bytes.fromhex(script.given()["secret"])
    header, label = text[:64], labels.PQ_HEADER
    assert mac(key, label, epoch_bytes(1), header) == text[64:]
    update = labels.PQ_AUTHENTICATOR
    macs = {
        "the MAC of epoch 0": mac(key, label, epoch_bytes(0), header),
        "the MAC of epoch 2": mac(key, label, epoch_bytes(2), header),
        "the epoch in four bytes": mac(key, label, (1).to_bytes(4, "big"), header),
        "the epoch, little-endian": mac(key, label, (1).to_bytes(8, "little"), header),
        "no epoch": mac(key, label, header),
        "no label": mac(key, epoch_bytes(1), header),
        "the label of ciphertexts": mac(key, labels.PQ_CIPHERTEXT, epoch_bytes(1), header),
        "the hash alone": mac(key, label, epoch_bytes(1), header[32:]),
        "keyed by SKscka": mac(shared, label, epoch_bytes(1), header),
        "keyed by the authenticator's root": mac(root, label, epoch_bytes(1), header),
        "an authenticator of epoch 0": mac(
            second(bytes(32), shared, update, 0), label, epoch_bytes(1), header
        ),
        "an authenticator whose salt and input are exchanged": mac(
            second(shared, bytes(32), update, 1), label, epoch_bytes(1), header
        ),
        "HMAC-SHA-512, cut": hmac.digest(key, label + epoch_bytes(1) + header, hashlib.sha512)[:32],
    }
    for comment, wrong in macs.items():
        script = Script("header derivations", initiator=False)
        genuine = script.far.write()
        refuse(script, edited(genuine, exchanged_end(wrong)), genuine, "HeaderReceived")
        script.add(group, f"a header: {comment}", rules=["PQR-5"], flags=["HeaderMac", "OtherDerivation"])

    script = Script("header of epoch 2", initiator=True)
    before = keys_of(script)[0].expose()
    script.agree()
    script.deliver()
    genuine = script.far.write()
    header = bytes.fromhex(genuine["codewords"])[:64]
    old = mac(before, label, epoch_bytes(2), header)
    refuse(script, edited(genuine, exchanged_end(old)), genuine, "HeaderReceived")
    comment = "in epoch 2, under the key from before epoch 1"
    script.add(group, comment, rules=["PQR-5"], flags=["HeaderMac", "OtherDerivation"])


def keys_of(script: Script):
    """Return key and root of the far side's authenticator."""
    authenticator = script.far.state.authenticator
    return authenticator.key, authenticator.root


def second(salt: bytes, secret: bytes, label: bytes, epoch: int) -> bytes:
    """Return the key that an update of an authenticator gives."""
    return hkdf_sha256(salt, secret, label + epoch_bytes(epoch), 64)[32:]


def exchanged_end(wrong: bytes) -> Edit:
    return lambda text: text[:-32] + wrong


def ciphertexts(family: Family) -> None:
    group = family.group("braid.play", "a ciphertext that is refused, then the genuine one")
    edits: dict[str, Edit] = {
        "the first bit of ct2": turned(0, 1),
        "the last bit of ct2": turned(127, 0x80),
        "the first bit of the MAC": turned(128, 1),
        "the last bit of the MAC": turned(159, 0x80),
        "a MAC of zeros": lambda text: text[:128] + bytes(32),
        "MAC and ct2 exchanged": lambda text: text[128:] + text[:128],
    }
    for comment, edit in edits.items():
        script, genuine = with_ct2(f"ciphertext {comment}")
        refuse(script, edited(genuine, edit), genuine, "NoHeaderReceived")
        script.add(group, f"a ciphertext at once: {comment}", rules=["PQR-5"], flags=["CiphertextMac"])

    script = reached("EkSentCt1Received", "ciphertext, its last codewords")
    genuine = script.far.write(3)
    refuse(script, edited(genuine, turned(95, 1)), genuine, "NoHeaderReceived")
    script.add(
        group, "a ciphertext: the last three codewords of five", rules=["PQR-5"], flags=["CiphertextMac"]
    )

    script = Script("ct1 changed", initiator=True)
    script.deliver()
    ct1 = script.far.write()
    script.receive(edited(ct1, turned(700, 1)))
    script.useless(ct1)
    script.deliver()
    ct2 = script.far.write()
    for _ in range(2):
        script.refused(ct2, "BraidFailed")
    script.state("Ct1Received")
    comment = "ct1 was changed, which shows when ct2 is there"
    script.add(group, comment, rules=["PQR-5"], flags=["CiphertextMac", "Poisoned"])
    ciphertext_derivations(family)


def with_ct2(label: str) -> tuple[Script, PqHeaderJson]:
    """Return a play in Ct1Received, and ct2 with its MAC."""
    script = Script(label, initiator=True)
    script.turn()
    script.deliver()
    return script, script.far.write()


def ciphertext_derivations(family: Family) -> None:
    group = family.group("braid.play", "a MAC of a ciphertext from another derivation, then the genuine one")
    label = "ciphertext derivations"
    before, before_root = (each.expose() for each in keys_of(Script(label, initiator=True)))
    script, pq_header = with_ct2(label)
    text = bytes.fromhex(pq_header["codewords"])
    key, root = (each.expose() for each in keys_of(script))
    assert isinstance(script.ours.state, Ct1Received)
    ct1, ct2 = script.ours.state.kept, text[:128]
    pair = MlKem768KeyPair(KemSeed(script.ours.state.seed.expose()))
    k = pair.decapsulate(ct1 + ct2).expose()
    tag, update = labels.PQ_CIPHERTEXT, labels.PQ_AUTHENTICATOR
    assert mac(key, tag, epoch_bytes(1), ct1, ct2) == text[128:]
    macs = {
        "under the key before this epoch's secret": mac(before, tag, epoch_bytes(1), ct1, ct2),
        "under an authenticator to which K went as it is": mac(
            second(before_root, k, update, 1), tag, epoch_bytes(1), ct1, ct2
        ),
        "keyed by the authenticator's root": mac(root, tag, epoch_bytes(1), ct1, ct2),
        "ct2 alone": mac(key, tag, epoch_bytes(1), ct2),
        "ct2 before ct1": mac(key, tag, epoch_bytes(1), ct2, ct1),
        "the MAC of epoch 2": mac(key, tag, epoch_bytes(2), ct1, ct2),
        "no epoch": mac(key, tag, ct1, ct2),
        "the label of headers": mac(key, labels.PQ_HEADER, epoch_bytes(1), ct1, ct2),
    }
    for comment, wrong in macs.items():
        script, genuine = with_ct2(label)
        refuse(script, edited(genuine, exchanged_end(wrong)), genuine, "NoHeaderReceived")
        script.add(
            group, f"a ciphertext: {comment}", rules=["PQR-5"], flags=["CiphertextMac", "OtherDerivation"]
        )


def vectors(family: Family) -> None:
    group = family.group("braid.play", "a vector that does not match the header, then the genuine one")
    other = split(MlKem768KeyPair(KemSeed(draw("braid another key", 64))).public)[1]
    edits: dict[str, Edit] = {
        "of another key": lambda _: other,
        "of zeros, which would give m away": lambda text: bytes(len(text)),
        "the first bit": turned(0, 1),
        "the last bit": turned(1151, 0x80),
        "a coefficient is q": lambda text: b"\x01" + bytes([text[1] & 0xF0 | 0x0D]) + text[2:],
    }
    ways = {"Ek": (10, "EkReceivedCt1Sampled"), "EkCt1Ack": (64, "Ct2Sampled")}
    for type_, (max_codewords, after) in ways.items():
        for comment, edit in [*edits.items()][: 5 if type_ == "Ek" else 2]:
            script = Script(f"vector {type_} {comment}", initiator=False)
            script.receive(script.far.write())
            script.deliver(max_codewords)
            genuine = script.far.write()
            refuse(script, edited(genuine, edit), genuine, after)
            named = f"Ct1Sampled, {type_}, at once: {comment}"
            script.add(group, named, rules=["PQR-5", "PRIM-11"], flags=["OtherVector"])
    last_codewords(group)


def last_codewords(group: Group) -> None:
    for name in ("Ct1Sampled", "Ct1Acknowledged"):
        script = reached(name, f"vector, its last codewords, {name}")
        genuine = script.far.write(26)
        refuse(script, edited(genuine, turned(800, 1)), genuine, script_after(name))
        comment = f"{name}: a bit of the last 26 codewords"
        script.add(group, comment, rules=["PQR-5", "PRIM-11"], flags=["OtherVector"])

    script = Script("vector poisoned", initiator=False)
    script.receive(script.far.write())
    script.deliver()
    first, rest = script.far.write(10), script.far.write(26)
    script.receive(edited(first, turned(5, 1)))
    script.useless(first)
    for _ in range(2):
        script.refused(rest, "BraidFailed")
    script.state("Ct1Acknowledged")
    comment = "Ct1Acknowledged: an earlier codeword was wrong, and the rest is right"
    script.add(group, comment, rules=["PQR-5", "RAT-12"], flags=["OtherVector", "Poisoned"])


def script_after(name: str) -> str:
    return "EkReceivedCt1Sampled" if name == "Ct1Sampled" else "Ct2Sampled"


USED: Final = {
    "KeysUnsampled": PqType.NONE, "KeysSampled": PqType.CT1, "HeaderSent": PqType.CT1,
    "Ct1Received": PqType.CT2, "EkSentCt1Received": PqType.CT2, "NoHeaderReceived": PqType.HDR,
    "HeaderReceived": PqType.HDR, "Ct1Sampled": PqType.EK, "EkReceivedCt1Sampled": PqType.CT1_ACK,
    "Ct1Acknowledged": PqType.EK_CT1_ACK, "Ct2Sampled": PqType.CT2,
}  # fmt: skip
"""A type for each state, one that has an effect there if possible."""


def future(family: Family) -> None:
    group = family.group("braid.play", "an epoch that has not begun, then the current one")
    for name in STATES:
        ahead = 3 if name == "Ct2Sampled" else 2
        for epoch in (ahead, 2**32 - 1):
            for type_ in (PqType.NONE, USED[name]):
                label = f"future {name} {epoch} {type_}"
                if type_ is PqType.NONE and (epoch > 3 or USED[name] is PqType.NONE):
                    continue
                script = reached(name, label)
                script.refused(
                    pq_header_json(epoch, type_, 0, draw(f"braid {label}", 64)), "AuthenticationFailed"
                )
                script.state(name)
                script.receive(script.far.write(1))
                script.deliver(1)
                comment = f"{name}: {type_.name} of epoch {epoch}"
                script.add(group, comment, rules=["PQR-4"], flags=["FutureEpoch"])


def add(family: Family) -> None:
    """Add all refusals."""
    headers(family)
    ciphertexts(family)
    vectors(family)
    future(family)
