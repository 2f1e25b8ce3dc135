"""Make the two buckets of a deployment, and see that the evidence bucket keeps what it locks.

Evidence has Object Lock and a rule of its own: what is written there cannot be deleted before its time, by
anybody. Data has none: deleting data is the point. Policies let the workers' user and MLflow's do what they
need, and nothing else. Some stores accept a lock and delete all the same, so one object is locked and its
deletion tried, each time that this runs, as the store's root.
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tasks.checkout.patience import TRIES
from tasks.checkout.settings import StoreSettings
from tasks.checkout.variables import variable_value

PROBE = "object-lock-probe"
LOCKED_S = 60
# What begins so: the lock's configuration is not among the names that versitygw knows.
READ = ["s3:ListBucket", "s3:GetBucket*"]
EVIDENCE = ["s3:PutObject", "s3:GetObject", "s3:PutObjectRetention", "s3:GetObjectRetention"]
DATA = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
DELETE = "s3:DeleteObject"
VERSIONS = "s3:ListBucketVersions"
READ_VERSION = "s3:GetObjectVersion"
# A purge reads every version there is, and erases those of data.
ERASE = [*DATA, DELETE, READ_VERSION, "s3:DeleteObjectVersion"]


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
    lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
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


def set_rule(s3, bucket: str, days: int | None) -> None:
    """Let the bucket lock by itself, whatever a worker asks for; a rule that is there stays.

    Raises:
        SystemExit: If the bucket has no Object Lock, or neither it nor the environment says for how long.
        ClientError: If the store does not answer.
    """
    try:
        kept = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ObjectLockConfigurationNotFoundError":
            raise
        sys.exit(f"the bucket {bucket} has no Object Lock ({error}); name a new one with LETHE_S3_BUCKET")
    if kept.get("Rule"):
        return
    if days is None:
        sys.exit("say with LETHE_S3_RETAIN_DAYS how long evidence is locked")
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": days}}
    s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )


def set_policy(s3, bucket: str, allowed: Mapping[str, tuple[str, list[str]]], *, sees_versions: str) -> None:
    """Let users see a bucket, one of them its versions, and each do what is named below its place."""
    objects = f"arn:aws:s3:::{bucket}"
    statements = [_allow(sorted(allowed), READ, objects), _allow([sees_versions], [VERSIONS], objects)]
    statements += [_allow([user], may, f"{objects}/{place}*") for user, (place, may) in allowed.items()]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


def _allow(users: list[str], actions: list[str], resource: str) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": {"AWS": users}, "Action": actions, "Resource": resource}


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
    worker, mlflow, purge = (variable_value(f"S3_{name}") for name in ("WORKER", "MLFLOW", "PURGE"))
    if not worker or not mlflow or not purge:
        sys.exit("name the users of workers, MLflow and purges with S3_WORKER, S3_MLFLOW and S3_PURGE")
    prefix = f"{settings.prefix.strip('/')}/".lstrip("/")
    make_bucket(s3, evidence, locked=True)
    set_rule(s3, evidence, settings.retain_days)
    require_lock(s3, evidence)
    may = {worker: (prefix, EVIDENCE), purge: (prefix, [*EVIDENCE, READ_VERSION])}
    set_policy(s3, evidence, may, sees_versions=purge)
    make_bucket(s3, data, locked=False)
    users = {
        worker: (f"{prefix}dvc/", DATA),
        mlflow: (f"{prefix}mlflow/", [*DATA, DELETE]),
        purge: (prefix, ERASE),
    }
    set_policy(s3, data, users, sees_versions=purge)
    print(f"{evidence} locks what is stored, {data} does not")


if __name__ == "__main__":
    main()
