"""The functions in the database: steps that must see what was committed while they waited for a lock.

    deliver_1        lock the account, compare its list, check every device, then insert all
    claim_1          write the records of claims if they are as they were read, and return the bundles
    acknowledge_1    lock the device, if it has these keys; delete its messages, count them off

One statement sees the database as it was when the statement began, also after it waited. Each statement of
a function begins anew. The whole function is one transaction and one round trip.

Not here: who calls them (prekeys.py, mail.py).
"""

from typing import Final

STORED: Final = 0
UNKNOWN: Final = 1
STALE: Final = 2
FULL: Final = 3

DELIVER_1: Final = f"""
CREATE FUNCTION letterlock.deliver_1(
    its_account bytea, its_version bigint, its_hash bytea,
    devices bigint[], ids bytea[], times bigint[], senders text[], sender_devices bigint[], contents bytea[],
    most_messages bigint, most_bytes bigint, OUT outcome integer, OUT full_device bigint)
LANGUAGE plpgsql AS $$
DECLARE
    listed record;
    mailbox record;
    size bigint;
BEGIN
    SELECT a.version, a.hash INTO listed FROM letterlock.account a
        WHERE a.account = its_account FOR NO KEY UPDATE;
    IF NOT FOUND THEN outcome := {UNKNOWN}; RETURN; END IF;
    IF listed.version <> its_version
        OR substring(listed.hash FOR octet_length(its_hash)) <> its_hash THEN
        outcome := {STALE}; RETURN;
    END IF;
    FOR i IN 1 .. cardinality(devices) LOOP
        SELECT d.messages, d.bytes INTO mailbox FROM letterlock.device d
            WHERE d.account = its_account AND d.device = devices[i] FOR UPDATE;
        IF NOT FOUND THEN outcome := {STALE}; RETURN; END IF;
        IF EXISTS (SELECT FROM letterlock.mail m
                WHERE m.account = its_account AND m.device = devices[i] AND m.id = ids[i]) THEN
            ids[i] := NULL;
        ELSIF mailbox.messages + 1 > most_messages
                OR mailbox.bytes + octet_length(contents[i]) > most_bytes THEN
            outcome := {FULL}; full_device := devices[i]; RETURN;
        END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(devices) LOOP
        IF ids[i] IS NOT NULL THEN
            size := octet_length(contents[i]);
            UPDATE letterlock.device d
                SET number = d.number + 1, messages = d.messages + 1, bytes = d.bytes + size
                WHERE d.account = its_account AND d.device = devices[i] RETURNING d.number INTO mailbox;
            INSERT INTO letterlock.mail VALUES (its_account, devices[i], mailbox.number, ids[i],
                times[i], senders[i], sender_devices[i], contents[i]);
        END IF;
    END LOOP;
    outcome := {STORED};
END $$
"""  # noqa: S608 (its values are ours)

ACKNOWLEDGE_1: Final = """
CREATE FUNCTION letterlock.acknowledge_1(
    its_account bytea, its_device bigint, its_keys bytea, ids bytea[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    total record;
BEGIN
    PERFORM FROM letterlock.device d WHERE d.account = its_account AND d.device = its_device
        AND (its_keys IS NULL OR d.keys = its_keys) FOR UPDATE;
    IF its_keys IS NOT NULL AND NOT FOUND THEN RETURN NULL; END IF;
    WITH gone AS (DELETE FROM letterlock.mail m
            WHERE m.account = its_account AND m.device = its_device AND m.id = ANY (ids)
            RETURNING octet_length(m.message) AS size)
        SELECT count(*) AS messages, coalesce(sum(size), 0) AS bytes INTO total FROM gone;
    IF total.messages > 0 THEN
        UPDATE letterlock.device d SET messages = d.messages - total.messages, bytes = d.bytes - total.bytes
            WHERE d.account = its_account AND d.device = its_device;
    END IF;
    RETURN total.messages;
END $$
"""

CHANGED: Final = "LL409"
"""The SQLSTATE of a record that another claim changed since it was read."""

CLAIM_1: Final = f"""
CREATE FUNCTION letterlock.claim_1(
    its_account bytea, devices bigint[], befores bytea[], afters bytea[], stocks bigint[], numbers bigint[],
    indexes bigint[], OUT device bigint, OUT bundle bytea)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    first bigint;
BEGIN
    FOR i IN 1 .. cardinality(devices) LOOP
        UPDATE letterlock.prekeys k SET state = afters[i], stock = stocks[i]
            WHERE k.account = its_account AND k.device = devices[i] AND k.state = befores[i];
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = '{CHANGED}', MESSAGE = 'another claim was faster';
        END IF;
        device := devices[i];
        bundle := NULL;
        IF indexes[i] < 0 THEN
            SELECT p.last_resort INTO bundle FROM letterlock.page p
                WHERE p.account = its_account AND p.device = devices[i] AND p.number = numbers[i];
        ELSE
            SELECT substring(p.bundles FROM (1 + coalesce(p.ends[indexes[i]], 0))::integer
                    FOR (p.ends[indexes[i] + 1] - coalesce(p.ends[indexes[i]], 0))::integer) INTO bundle
                FROM letterlock.page p
                WHERE p.account = its_account AND p.device = devices[i] AND p.number = numbers[i];
        END IF;
        RETURN NEXT;
    END LOOP;
END $$
"""  # noqa: S608 (its values are ours)

FUNCTIONS_1: Final = (DELIVER_1, CLAIM_1, ACKNOWLEDGE_1)
