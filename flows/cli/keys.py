"""``lethe keys``: the signing key and the pseudonym key."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output

app = typer.Typer(
    help="Signing key, pseudonym key, and the keys of others that are trusted.", no_args_is_help=True
)


@app.command(name="init")
def init(
    force: Annotated[
        bool, typer.Option("--force", help="Replace the signing key; the old one stays trusted.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the signing key and the pseudonym key, readable only by you, and trust the public key."""
    from tasks.keys.signing import home, init_keys

    folder, made = home(), init_keys(home(), force=force)
    told = "\n".join(f"made {path}" for path in made)
    Output(json).give(
        {"home": str(folder), "made": [str(path) for path in made]},
        lambda: told or f"all keys are already in {folder}; nothing was made",
    )


@app.command(name="list")
def list_keys(json: Json = False) -> None:
    """List the keys whose certificates are trusted here, each checked: its id, its file, and whose it is."""
    from tasks.keys.trust import list_trusted, trust_folder

    found = list_trusted()
    told = "\n".join(f"{one.id}  {'own  ' if one.own else 'other'}  {one.file}" for one in found)
    values = [{"id": one.id, "file": str(one.file), "own": one.own} for one in found]
    Output(json).give(values, lambda: told or f"no key is trusted: {trust_folder()} holds none")


@app.command()
def trust(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The issuer's public key, as PEM.")],
    witness: Annotated[bool, typer.Option("--witness", help="Trust it as a witness's key.")] = False,
    json: Json = False,
) -> None:
    """Trust certificates that an issuer signs: check the public key, and copy it into the trust folder.

    Refused is what is no Ed25519 key, a key that anybody could sign with, and a file that others may change.
    Compare the id with the one that the issuer tells you by another way than that of the file. With
    `--witness`, the key's owner countersigns certificates and issues none.
    """
    from tasks.keys.trust import trust_key

    identity, place = trust_key(file, witness=witness)
    told = f"trusted      {identity}\nkept         {place}"
    Output(json).give({"id": identity, "file": str(place)}, lambda: told)


@app.command()
def rotate(json: Json = False) -> None:
    """Make a new pseudonym key, and retire the present one.

    New pseudonyms are made with the new key. The old one stays in `retired`, so that earlier requests,
    tombstones and receipts still match, until `lethe keys shred` destroys it. With LETHE_TENANT the key is
    that tenant's. `lethe keys init --force` replaces the signing key.
    """
    from tasks.keys.ring import rotate_pseudonym_key

    old, new = rotate_pseudonym_key()
    told = f"retired      {old}\ncurrent      {new}"
    Output(json).give({"retired": old, "current": new}, lambda: told)


@app.command()
def shred(
    retired: Annotated[bool, typer.Option("--retired", help="Destroy the retired keys.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Destroy the current key as well.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Really do it; without it, only say what would be.")
    ] = False,
    json: Json = False,
) -> None:
    """Destroy pseudonym keys, those of LETHE_TENANT if it is set: what they made can never be matched again.

    Nobody can tell any more whom a pseudonym of theirs stands for, or whether a picture is among their
    tombstones. Requests that were made with them cannot be served, replayed or given receipts for; tombstones
    do not open, and have to be lifted before data come in again. Copies of the keys elsewhere, in a backup or
    a secret store, are not reached: destroy these too. Certificates verify as before.

    Raises:
        SetupError: If it is not said which keys.
    """
    from tasks.keys.ring import shred_pseudonym_keys
    from unlearn_core.errors import SetupError

    if retired == everything:
        raise SetupError("name which keys: --retired, or --all; nothing was destroyed")
    ids = shred_pseudonym_keys(only_retired=retired, really=yes)
    word = "destroyed   " if yes else "to destroy  "
    told = [f"{word} {one}" for one in ids] + ([] if yes else ["nothing was destroyed; add --yes"])
    Output(json).give({"keys": [*ids], "destroyed": yes}, lambda: "\n".join(told))


@app.command()
def export(
    release: Annotated[
        bool, typer.Option("--release", help="The key that released models are signed with (`model.sig`).")
    ] = False,
    json: Json = False,
) -> None:
    """Print the public half of the signing key, as PEM, for those who verify what is signed here.

    With `--release`, print that of the key for `model_signing verify key`, an elliptic curve's, which follows
    from the signing key.
    """
    from tasks.keys.folder import public_pem
    from tasks.keys.releasing import release_key, release_pem
    from tasks.keys.signing import key_id, load_signer
    from unlearn_core.records.base import sha256

    if release:
        pem = release_pem(release_key(load_signer()).public_key())
        Output(json).give({"id": sha256(pem), "public_key": pem.decode()}, pem.decode().rstrip)
        return
    key = load_signer().public_key()
    pem = public_pem(key).decode()
    Output(json).give({"id": key_id(key), "public_key": pem}, pem.rstrip)
