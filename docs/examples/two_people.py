"""Two people in one process: a first message, an answer, messages out of order, and a comparison of keys.

Prints:

    bob reads: Your results are here.
    alice reads: Is it serious?
    alice reads: Thank you.
    refused: DuplicateMessage
    the safety numbers agree: True
"""

from letterlock import Account, Address, DuplicateMessage, MemoryStore, PrekeyBundle


def main() -> None:
    alice = Account.create(MemoryStore(), Address("alice"))
    bob = Account.create(MemoryStore(), Address("bob"))

    # Bob leaves a bundle somewhere and goes offline. Alice uses it without him.
    bundle = bob.bundle().encode()
    alice.initiate(bob.address, PrekeyBundle.decode(bundle))
    letter = alice.encrypt(bob.address, b"Your results are here.")
    print("bob reads:", bob.decrypt(alice.address, letter).decode())

    # Bob answers twice, and the second answer arrives first.
    first = bob.encrypt(alice.address, b"Thank you.")
    second = bob.encrypt(alice.address, b"Is it serious?")
    print("alice reads:", alice.decrypt(bob.address, second).decode())
    print("alice reads:", alice.decrypt(bob.address, first).decode())

    try:
        alice.decrypt(bob.address, first)
    except DuplicateMessage as error:
        print("refused:", type(error).__name__)

    # Both read the digits to each other once, in person or on the telephone.
    ours, theirs = alice.safety_number(bob.address), bob.safety_number(alice.address)
    print("the safety numbers agree:", str(ours) == str(theirs))


if __name__ == "__main__":
    main()
