"""What botocore raises, and what a server with the S3 API answers, as the errors of blobs.

The table maps the codes of answers. A code that is not in it is judged by the HTTP status.

Not here: the calls (_s3.py, _s3_upload.py).
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from letterlock.blobs._errors import (
    BlobError,
    BlobMissing,
    BlobsFull,
    BlobsMisbehave,
    BlobsRefused,
    BlobsUnavailable,
    BlobTaken,
)
from letterlock.errors import UsageError

try:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        CredentialRetrievalError,
        NoCredentialsError,
        NoRegionError,
        ParamValidationError,
        PartialCredentialsError,
        TokenRetrievalError,
        UnauthorizedSSOTokenError,
    )
    from botocore.parsers import ResponseParserError
except ModuleNotFoundError as error:
    raise UsageError(
        f"letterlock.blobs.S3Blobs needs {error.name}: python -m pip install 'letterlock[s3]'"
    ) from error

_RENEW: Final = "the credentials have expired: renew them, and try again"
_CHECK: Final = "the storage does not accept the credentials: check them, the region and this machine's clock"
_RIGHTS: Final = (
    "the storage does not allow it: give these credentials rights to get, put, delete and list there"
)
_BUCKET: Final = "there is no such bucket: check its name, the region and the endpoint"
_LACKS: Final = "the storage lacks a part of the S3 API, perhaps conditional writes: use another one"
_SETTINGS: Final = "there are no complete settings for the storage: give credentials and a region"
REFUSED: Final = {
    "ExpiredToken": _RENEW,
    "ExpiredTokenException": _RENEW,
    "TokenRefreshRequired": _RENEW,
    "RequestExpired": _CHECK,
    "InvalidToken": _CHECK,
    "InvalidAccessKeyId": _CHECK,
    "SignatureDoesNotMatch": _CHECK,
    "AuthorizationHeaderMalformed": _CHECK,
    "RequestTimeTooSkewed": _CHECK,
    "AccessDenied": _RIGHTS,
    "AllAccessDisabled": _RIGHTS,
    "AccountProblem": _RIGHTS,
    "NotImplemented": _LACKS,
    "NoSuchBucket": _BUCKET,
    "PermanentRedirect": _BUCKET,
    "IllegalLocationConstraintException": _BUCKET,
}
FULL: Final = frozenset({"QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity", "EntityTooLarge"})
TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
MISSING: Final = frozenset({"NoSuchKey", "NoSuchVersion"})
NO_UPLOAD: Final = "NoSuchUpload"
NO_RANGE: Final = "InvalidRange"
_SETTINGS_MISSING: Final = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    NoRegionError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
_NOT_FOUND: Final = 404
_PRECONDITION: Final = 412
_NO_ROOM: Final = 507
_FOR_NOW: Final = frozenset({408, 409, 429})
_NOT_ALLOWED: Final = frozenset({401, 403})
_SERVER_FAULT: Final = 500


@contextmanager
def failures() -> Generator[None]:
    """Turn what botocore raises into the errors of blobs."""
    try:
        yield
    except ClientError as error:
        raise _of_answer(error) from error
    except _SETTINGS_MISSING as error:
        raise BlobsRefused(_SETTINGS) from error
    except ParamValidationError as error:
        raise UsageError("the bucket or the prefix has no allowed name: correct it") from error
    except (ResponseParserError, KeyError, ValueError) as error:
        raise BlobsMisbehave("does not answer as S3 does") from error
    except RecursionError:  # botocore asks again where a redirect leads
        raise BlobsMisbehave("leads to another address again and again") from None
    except (BotoCoreError, OSError) as error:  # no connection, a timeout, an answer that was cut
        raise BlobsUnavailable("the storage does not answer") from error


def code_of(error: ClientError) -> str:
    """Return the code of an answer: `NoSuchKey`, for example, or the status if there is no code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _of_answer(error: ClientError) -> BlobError:
    code, metadata = code_of(error), error.response.get("ResponseMetadata")
    status = metadata["HTTPStatusCode"] if metadata and "HTTPStatusCode" in metadata else 0
    if code in REFUSED:
        return BlobsRefused(REFUSED[code])
    if code in MISSING:
        return BlobMissing()
    if code in TAKEN or status == _PRECONDITION:
        return BlobTaken("somebody else puts this blob at the same time: try again")
    if code in FULL or status == _NO_ROOM:
        return BlobsFull()
    if code == NO_UPLOAD:
        return BlobsUnavailable("somebody else has ended the upload")
    return _of_status(status)


def _of_status(status: int) -> BlobError:
    if status == _NOT_FOUND:
        return BlobMissing()
    if status in _NOT_ALLOWED:
        return BlobsRefused(_RIGHTS)
    if status in _FOR_NOW or status >= _SERVER_FAULT:
        return BlobsUnavailable(f"the storage answers with status {status}")
    return BlobsMisbehave(f"answers with status {status}")
