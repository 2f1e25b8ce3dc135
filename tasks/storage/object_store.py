"""S3, or a compatible store: objects are written once, read back, and never overwritten.

Only the environment says where it is: ``LETHE_S3_BUCKET``, ``LETHE_S3_PREFIX``,
``LETHE_S3_ENDPOINT`` and ``LETHE_S3_RETAIN_DAYS`` for evidence; ``LETHE_S3_DATA_BUCKET`` for data and models,
at the same endpoint. Credentials are left to boto3: its variables, profiles and roles. Without a bucket there
is no store.
"""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from importlib.util import find_spec
from typing import Any

from tasks.checkout import patience
from tasks.checkout.settings import ServiceSettings, StoreSettings
from tasks.storage.object_versions import ObjectVersion
from tasks.storage.store_errors import store_explained
from unlearn_core.errors import EvidenceError, SetupError

_LISTED = ("Versions", "DeleteMarkers")


@dataclass(frozen=True)
class ObjectStore:
    """One bucket, and a prefix in it.

    Attributes:
        bucket: Its name.
        prefix: What every key starts with; empty, or it ends with a slash.
        endpoint: Its address; AWS, or what boto3 is configured for, if None.
        retain_days: How long each object is locked; the bucket's own rule if None.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    retain_days: int | None = None

    def address(self, key: str) -> str:
        """Return an object's address for people."""
        return f"s3://{self.bucket}/{self.prefix}{key}"

    def require(self) -> None:
        """Raise early if results could not be stored at the end.

        Raises:
            SetupError: If there is no such bucket, or these credentials may not read it.
            UnavailableError: If nothing answers.
        """
        with self._explained():
            self._client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)
            self._retention()

    def read(self, key: str) -> bytes | None:
        """Return an object's bytes, or None if there is no such object.

        Raises:
            EvidenceError: If they do not match the store's checksum.
            SetupError: If the bucket cannot be read with these credentials.
            UnavailableError: If nothing answers.
        """
        with self._explained():
            try:
                found = self._client.get_object(**self._at(key), ChecksumMode="ENABLED")
            except self._client.exceptions.NoSuchKey:
                return None
            return found["Body"].read()

    def list(self, place: str) -> tuple[str, ...]:
        """Return the keys below a place, in order, as ``read`` takes them.

        Args:
            place: What they start with, below the prefix.

        Returns:
            The keys.

        Raises:
            SetupError: If the bucket cannot be listed with these credentials.
            UnavailableError: If nothing answers.
        """
        with self._explained():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + place
            )
            keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        return tuple(sorted(key.removeprefix(self.prefix) for key in keys))

    def versions(self) -> Iterator[ObjectVersion]:
        """Yield every version of every object, also of deleted ones.

        Yields:
            The versions; markers of deletions hold nothing, and are left out.
        """
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Prefix=self.prefix
        )
        with self._explained():
            for page in pages:
                for found in page.get("Versions", ()):
                    key = found["Key"].removeprefix(self.prefix)
                    yield ObjectVersion(key, found["VersionId"], found["Size"])

    def read_version(self, version: ObjectVersion) -> bytes:
        """Return the bytes of one version."""
        with self._explained():
            found = self._client.get_object(**self._at(version.key), VersionId=version.version)
            return found["Body"].read()

    def erase_version(self, version: ObjectVersion) -> None:
        """Erase one version, and the markers of deletions once no version of the object is left."""
        at = self._at(version.key)
        with self._explained():
            self._client.delete_object(**at, VersionId=version.version)
            listed = self._client.list_object_versions(Bucket=self.bucket, Prefix=at["Key"])
            own = [[one for one in listed.get(kind, ()) if one["Key"] == at["Key"]] for kind in _LISTED]
            for marker in () if own[0] else own[1]:
                self._client.delete_object(**at, VersionId=marker["VersionId"])

    def write_once(self, key: str, content: bytes) -> bool:
        """Write an object with these bytes unless it exists, and read it back.

        Args:
            key: Its key, below the prefix.
            content: The bytes.

        Returns:
            Whether it had to be sent.

        Raises:
            EvidenceError: If it exists with other bytes; they stay.
            SetupError: If the bucket cannot be written with these credentials.
            UnavailableError: If nothing answers.
        """
        found = self.read(key)
        sent = found is None
        if sent:
            self._put(key, content)
            found = self.read(key)
        if found != content:
            raise EvidenceError(
                f"{self.address(key)} holds bytes other than these ({len(content)} bytes here); what is "
                "stored is never overwritten: find out who wrote it"
            )
        return sent

    def locked_until(self, key: str) -> str | None:
        """Return when an object's lock ends, with the lock's mode, or None without a lock."""
        with self._explained():
            head = self._client.head_object(**self._at(key))
        until = head.get("ObjectLockRetainUntilDate")
        if until is None:
            return None
        return f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} ({head['ObjectLockMode']})"

    def _put(self, key: str, content: bytes) -> None:
        """Send an object, unless one exists by now; reading back tells which."""
        from botocore.exceptions import ClientError

        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        with self._explained():
            try:
                self._client.put_object(
                    **self._at(key),
                    Body=content,
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=checksum,
                    IfNoneMatch="*",
                    **self._retention(),
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "PreconditionFailed":
                    raise

    def _retention(self) -> dict[str, Any]:
        """Return the lock for an object written now; a rule of the bucket applies without it."""
        if self.retain_days is None:
            return {}
        until = datetime.now(UTC) + timedelta(days=self.retain_days)
        return {"ObjectLockMode": self._lock_mode, "ObjectLockRetainUntilDate": until}

    @cached_property
    def _lock_mode(self) -> str:
        """The mode of the bucket's own rule; without one, the mode that an administrator can lift."""
        rule = self._client.get_object_lock_configuration(Bucket=self.bucket)["ObjectLockConfiguration"]
        return rule.get("Rule", {}).get("DefaultRetention", {}).get("Mode", "GOVERNANCE")

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.prefix + key}

    @cached_property
    def _client(self) -> Any:
        import boto3
        import botocore.session
        from botocore.config import Config

        session = botocore.session.get_session()
        session.register_component("data_loader", _descriptions())
        config = Config(
            retries={"mode": "standard", "total_max_attempts": patience.TRIES},
            connect_timeout=10,
            read_timeout=60,
            # Stores other than AWS's have no host name per bucket.
            s3={"addressing_style": "path"} if self.endpoint else None,
        )
        return boto3.Session(botocore_session=session).client("s3", endpoint_url=self.endpoint, config=config)

    def _explained(self) -> AbstractContextManager[None]:
        return store_explained(self.bucket)


