// Every limit of the specification, with the rule that sets it.

export const VERSION = 1; // of messages
export const BUNDLE_VERSION = 2; // of bundles and publications
export const X3DH = 1;
export const PQXDH = 2;
export const SUITES = [X3DH, PQXDH];

export const U32 = 2 ** 32 - 1; // ids, counters, device ids
export const MESSAGE_SIZE = 17_305_600; // WIRE-3
export const BUNDLE_SIZE = 8_192; // WIRE-3
export const PUBLICATION_SIZE = 4_194_304; // WIRE-3
export const NESTING = 4; // WIRE-3
export const ITEMS = 10_018; // WIRE-3
export const PUBLISHED = 1_000; // pairs of one-time prekeys, WIRE-11
export const LAST_DAY = 2_932_896; // WIRE-13
export const NAME_SIZE = 255; // WIRE-8

export const PLAINTEXT_SIZE = 16_777_216;
export const PADDED_LEAST = 32;
export const PADDED_MOST = 17_301_504;
export const NONCE_SIZE = 8;
export const TAG_SIZE = 16;

export const SKIP = 2_000; // RAT-5
export const SKIPPED_KEPT = 4_000; // RAT-7
export const TRIPLE_KEPT = 8_000; // keys of both ratchets of a suite 2 session
export const CODEWORDS = 64; // in one message, WIRE-12
export const TRIAL_STEPS = 8_000; // SES-9
export const ARCHIVED = 40; // SES-5
export const CROSSED = 16; // SES-12
export const USED = 128; // SES-13
export const REPLAYS = 65_536; // HAND-8
export const HEADER_SIZE = 4_096; // a stored header to repeat

export const DEVICE_LIST_SIZE = 196_608; // of spec/user.md, as those below
export const DEVICE_LIST_ITEMS = 168;
export const SNAPSHOT_SIZE = 16_384;
export const DEVICES = 32;
export const REVOKED = 64; // USR-10
export const EVIDENCE_SIZE = 4_194_304;
export const EVIDENCE_LISTS = 1_000;
export const HEAD_SIZE = 8;
export const LINKING_CODE_SIZE = 350;
export const LINKING_BUNDLE_SIZE = 4_096;
export const LINKING_OFFER_SIZE = 16_400;
export const LINKING_ANSWER_SIZE = 6_144;
export const LINKING_PACKAGE_SIZE = 16_777_216;
export const SEALED_SEEDS = 999; // in a payload, as those below
export const PINS = 40_000;
export const PLACE_SIZE = 255;
export const CODE_LIFETIME = 600; // USR-20

export const CONTENT_SIZE = 16_776_192; // without the tags of earlier messages
export const CONTENT_ITEMS = 142;
export const EARLIER = 5;
export const ATTACHMENTS = 32;
export const ATTACHMENT_NAME_SIZE = 255;
export const MEDIA_TYPE_SIZE = 127;
export const RECEIPT_IDS = 1_024;
export const NOTICE_LISTS = 100;

export const DAY = 86_400;
export const ROTATION = 7 * DAY; // HAND-9
export const RETIREMENT = 30 * DAY; // HAND-9
export const ONE_TIME_AGE = 90 * DAY; // HAND-9
export const BUNDLE_AGE = 90 * DAY; // HAND-15
export const BUNDLE_LEAD = DAY; // HAND-15

export const U63 = 2n ** 63n - 1n; // of spec/relay.md, as those below
export const RELAY_VERSION = 1;
export const SMALL_BODY = 2_048; // RLY-3, as the sizes below
export const REGISTER_SIZE = 4_198_400;
export const LISTS_ANSWER_SIZE = 4_196_352;
export const APPEND_SIZE = 197_632;
export const PUBLISH_SIZE = 263_168;
export const CLAIM_ANSWER_SIZE = 263_264;
export const SEND_SIZE = 4_194_304;
export const IDS_SIZE = 32_768;
export const FETCH_ANSWER_SIZE = 5_046_272;
export const PLACE_BODY_SIZE = 525_312;
export const CHAIN_LISTS = 20;
export const UPLOAD_SIZE = 262_144;
export const RELAYED_SIZE = 786_432;
export const FETCHED = 100;
export const ACKNOWLEDGED = 256;
export const WAIT = 60;
export const CHALLENGE_SIZE = 128;
export const TOKEN_SIZE = 512;
export const PLACE_PARTS = 33;
export const PLACE_PART_SIZE = 524_288;
export const STRANGERS_PART_SIZE = 32_768;
export const RELAY_CODES = 11;

export const DOCUMENT_HEADER_SIZE = 65_536; // of spec/documents.md, as those below
export const DOCUMENT_TRAILER_SIZE = 16_384;
export const DOCUMENT_GRANTS_SIZE = 1_048_576;
export const DOCUMENT_SEGMENTS = 2 ** 28;
export const DOCUMENT_NAME_SIZE = 1_024;
export const APPLICATION_SIZE = 4_096;
export const TIME = Number.MAX_SAFE_INTEGER;
export const GRANT_SIZE = 20_480;
export const GRANTS_BESIDE = 1_000;
