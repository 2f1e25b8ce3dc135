"""Make the two buckets of a deployment, and see that the evidence bucket keeps what it locks.

Evidence has Object Lock, so what is written there cannot be deleted before its time. Data has none: deleting
data is the point. Some stores accept a lock and delete all the same, so one object is locked and its deletion
tried, each time that this runs.
"""

import sys
from datetime import UTC, datetime, timedelta

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tasks.checkout.patience import TRIES
from tasks.checkout.settings import StoreSettings

PROBE = "object-lock-probe"
LOCKED_S = 60


def make_bucket(s3, name: str, *, locked: bool) -> None:
    """Let a bucket be there; one that is there stays as it is."""
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)


def require_lock(s3, bucket: str) -> None:
    """Lock an object for a minute and try to delete it.

    Raises:
        SystemExit: If the bucket has no Object Lock, or the store deleted what was locked.
        ClientError: If the store does not answer.
    """
    until = datetime.now(UTC) + timedelta(seconds=LOCKED_S)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    try:
        version = s3.put_object(Bucket=bucket, Key=PROBE, Body=b"locked", **lock)["VersionId"]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise
        sys.exit(f"the bucket {bucket} has no Object Lock ({error}); name a new one with LETHE_S3_BUCKET")
    except KeyError:
        sys.exit(f"the bucket {bucket} keeps no versions; name a new one with LETHE_S3_BUCKET")
    try:
        s3.delete_object(Bucket=bucket, Key=PROBE, VersionId=version)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise
        return
    sys.exit(
        f"the store of {bucket} deleted an object that was locked; no evidence is safe there: use another"
    )


def main() -> None:
    """Make both buckets, where the environment says."""
    path = Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": TRIES})
    settings = StoreSettings.read()
    s3 = boto3.client("s3", endpoint_url=settings.endpoint or None, config=path)
    evidence, data = settings.bucket, settings.data_bucket
    if not evidence or not data:
        sys.exit("name the two buckets with LETHE_S3_BUCKET and LETHE_S3_DATA_BUCKET")
    if evidence == data:
        sys.exit("LETHE_S3_BUCKET and LETHE_S3_DATA_BUCKET must differ: what is locked cannot be forgotten")
    make_bucket(s3, evidence, locked=True)
    require_lock(s3, evidence)
    make_bucket(s3, data, locked=False)
    print(f"{evidence} locks what is stored, {data} does not")


if __name__ == "__main__":
    main()