@cache
def _descriptions() -> Any:
    """Return boto3's descriptions of services, which are slow to load; they hold no credentials."""
    from botocore.loaders import create_loader

    return create_loader(ServiceSettings.read().aws_data_path)


def find_store() -> ObjectStore | None:
    """Return the evidence store that the environment names, or None if it names none.

    Raises:
        ConfigurationError: If one of the variables is not valid; its value is not repeated.
        SetupError: If boto3 is not installed.
    """
    settings = StoreSettings.read()
    return _store(settings, "LETHE_S3_BUCKET", settings.bucket, settings.retain_days)


def find_data_store() -> ObjectStore | None:
    """Return the store of data and models, which are never locked here, or None if there is none.

    Without ``LETHE_S3_DATA_BUCKET`` it is the evidence bucket. Errors are those of ``find_store``.
    """
    settings = StoreSettings.read()
    if settings.data_bucket:
        return _store(settings, "LETHE_S3_DATA_BUCKET", settings.data_bucket)
    return _store(settings, "LETHE_S3_BUCKET", settings.bucket)


def _store(
    settings: StoreSettings, variable: str, bucket: str, retain_days: int | None = None
) -> ObjectStore | None:
    """Return the store with the bucket that a variable names, or None if it names none."""
    if not bucket:
        return None
    if find_spec("boto3") is None:
        raise SetupError(
            f"{variable} is set, but boto3 is not installed; run `pip install 'lethe-unlearning[s3]'`"
        )
    prefix = settings.prefix.strip("/")
    return ObjectStore(bucket, f"{prefix}/" if prefix else "", settings.endpoint or None, retain_days)
