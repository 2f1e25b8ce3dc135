"""S3, or whatever speaks it: objects are written once, read back, and never written over.

Where it is stands in the environment and nowhere else: ``LETHE_S3_BUCKET``, ``LETHE_S3_PREFIX``,
``LETHE_S3_ENDPOINT`` and ``LETHE_S3_RETAIN_DAYS`` for evidence; ``LETHE_S3_DATA_BUCKET`` for data and models,
at the same endpoint. Credentials are boto3's own business: its variables, profiles and roles. Without a
bucket there is no store, and nothing here is asked.
"""

import base64
import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from importlib.util import find_spec
from typing import Any

from tasks.checkout import patience
from tasks.checkout.settings import ServiceSettings, StoreSettings
from tasks.storage.store_errors import store_explained
from unlearn_core.errors import EvidenceError, SetupError


@dataclass(frozen=True)
class ObjectStore:
    """One bucket, and the place in it.

    Attributes:
        bucket: Its name.
        prefix: What every key starts with; empty, or it ends with a slash.
        endpoint: Where it is answered; AWS itself, or what boto3 is configured for, if None.
        retain_days: For how long each object is locked; the bucket's own rule if None.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    retain_days: int | None = None

    def address(self, key: str) -> str:
        """Return how people write where an object is."""
        return f"s3://{self.bucket}/{self.prefix}{key}"

    def require(self) -> None:
        """Refuse to start what could not be stored in the end.

        Raises:
            SetupError: If there is no such bucket, or nobody may look into it with these credentials.
            UnavailableError: If nothing answers.
        """
        with self._explained():
            self._client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)
            self._retention()

    def read(self, key: str) -> bytes | None:
        """Return an object's bytes, or None if there is no such object.

        Raises:
            EvidenceError: If they are not what the store's own checksum says.
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
        """Return the keys below a place, in order, as they are given to ``read``.

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

    def write_once(self, key: str, content: bytes) -> bool:
        """Let an object be there with these bytes, and read it back.

        Args:
            key: Where, below the prefix.
            content: The bytes.

        Returns:
            Whether it had to be sent.

        Raises:
            EvidenceError: If other bytes are there; they stay.
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
                f"{self.address(key)} holds other bytes than these ({len(content)} bytes here); what is "
                "stored is never written over: find out who wrote it"
            )
        return sent

    def locked_until(self, key: str) -> str | None:
        """Return until when nobody may delete an object, with the lock's mode, or None without a lock."""
        with self._explained():
            head = self._client.head_object(**self._at(key))
        until = head.get("ObjectLockRetainUntilDate")
        if until is None:
            return None
        return f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} ({head['ObjectLockMode']})"

    def _put(self, key: str, content: bytes) -> None:
        """Send an object, unless there is one by now; reading back tells what is there."""
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
        """Return the lock of an object that is written now; a rule of the bucket applies by itself."""
        if self.retain_days is None:
            return {}
        until = datetime.now(UTC) + timedelta(days=self.retain_days)
        return {"ObjectLockMode": self._lock_mode, "ObjectLockRetainUntilDate": until}

    @cached_property
    def _lock_mode(self) -> str:
        """The mode of the bucket's own rule; without one the mode that an administrator can lift."""
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
            # Other stores than AWS's have no host name for each bucket.
            s3={"addressing_style": "path"} if self.endpoint else None,
        )
        return boto3.Session(botocore_session=session).client("s3", endpoint_url=self.endpoint, config=config)

    def _explained(self) -> AbstractContextManager[None]:
        return store_explained(self.bucket)


@cache
def _descriptions() -> Any:
    """Return what boto3 knows of services, which takes it a while to read; no credentials are in it."""
    from botocore.loaders import create_loader

    return create_loader(ServiceSettings.read().aws_data_path)


def find_store() -> ObjectStore | None:
    """Return the store of evidence that the environment names, or None if it names none.

    Raises:
        ConfigurationError: If one of the variables is not what it should be; its value is not repeated.
        SetupError: If boto3 is not installed.
    """
    settings = StoreSettings.read()
    return _store(settings, "LETHE_S3_BUCKET", settings.bucket, settings.retain_days)


def find_data_store() -> ObjectStore | None:
    """Return the store of data and models, which are never locked here, or None if there is none.

    Without ``LETHE_S3_DATA_BUCKET`` it is the bucket of evidence. Errors are those of ``find_store``.
    """
    settings = StoreSettings.read()
    if settings.data_bucket:
        return _store(settings, "LETHE_S3_DATA_BUCKET", settings.data_bucket)
    return _store(settings, "LETHE_S3_BUCKET", settings.bucket)


def _store(
    settings: StoreSettings, variable: str, bucket: str, retain_days: int | None = None
) -> ObjectStore | None:
    """Return the store that a variable names a bucket of, or None if it names none."""
    if not bucket:
        return None
    if find_spec("boto3") is None:
        raise SetupError(
            f"{variable} is set, but boto3 is not installed; run `pip install 'lethe-unlearning[s3]'`"
        )
    prefix = settings.prefix.strip("/")
    return ObjectStore(bucket, f"{prefix}/" if prefix else "", settings.endpoint or None, retain_days)
