"""One FHIR resource, three readers: the practice, its front desk, and a database that searches blindly.

Prints:

    the doctor reads: ['active', 'address', 'birthDate', 'name', 'note', 'resourceType']
    the front desk reads: ['active', 'address', 'name', 'resourceType']
    hidden from it: 1 section, which may have fields at ('/birthDate', '/note')
    a changed note is refused: DocumentDamaged
    the database finds 1 document and reads none
"""

from letterlock import MemoryStore
from letterlock.documents import DocumentDamaged, Documents, JsonDocuments, Section
from letterlock.user import User

PATIENT = b"""{
    "resourceType": "Patient",
    "active": true,
    "name": [{"family": "Lindqvist", "given": ["Maria"]}],
    "birthDate": "1974-12-25",
    "address": [{"city": "Lund", "postalCode": "222 22"}],
    "note": [{"text": "takes 0.50 mg"}]
}"""


def main() -> None:
    doctor, desk = User.create(MemoryStore(), "doctor"), User.create(MemoryStore(), "desk")
    doctor.learn("desk", desk.device_lists())
    desk.learn("doctor", doctor.device_lists())

    # Sealed once. Both sections have the same scopes for every patient, whether or not the fields are there.
    sections = [Section("office", [""], ["desk"]), Section("clinical", ["/birthDate", "/note"])]
    sealed = JsonDocuments(doctor).seal(PATIENT, sections)

    whole = JsonDocuments(doctor).open(sealed.data)
    print("the doctor reads:", list(whole.value))
    part = JsonDocuments(desk).open(sealed.data)
    print("the front desk reads:", list(part.value))
    print(f"hidden from it: {len(part.hidden)} section, which may have fields at {part.hidden[0]}")

    # Storage changes one byte of the section that is not open to the front desk.
    changed = bytearray(sealed.data)
    changed[1500] ^= 1
    try:
        JsonDocuments(desk).open(bytes(changed))
    except DocumentDamaged as error:
        print("a changed note is refused:", type(error).__name__)

    # The database has tokens beside sealed documents. It never sees a name.
    search, _ = Documents(doctor).begin_items()
    names = search.blind_index("family name", bits=8)
    database = [(names.token("lindqvist"), sealed.data)]
    found = [data for token, data in database if token == names.token("Lindqvist".casefold())]
    opened = [
        JsonDocuments(doctor).open(data).value for data in found
    ]  # several names share a token: compare
    matching = [each for each in opened if each["name"][0]["family"] == "Lindqvist"]
    print(f"the database finds {len(matching)} document and reads none")


if __name__ == "__main__":
    main()
