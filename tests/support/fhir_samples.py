"""FHIR R4 resources as a practice has them: a patient, a measurement and a prescription. Nobody is meant."""

from typing import Any, Final

PATIENT: Final[dict[str, Any]] = {
    "resourceType": "Patient",
    "id": "p-1",
    "active": True,
    "identifier": [
        {"use": "usual", "system": "urn:oid:1.2.36.146.595.217.0.1", "value": "12345"},
        {"use": "official", "system": "http://insurance.example", "value": "A123456789"},
    ],
    "name": [
        {"use": "official", "family": "Lindqvist", "given": ["Åsa", "Maria"]},
        {"use": "maiden", "family": "O'Neill/Smith", "period": {"end": "2002"}},
    ],
    "telecom": [
        {"system": "phone", "value": "+46 70 000 00 00", "use": "home"},
        {"system": "phone", "value": "+46 70 000 00 01", "use": "work"},
        {"system": "email", "value": "asa@example.org"},
    ],
    "gender": "female",
    "birthDate": "1974-12-25",
    "deceasedBoolean": False,
    "address": [
        {"line": ["Storgatan 1"], "city": "Lund", "postalCode": "222 22", "period": {"start": "1999"}}
    ],
    "contact": [{"relationship": [{"coding": [{"code": "N"}]}], "name": {"family": "Lindqvist"}}],
}

OBSERVATION: Final[bytes] = (
    b'{"resourceType": "Observation", "status": "final",\n'
    b' "code": {"coding": [{"system": "http://loinc.org", "code": "15074-8", "display": "Glucose"}]},\n'
    b' "subject": {"reference": "Patient/p-1"}, "effectiveDateTime": "2013-04-02T09:30:10+01:00",\n'
    b' "valueQuantity": {"value": 6.30, "unit": "mmol/l", "code": "mmol/L"},\n'
    b' "referenceRange": [{"low": {"value": 3.1}, "high": {"value": 6.2}}], "note": [{"text": "\\u00e9tat"}]}'
)

PRESCRIPTION: Final[dict[str, Any]] = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"coding": [{"code": "N02BE01", "display": "paracetamol"}]},
    "subject": {"reference": "Patient/p-1", "display": "Åsa Lindqvist"},
    "dosageInstruction": [
        {"sequence": 1, "doseAndRate": [{"doseQuantity": {"value": 500, "unit": "mg"}}]},
        {
            "sequence": 2,
            "doseAndRate": [{"doseQuantity": {"value": 0.5, "unit": "g"}}],
            "asNeededBoolean": True,
        },
    ],
    "dispenseRequest": {"numberOfRepeatsAllowed": 3, "quantity": {"value": -1}},
}
