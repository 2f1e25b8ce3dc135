"""What an S3 store's failures mean for the user: wait, or change something."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from unlearn_core.errors import EvidenceError, SetupError, UnavailableError

_TRANSIENT = {"SlowDown", "RequestTimeout", "ConditionalRequestConflict", "OperationAborted"}
_CREDENTIALS = (
    "Credentials come from AWS_ACCESS_KEY_ID, AWS_PROFILE or the machine's role; docs/evidence-store.md "
    "says what they must allow"
)


@contextmanager
def store_explained(bucket: str, *, setting: str = "LETHE_S3_BUCKET") -> Iterator[None]:
    """Turn what boto3 raises into one of Lethe's errors; no message holds a secret."""
    from botocore import exceptions
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        FlexibleChecksumError,
        HTTPClientError,
        IncompleteReadError,
    )

    try:
        yield
    except ClientError as error:
        raise _answered(bucket, error.response, setting) from error
    except (exceptions.ConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise UnavailableError(
            f"the store of s3://{bucket} does not answer: {error}; the same may succeed later"
        ) from error
    except FlexibleChecksumError as error:
        raise EvidenceError(f"an object in s3://{bucket} is damaged: {error}") from error
    except BotoCoreError as error:
        raise SetupError(f"the store s3://{bucket} cannot be used: {error}; {_CREDENTIALS}") from error


def _answered(bucket: str, response: dict[str, Any], setting: str) -> UnavailableError | SetupError:
    """Turn the store's error response into one of Lethe's errors."""
    code, status = response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
    said = f"s3://{bucket} answered {code}: {response['Error'].get('Message', 'no reason given')}"
    if status == 429 or status >= 500 or code in _TRANSIENT:
        return UnavailableError(f"{said}; the same may succeed later")
    if code == "ObjectLockConfigurationNotFoundError":
        return SetupError(f"{said}; unset LETHE_S3_RETAIN_DAYS, or make a bucket with Object Lock")
    return SetupError(f"{said}; check {setting} and LETHE_S3_ENDPOINT. {_CREDENTIALS}")
