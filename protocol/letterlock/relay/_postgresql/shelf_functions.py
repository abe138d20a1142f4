"""The functions of shelves in the database: steps under the lock of a shelf's row.

    shelve_2      lock all the shelves; store each parcel that is not there and has room
    post_3        store a parcel that expires if a log's newest entry is this one, which stays so meanwhile
    unshelve_2    lock the shelf; delete its parcels, of one putter or of anybody, and count them off

Each statement of a function sees what was committed while the function waited for its locks.

Not here: who calls them (shelves.py); the functions of mail and prekeys (functions.py).
"""

from typing import Final

SHELVE_2: Final = """
CREATE FUNCTION letterlock.shelve_2(
    shelves bytea[], hashes bytea[], putters bytea[], contents bytea[],
    most_parcels bigint[], most_bytes bigint[], putter_parcels bigint[], putter_bytes bigint[])
RETURNS SETOF boolean LANGUAGE plpgsql AS $$
DECLARE
    its record;
    whose record;
    size bigint;
BEGIN
    INSERT INTO letterlock.shelf (shelf) SELECT DISTINCT each FROM unnest(shelves) AS each ORDER BY each
        ON CONFLICT DO NOTHING;
    PERFORM FROM letterlock.shelf s WHERE s.shelf = ANY (shelves) ORDER BY s.shelf FOR UPDATE;
    FOR i IN 1 .. cardinality(shelves) LOOP
        IF EXISTS (SELECT FROM letterlock.parcel p WHERE p.shelf = shelves[i] AND p.hash = hashes[i]) THEN
            RETURN NEXT true;
            CONTINUE;
        END IF;
        size := octet_length(contents[i]);
        SELECT s.number, s.parcels, s.bytes INTO its FROM letterlock.shelf s WHERE s.shelf = shelves[i];
        SELECT coalesce(sum(p.parcels), 0) AS parcels, coalesce(sum(p.bytes), 0) AS bytes INTO whose
            FROM letterlock.putter p WHERE p.shelf = shelves[i] AND p.putter = putters[i];
        IF its.parcels >= most_parcels[i] OR its.bytes + size > most_bytes[i]
                OR whose.parcels >= putter_parcels[i] OR whose.bytes + size > putter_bytes[i] THEN
            RETURN NEXT false;
            CONTINUE;
        END IF;
        INSERT INTO letterlock.parcel
            VALUES (shelves[i], its.number + 1, hashes[i], putters[i], contents[i]);
        UPDATE letterlock.shelf s
            SET number = s.number + 1, parcels = s.parcels + 1, bytes = s.bytes + size
            WHERE s.shelf = shelves[i];
        INSERT INTO letterlock.putter AS p VALUES (shelves[i], putters[i], 1, size)
            ON CONFLICT (shelf, putter) DO UPDATE
            SET parcels = p.parcels + 1, bytes = p.bytes + excluded.bytes;
        RETURN NEXT true;
    END LOOP;
END $$
"""

UNSHELVE_2: Final = """
CREATE FUNCTION letterlock.unshelve_2(its_shelf bytea, hashes bytea[], whose bytea) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    gone record;
BEGIN
    PERFORM FROM letterlock.shelf s WHERE s.shelf = its_shelf FOR UPDATE;
    FOR gone IN
        WITH deleted AS (DELETE FROM letterlock.parcel p
                WHERE p.shelf = its_shelf AND p.hash = ANY (hashes) AND (whose IS NULL OR p.putter = whose)
                RETURNING p.putter, octet_length(p.parcel) AS size)
            SELECT d.putter, count(*) AS parcels, sum(d.size) AS bytes FROM deleted d GROUP BY d.putter
    LOOP
        UPDATE letterlock.shelf s SET parcels = s.parcels - gone.parcels, bytes = s.bytes - gone.bytes
            WHERE s.shelf = its_shelf;
        UPDATE letterlock.putter p SET parcels = p.parcels - gone.parcels, bytes = p.bytes - gone.bytes
            WHERE p.shelf = its_shelf AND p.putter = gone.putter;
    END LOOP;
    DELETE FROM letterlock.putter p WHERE p.shelf = its_shelf AND p.parcels = 0;
END $$
"""

POST_3: Final = """
CREATE FUNCTION letterlock.post_3(
    its_log bytea, its_number bigint, its_head bytea,
    its_shelf bytea, its_hash bytea, whose bytea, content bytea,
    most_parcels bigint, most_bytes bigint, putter_parcels bigint, putter_bytes bigint, its_time bigint,
    OUT number bigint, OUT is_full boolean)
LANGUAGE plpgsql AS $$
BEGIN
    is_full := false;
    SELECT p.number INTO number FROM letterlock.parcel p WHERE p.shelf = its_shelf AND p.hash = its_hash;
    IF FOUND THEN RETURN; END IF;
    PERFORM FROM letterlock.log l
        WHERE l.log = its_log AND l.number = its_number AND l.hash = its_head FOR SHARE;
    IF NOT FOUND THEN RETURN; END IF;
    SELECT NOT is_there INTO is_full FROM letterlock.shelve_2(
        ARRAY[its_shelf], ARRAY[its_hash], ARRAY[whose], ARRAY[content], ARRAY[most_parcels],
        ARRAY[most_bytes], ARRAY[putter_parcels], ARRAY[putter_bytes]) AS is_there;
    IF is_full THEN RETURN; END IF;
    UPDATE letterlock.parcel p SET "time" = coalesce(p."time", its_time)
        WHERE p.shelf = its_shelf AND p.hash = its_hash RETURNING p.number INTO number;
END $$
"""

FUNCTIONS_2: Final = (SHELVE_2, UNSHELVE_2)
FUNCTIONS_3: Final = (POST_3,)
