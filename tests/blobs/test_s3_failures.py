"""What a server with the S3 API answers, and what becomes of it; most of these answers are lies. BLB-3."""

import io
import subprocess
import sys
from typing import Any, Final

import pytest

from letterlock.blobs import (
    BlobError,
    BlobMissing,
    BlobsFull,
    BlobsMisbehave,
    BlobsRefused,
    BlobsUnavailable,
    BlobTaken,
    S3Blobs,
)
from letterlock.errors import UsageError
from support.blob_stores import NAME
from support.s3_server import Answer, Scripted, client_of, error

TABLE: Final = [
    (404, "NoSuchKey", BlobMissing, "wait until"),
    (404, "", BlobMissing, "wait until"),
    (404, "NoSuchBucket", BlobsRefused, "check its name"),
    (301, "PermanentRedirect", BlobsMisbehave, "again and again"),
    (400, "ExpiredToken", BlobsRefused, "renew them"),
    (400, "TokenRefreshRequired", BlobsRefused, "renew them"),
    (403, "InvalidAccessKeyId", BlobsRefused, "check them"),
    (403, "SignatureDoesNotMatch", BlobsRefused, "check them"),
    (403, "RequestTimeTooSkewed", BlobsRefused, "clock"),
    (403, "AccessDenied", BlobsRefused, "give these credentials rights"),
    (403, "Unheard", BlobsRefused, "give these credentials rights"),
    (401, "Unheard", BlobsRefused, "give these credentials rights"),
    (501, "NotImplemented", BlobsRefused, "use another one"),
    (507, "Unheard", BlobsFull, "make room"),
    (400, "EntityTooLarge", BlobsFull, "make room"),
    (403, "QuotaExceeded", BlobsFull, "make room"),
    (503, "SlowDown", BlobsUnavailable, "try again"),
    (503, "", BlobsUnavailable, "try again"),
    (500, "InternalError", BlobsUnavailable, "try again"),
    (502, "", BlobsUnavailable, "try again"),
    (429, "TooManyRequests", BlobsUnavailable, "try again"),
    (408, "RequestTimeout", BlobsUnavailable, "try again"),
    (412, "PreconditionFailed", BlobTaken, "try again"),
    (409, "ConditionalRequestConflict", BlobTaken, "try again"),
    (418, "Unheard", BlobsMisbehave, "tell whoever runs it"),
    (400, "Unheard", BlobsMisbehave, "tell whoever runs it"),
]
"""Status and code of an answer, what it becomes, and words of the remedy."""
CONTENT: Final = b"0123456789"


@pytest.fixture(scope="module")
def server() -> Any:
    made = Scripted()
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(server: Scripted) -> Any:
    return client_of(server.endpoint, read_timeout=2)


@pytest.fixture
def blobs(server: Scripted, client: Any) -> S3Blobs:
    server.answers.clear()
    server.asked.clear()
    return S3Blobs("sealed", client=client)


def ranged(said: str, body: bytes, **more: Any) -> Answer:
    return Answer(206, body, {"content-range": said}, **more)


@pytest.mark.parametrize(("status", "code", "expected", "remedy"), TABLE)
def test_refused_reads_and_puts(
    server: Scripted, blobs: S3Blobs, status: int, code: str, expected: type[BlobError], remedy: str
) -> None:
    server.answers.append(error(status, code) if code else Answer(status))
    with pytest.raises(expected, match=remedy) as caught:
        blobs.read(NAME, 0, 10)
    assert NAME not in str(caught.value)
    server.answers.clear()
    server.answers += [error(404, "NoSuchKey"), error(status, code) if code else Answer(status)]
    with pytest.raises(expected, match=remedy):
        blobs.put(NAME, io.BytesIO(CONTENT))


@pytest.mark.parametrize(
    "answer",
    [
        ranged("bytes 1-10/100", CONTENT),
        ranged("bytes 0-8/100", CONTENT),
        ranged("bytes 0-9/5", CONTENT),
        ranged("bytes 0-9/*", CONTENT),
        ranged("bytes 9-0/100", CONTENT),
        ranged("pages 0-9/100", CONTENT),
        ranged("bytes 0-9/99999999999999999999", CONTENT),
        ranged("bytes 0-99/100", CONTENT * 10),
        ranged("bytes 0-10/100", CONTENT + b"x"),
        Answer(200, CONTENT * 10),
        Answer(206, CONTENT * 10),
    ],
)
def test_another_range_than_was_asked_for(server: Scripted, blobs: S3Blobs, answer: Answer) -> None:
    server.answers.append(answer)
    with pytest.raises(BlobsMisbehave, match="another range"):
        blobs.read(NAME, 0, 10)


