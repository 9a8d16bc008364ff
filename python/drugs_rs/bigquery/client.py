"""The client of BigQuery: the target, the library, and what its errors mean for a user."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple, NoReturn

from drugs_rs.exceptions import ArgumentError, DrugsError, MissingLibraryError, StorageError

if TYPE_CHECKING:
    from google.cloud import bigquery

# What each permission is called where rights are granted.
ROLES = {
    "bigquery.datasets.create": "roles/bigquery.user on the project",
    "bigquery.jobs": "roles/bigquery.jobUser on the project",
    "bigquery.": "roles/bigquery.dataEditor on the dataset",
    "storage.": "roles/storage.objectViewer on the bucket",
}
TARGET = '"project.dataset" or "bigquery://project/dataset"'
# Nothing that looks like a credential is repeated, whoever sent it back.
SECRETS = re.compile(
    r"(?i)(bearer\s+)[^\s'\",}]+|\bya29\.[\w.-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]+"
    r"|-----BEGIN.*?(?:END[^-]*-----|$)|((?:private_key|client_secret|refresh_token|access_token|password)['\"]?\s*[:=]\s*)"
    r"(?:\"[^\"]*\"|'[^']*'|[^\s'\",}]+)",
    re.DOTALL,
)


class Target(NamedTuple):
    """A dataset."""

    project: str
    dataset: str

    def __str__(self) -> str:
        """The dataset as messages name it."""
        return f"{self.project}.{self.dataset}"

    def table(self, name: str, partition: str | None = None) -> bigquery.TableReference:
        """A table of the dataset, or a partition of it."""
        place = name if partition is None else f"{name}${partition}"
        dataset: bigquery.DatasetReference = library().DatasetReference(self.project, self.dataset)
        return dataset.table(place)


def parse_target(target: str) -> Target:
    """Read the name of a dataset.

    Raises:
        ArgumentError: It is not of one of the two forms.
    """
    found = re.fullmatch(r"bigquery://([^/@]+)/([^/@]+)/?", target) or re.fullmatch(r"([^/@]+)\.([^./@]+)", target)
    # A project of a domain is `example.com:project`.
    if found is None or not re.fullmatch(r"(?:[a-z0-9.-]+:)?[a-z0-9-]+", found[1]):
        message = f"target: found {redacted(target)!r}, expected {TARGET}"
        if "@" in target:
            # What stands before the sign is probably a password.
            message = f"target: expected {TARGET}, without a user or password: BigQuery takes Google's own credentials"
        raise ArgumentError(message)
    if not re.fullmatch(r"\w{1,1024}", found[2], re.ASCII):
        message = f"target: found the dataset {found[2]!r}, expected letters, digits and underscores"
        raise ArgumentError(message)
    return Target(found[1], found[2])


def library() -> Any:  # noqa: ANN401 - the module, of any version
    """Import google-cloud-bigquery, or say how to install it."""
    try:
        return import_module("google.cloud.bigquery")
    except ImportError as error:
        message = (
            f"drugs_rs.bigquery needs google-cloud-bigquery, which cannot be imported ({error}): "
            "pip install drugs-rs[bigquery]"
        )
        raise MissingLibraryError(message) from error


@contextmanager
def opened(client: bigquery.Client | None, target: Target) -> Iterator[bigquery.Client]:
    """Lend a client: the caller's, or one with the credentials of this machine, which is closed afterwards."""
    if client is not None:
        library()
        yield client
        return
    own = _open(target)
    try:
        yield own
    finally:
        own.close()  # type: ignore[no-untyped-call]


def _open(target: Target) -> bigquery.Client:
    """Make a client with the application default credentials; an emulator needs none."""
    bigquery = library()
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError

    emulator = os.environ.get("BIGQUERY_EMULATOR_HOST")
    try:
        if emulator:
            nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
            options = {"api_endpoint": emulator}
            return bigquery.Client(project=target.project, credentials=nobody, client_options=options)  # type: ignore[no-any-return]
        return bigquery.Client(project=target.project)  # type: ignore[no-any-return]
    except (GoogleAuthError, OSError, ValueError) as error:
        _refuse_credentials(target, error)


@contextmanager
def errors_of(target: Target, doing: str, permission: str) -> Iterator[None]:
    """Turn the errors of Google's libraries into those of this package.

    Args:
        target: The dataset.
        doing: What is done, for messages: "to create the table mentions".
        permission: What it needs, if the service does not say so itself.
    """
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except DrugsError:
        raise
    except RetryError as error:
        cause = error.cause
        if isinstance(cause, GoogleAPICallError):
            _refuse_call(target, doing, permission, cause)
        message = f"{target}: gave up {doing} after {_tries()}: {redacted(str(cause))}"
        raise StorageError(message) from None
    except GoogleAuthError as error:
        _refuse_credentials(target, error)
    except GoogleAPICallError as error:
        _refuse_call(target, doing, permission, error)
    except (RequestException, ConnectionError) as error:
        message = f"{target}: BigQuery cannot be reached {doing}: {redacted(str(error))}"
        raise StorageError(message) from None


def reason_of(error: Any) -> str:  # noqa: ANN401 - an error of any of Google's libraries
    """The reason that the service gives for an error, as a word; empty if it gives none."""
    details = getattr(error, "errors", None) or [{}]
    first = details[0]
    return str(first.get("reason", "")) if isinstance(first, dict) else ""


def redacted(text: str) -> str:
    """Take out what looks like a credential."""
    return SECRETS.sub(lambda found: f"{found[1] or found[2] or ''}…", text)


def missing_right(target: Target, doing: str, permission: str, said: str) -> str:
    """Say which permission is missing, and which role has it."""
    named = re.search(r"\b((?:bigquery|storage)\.\w+\.\w+)", said)
    needed = named[1] if named else permission
    role = next(role for start, role in ROLES.items() if needed.startswith(start) or start == "bigquery.")
    if needed.startswith("storage."):
        role = ROLES["storage."]
    return f"{target}: no right {doing}: the permission {needed} is missing, which {role} has; found: {said}"


def _refuse_credentials(target: Target, error: Exception) -> NoReturn:
    message = (
        f"{target}: no credentials of Google Cloud that work ({type(error).__name__}: {redacted(_first_line(error))}): "
        "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the file of a service "
        "account"
    )
    # The chain would repeat what is redacted here.
    raise StorageError(message) from None


def _refuse_call(target: Target, doing: str, permission: str, error: Any) -> NoReturn:  # noqa: ANN401
    """Raise what an answer of the service means."""
    # The client puts the request before what the service said.
    said = redacted(re.sub(r"^[A-Z]+ https?://\S+: ", "", str(getattr(error, "message", error)))).rstrip(".")
    code, reason = int(getattr(error, "code", None) or 0), reason_of(error)
    if code == 401:
        message = (
            f"{target}: BigQuery does not accept the credentials: {said}. Run `gcloud auth application-default login`, "
            "or check the service account of GOOGLE_APPLICATION_CREDENTIALS"
        )
    elif reason in {"quotaExceeded", "rateLimitExceeded"} or code == 429:
        message = (
            f"{target}: a quota of BigQuery is used up {doing}: {said}. Load again later, what is done already is not "
            "loaded twice; or ask for a higher quota"
        )
    elif code == 403:
        message = missing_right(target, doing, permission, said)
    elif code >= 500:
        message = f"{target}: BigQuery failed {doing}, also after {_tries()}: {said}. Load again later"
    else:
        message = f"{target}: BigQuery refused {doing}: {said}"
    raise StorageError(message) from None


def _tries() -> str:
    return "ten minutes of retries"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