@pytest.mark.parametrize("start", [5, 90])
def test_a_server_that_knows_no_ranges(server: Scripted, blobs: S3Blobs, start: int) -> None:
    server.answers.append(Answer(200, CONTENT))
    with pytest.raises(BlobsMisbehave, match="another range"):
        blobs.read(NAME, start, 10)
    assert blobs.read(NAME, 0, 10).data == CONTENT  # all of it was asked for
    assert blobs.read(NAME, -10, 10).data == CONTENT


def test_an_answer_that_ends_early_is_asked_for_again(server: Scripted, blobs: S3Blobs) -> None:
    good = ranged("bytes 0-9/100", CONTENT)
    server.answers += [ranged("bytes 0-9/100", CONTENT[:4], length=10)] * 2 + [good]
    assert blobs.read(NAME, 0, 10).data == CONTENT
    assert len(server.asked) == 3


def test_answers_that_always_end_early(server: Scripted, blobs: S3Blobs) -> None:
    server.answers.append(ranged("bytes 0-9/100", CONTENT[:4], length=10))
    with pytest.raises(BlobsUnavailable, match="try again"):
        blobs.read(NAME, 0, 10)
    assert len(server.asked) == 3


def test_what_is_refused_is_asked_for_once(server: Scripted, blobs: S3Blobs) -> None:
    server.answers.append(error(403, "AccessDenied"))
    with pytest.raises(BlobsRefused):
        blobs.read(NAME, 0, 10)
    assert len(server.asked) == 1


def test_an_answer_without_end_is_not_read_to_it(server: Scripted, blobs: S3Blobs) -> None:
    """BLB-3: no more is taken than was asked for."""
    server.answers.append(ranged("bytes 0-9/100", bytes(1 << 20), length=1 << 40))
    with pytest.raises(BlobError):
        blobs.read(NAME, 0, 10)


def test_nobody_listens() -> None:
    blobs = S3Blobs("sealed", client=client_of("http://127.0.0.1:1", connect_timeout=1))
    for call in (lambda: blobs.read(NAME, 0, 1), lambda: blobs.put(NAME, io.BytesIO(CONTENT))):
        with pytest.raises(BlobsUnavailable, match="does not answer: try again"):
            call()
    with pytest.raises(BlobsUnavailable):
        blobs.delete(NAME)


@pytest.mark.parametrize("body", [b"<not xml", b"<html><body>a page</body></html>", b""])
def test_something_else_than_s3_lists_uploads(server: Scripted, blobs: S3Blobs, body: bytes) -> None:
    server.answers += [error(404, "NoSuchKey"), Answer(200, body, {"content-type": "application/xml"})]
    with pytest.raises((BlobsMisbehave, BlobsUnavailable)):
        blobs.put(NAME, io.BytesIO(bytes(9 << 20)))


def test_no_right_to_list_only_costs_the_going_on(server: Scripted, blobs: S3Blobs) -> None:
    begun = Answer(200, b"<R><UploadId>u</UploadId></R>", {"content-type": "application/xml"})
    tag = Answer(200, b"", {"etag": '"1"'})
    done = Answer(200, b"<R><ETag>2</ETag></R>", {"content-type": "application/xml"})
    denied = error(403, "AccessDenied")
    size = Answer(200, b"", {}, length=9 << 20)
    server.answers += [error(404, "NoSuchKey"), denied, begun, tag, tag, done, size]
    assert blobs.put(NAME, io.BytesIO(bytes(9 << 20))) == 9 << 20


def test_no_credentials(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    server.answers.append(error(404, "NoSuchKey"))
    blobs = S3Blobs("sealed", endpoint=server.endpoint, region="us-east-1")
    with pytest.raises(BlobsRefused, match="give credentials and a region"):
        blobs.read(NAME, 0, 1)


def test_a_bucket_that_cannot_be_one(client: Any) -> None:
    with pytest.raises(UsageError, match="no allowed name"):
        S3Blobs("no bucket/", client=client).read(NAME, 0, 1)
    with pytest.raises(UsageError, match="shorter"):
        S3Blobs("sealed", "a" * 600, client=client)


WITHOUT: Final = """
import sys
sys.modules.update(dict.fromkeys({missing!r}))
from letterlock.errors import UsageError
import letterlock.blobs
letterlock.blobs.DirectoryBlobs(sys.argv[1])
print([each for each in sys.modules if each.startswith("boto")] == {missing!r})
try:
    letterlock.blobs.S3Blobs
except UsageError as error:
    print(error)
"""


@pytest.mark.parametrize("missing", ["botocore.exceptions"])
def test_only_s3_needs_the_extra(missing: str, tmp_path: Any) -> None:
    command = [sys.executable, "-c", WITHOUT.format(missing=[missing]), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "pip install 'letterlock[s3]'" in done.stdout
    assert done.stdout.startswith("True")  # importing blobs loads nothing of the extra
